"""The configuration of a training, under the names of transformers' TrainingArguments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from textcentric.config import first_problem
from textcentric.errors import ConfigError, unknown

# What may change between a checkpoint and the training that goes on from it.
RUNTIME = frozenset(
    "output_dir resume report_to logging_steps save_strategy save_steps save_total_limit"
    " per_device_eval_batch_size".split()
)
When = Literal["epoch", "steps", "no"]
# Names of TrainingArguments for what has another one here, and what their values are there.
ALIASES: dict[str, tuple[str, dict[bool, str | None]]] = {
    "bf16": ("mixed_precision", {True: "bf16", False: None}),
    "fp16": ("mixed_precision", {True: "fp16", False: None}),
    "resume_from_checkpoint": ("resume", {True: "always", False: "never"}),
}


class TrainConfig(BaseModel):
    """Everything that the training loop can be told, whatever the method.

    A global batch is `per_device_train_batch_size` x processes x `gradient_accumulation_steps`
    rows; `warmup_steps` below 1 is a share of all steps; `max_steps` above 0 wins over
    `num_train_epochs`. With `metric_for_best_model` the best weights are restored at the end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    output_dir: Path
    seed: int = Field(0, ge=0, lt=2**32)
    learning_rate: float = Field(5e-5, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    num_train_epochs: float = Field(3.0, gt=0)
    max_steps: int = Field(-1, ge=-1)
    per_device_train_batch_size: int = Field(16, ge=1)
    per_device_eval_batch_size: int = Field(64, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    max_grad_norm: float = Field(1.0, ge=0)  # 0 does not clip
    warmup_steps: float = Field(0.1, ge=0)
    lr_scheduler_type: Literal[
        "linear", "cosine", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"
    ] = "cosine"
    mixed_precision: Literal["no", "bf16", "fp16"] = Field(
        default_factory=lambda: os.environ.get("ACCELERATE_MIXED_PRECISION", "no"),
        validate_default=True,  # of `accelerate launch --mixed_precision`, where it is not given
    )
    use_cpu: bool = False
    metric_for_best_model: str | None = None
    greater_is_better: bool | None = None  # None goes by the metric's name
    early_stopping_patience: int | None = Field(None, ge=1)
    eval_strategy: When = "epoch"
    eval_steps: int = Field(500, ge=1)
    save_strategy: When = "epoch"
    save_steps: int = Field(500, ge=1)
    save_total_limit: int | None = Field(1, ge=1)
    logging_steps: int = Field(10, ge=1)
    report_to: Literal["none", "tensorboard", "wandb"] = "none"
    train_sampling_strategy: Literal["random", "group_by_length"] = "group_by_length"
    resume: Literal["auto", "never", "always"] = "auto"

    @model_validator(mode="after")
    def _fits_together(self) -> TrainConfig:
        if self.early_stopping_patience and not self.metric_for_best_model:
            raise ValueError("early_stopping_patience needs metric_for_best_model")
        if self.metric_for_best_model and self.eval_strategy == "no":
            raise ValueError("metric_for_best_model needs an eval_strategy other than 'no'")
        return self

    def identity(self) -> dict[str, Any]:
        """Return what shapes the weights, as plain JSON values."""
        return self.model_dump(mode="json", exclude=set(RUNTIME))


def train_config(values: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration that `values` give.

    Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.

    >>> train_config({"output_dir": "models/first", "max_steps": 10}).max_steps
    10
    """
    values = _translated(values)
    for name in values:
        if name not in TrainConfig.model_fields:
            raise ConfigError(unknown("key of train", name, TrainConfig.model_fields))
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "train")) from error


def _translated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with the names of this package alone."""
    found = {name: value for name, value in values.items() if name not in ALIASES}
    for alias in (name for name in values if name in ALIASES):
        name, meanings = ALIASES[alias]
        if not isinstance(values[alias], bool):
            found_in = "; checkpoints lie beside output_dir" if name == "resume" else ""
            raise ConfigError(
                f"train.{alias} is {values[alias]!r}, expected true or false{found_in}"
            )
        meant = meanings[values[alias]]
        if meant is not None and found.setdefault(name, meant) != meant:
            raise ConfigError(
                f"train.{alias} is {values[alias]} and {name} {found[name]!r}; give one of them"
            )
    return found
