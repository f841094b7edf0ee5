"""What can be chosen about a training on cached latents: FuseMix, and what Align-VL adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.config import first_problem
from textcentric.errors import ConfigError, unknown

Noise = Literal["gaussian", "uniform"]
Place = Literal["before", "after"]
OffDiagonal = Literal["all", "others"]
Schedule = Literal["constant", "linear", "cosine", "per-pair"]


class AlignConfig(BaseModel):
    """Mixing, Random Perturbation, Embedding Smoothing, adapters; with both off this is FuseMix.

    `mixing` joins pairs two by two with one share ~ Beta(`mixing_beta`, `mixing_beta`) a batch, so
    that B rows of a batch give B / 2 positives.
    Random Perturbation adds `noise` of standard deviation `noise_sigma` (0: off) "before" or
    "after" the adapters, in units of the latents as they come there; `noise_relative` makes it a
    multiple of their standard deviation in each dimension.
    Embedding Smoothing takes `smoothing` (0: off) from the positive of each row of the target and
    spreads it over "all" the batch, or over the "others" alone. By the schedule it is constant,
    falls to 0 over `smoothing_epochs` ("linear", "cosine"), or grows with a pair's own doubt
    ("per-pair": times 1 - cosine).
    Adapters: `blocks` residual MLPs of `expansion` times the width, and a linear map to `width`.
    Latents are standardised by the training items unless `standardize` is off. The temperature
    starts at `temperature` and is learnt within [0.001, 0.5] unless `learn_temperature` is off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mixing: bool = True
    mixing_beta: float = Field(1.0, gt=0)
    noise: Noise = "gaussian"
    noise_sigma: float = Field(0.01, ge=0, allow_inf_nan=False)
    noise_relative: bool = False
    noise_place: Place = "before"
    smoothing: float = Field(0.1, ge=0, lt=1)
    smoothing_off_diagonal: OffDiagonal = "all"
    smoothing_schedule: Schedule = "constant"
    smoothing_epochs: float = Field(10.0, gt=0)
    blocks: int = Field(2, ge=0)
    expansion: int = Field(4, ge=1)
    width: int = Field(256, ge=2)
    dropout: float = Field(0.2, ge=0, lt=1)
    standardize: bool = True
    temperature: float = Field(0.07, ge=1e-3, le=0.5)
    learn_temperature: bool = True
    seed: int = 0


def align_config(values: Mapping[str, Any]) -> AlignConfig:
    """Return the configuration that `values` give.

    Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.

    >>> align_config({"noise_sigma": 0, "smoothing": 0}).mixing                # this is FuseMix
    True
    """
    for name in values:
        if name not in AlignConfig.model_fields:
            raise ConfigError(unknown("key of align-vl", name, AlignConfig.model_fields))
    try:
        return AlignConfig.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(first_problem(error, "align-vl")) from error
