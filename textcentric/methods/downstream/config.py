"""What can be chosen about a downstream transformer; the loop has its own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from textcentric.config import first_problem
from textcentric.errors import ConfigError, unknown
from textcentric.methods.loading import PACKAGED


class DownstreamConfig(BaseModel):
    """Model, task, reading, objective and dropping in training.

    Model: `model` is a hub name, a folder or "packaged" (MiniLM); `attention` is transformers'
    `attn_implementation`; `layers` keeps only the first so many; `encoder_dropout` replaces the
    model's own; `lora_rank` trains an adapter of that rank instead of all weights.
    Task: "auto" takes words as classes, up to ten whole numbers as ordinal, else regression;
    `classes` fixes the classes and their order; `ordinal` is either the squared error on the
    standardised rank or the cumulative link; `target_transform` is undone at prediction.
    Reading: `parts` chooses and orders the blocks (none: all, as the row has them), a block
    begins with its name where `headers` is on, `max_length` is in tokens.
    Objective: clean + `variant_weight` x mean over `variants` (K) + `consistency` x divergence;
    "worst" takes the variant of highest loss; in an epoch a share `variant_share` of the rows
    brings its variants along.
    Dropping: a level in [0, 1] is drawn from `dropout_levels` for every text and epoch; each part
    is left out with probability `modality_dropout`; `order_shuffle` permutes the blocks.
    `calibration_rows` is how many training rows place the quantile cuts, unless others are given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = PACKAGED
    revision: str | None = None
    trust_remote_code: bool = False
    pooling: Literal["auto", "mean", "cls", "last"] = "auto"
    attention: str | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"
    layers: int | None = Field(None, ge=1)
    encoder_dropout: float | None = Field(None, ge=0, lt=1)
    head_dropout: float = Field(0.1, ge=0, lt=1)
    lora_rank: int | None = Field(None, ge=1)
    lora_alpha: int | None = Field(None, ge=1)
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    lora_targets: str | tuple[str, ...] = "all-linear"

    task: Literal["auto", "classification", "ordinal", "regression"] = "auto"
    classes: tuple[int | str, ...] | None = None
    class_weights: Literal["none", "balanced"] = "none"
    ordinal: Literal["rank", "cumulative"] = "rank"
    target_transform: Literal["none", "log", "log1p"] = "none"
    calibration_rows: int = Field(1000, ge=1)

    parts: tuple[str, ...] | None = None
    headers: bool = True
    max_length: int = Field(256, ge=8)

    variants: int = Field(1, ge=0)
    variant_share: float = Field(1.0, ge=0, le=1)
    variant_weight: float = Field(1.0, ge=0)
    objective: Literal["mean", "worst"] = "mean"
    consistency: float = Field(0.0, ge=0)

    dropout_levels: tuple[float, ...] = (0.0,)
    modality_dropout: float = Field(0.0, ge=0, le=1)
    order_shuffle: bool = False
    seed: int = 0

    @field_validator("dropout_levels")
    @classmethod
    def _levels_are_shares(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not levels or not all(0 <= level <= 1 for level in levels):
            raise ValueError("expected at least one level, each in [0, 1], such as [0, 0.3, 0.6]")
        return levels

    @field_validator("parts", "classes")
    @classmethod
    def _named_once(cls, names: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if names is not None and (not names or len(set(names)) < len(names)):
            raise ValueError("expected at least one name, each once")
        return names


def downstream_config(values: Mapping[str, Any]) -> DownstreamConfig:
    """Return the configuration that `values` give.

    Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.

    >>> downstream_config({"variants": 4}).variants
    4
    """
    for name in values:
        if name not in DownstreamConfig.model_fields:
            raise ConfigError(unknown("key of downstream", name, DownstreamConfig.model_fields))
    try:
        return DownstreamConfig.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(first_problem(error, "downstream")) from error
