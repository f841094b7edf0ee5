"""What can be chosen about a reward model, under the names of TRL where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from textcentric.config import first_problem
from textcentric.errors import ConfigError, unknown
from textcentric.methods.loading import PACKAGED
from textcentric.methods.reward.objective import EPSILON


class RewardConfig(BaseModel):
    """Model, reading, objective and proxy.

    Model: `model_name_or_path` is a hub name, a folder or "packaged" (MiniLM), of which the first
    `layers` are kept; `use_peft` trains a LoRA adapter and the head instead of all weights.
    Reading: `max_length` in tokens; of a text that is too long the description is cut first, then
    the prompt at its beginning, a response never.
    Objective: "bt" (Bradley-Terry) or "sfc" (shortcut-aware); `center_rewards_coefficient` keeps
    the sum of a pair's rewards near 0.
    Pictures: with `vision_model` ("packaged", a hub name or a folder) the features of that frozen
    encoder, projected, are read before the text, and the proxy sees a blank picture.
    Proxy: the same text without the descriptions `proxy_fields` (none given: without any), which
    `proxy_input` replaces by a fixed phrase or drops ("blank_image" leaves them, and blanks the
    picture alone). It is trained along from
    `proxy_model_name_or_path` (default: the model's own start), or is a finished reward model that
    stays as it is ("frozen"). `sfc_normalize` divides the weights of a micro-batch by their mean,
    `sfc_ema` smooths a pair's losses over epochs, `sfc_shuffle` gives each pair the weight of
    another one (the placebo). The defaults are those of the paper.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model_name_or_path: str = PACKAGED
    revision: str | None = None
    trust_remote_code: bool = False
    attn_implementation: str | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"
    layers: int | None = Field(None, ge=1)
    disable_dropout: bool = True
    gradient_checkpointing: bool = False
    max_length: int = Field(512, ge=8)
    vision_model: str | None = None

    use_peft: bool = False
    lora_r: int = Field(16, ge=1)
    lora_alpha: int = Field(32, ge=1)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    lora_target_modules: str | tuple[str, ...] = "all-linear"

    reward_objective: Literal["bt", "sfc"] = "bt"
    center_rewards_coefficient: float = Field(0.0, ge=0)
    proxy_model_name_or_path: str | None = None
    proxy_fields: tuple[str, ...] | None = None
    proxy_input: Literal["placeholder", "drop", "blank_image"] = "placeholder"
    proxy_schedule: Literal["joint", "frozen"] = "joint"
    sfc_eps: float = Field(EPSILON, gt=0)
    sfc_normalize: bool = False
    sfc_ema: float = Field(0.0, ge=0, lt=1)
    sfc_shuffle: bool = False
    save_proxy: bool = False
    seed: int = 0

    @property
    def model(self) -> str:
        """Return the model as messages call it."""
        return self.model_name_or_path

    @property
    def proxied(self) -> bool:
        """Say whether a proxy is trained, or asked, beside the model."""
        return self.reward_objective == "sfc"

    @property
    def shares_backbone(self) -> bool:
        """Say whether model and proxy are two adapters on one frozen backbone."""
        return (
            self.proxied
            and self.use_peft
            and self.proxy_schedule == "joint"
            and self.proxy_model_name_or_path in (None, self.model_name_or_path)
        )

    @property
    def hidden_fields(self) -> tuple[str, ...] | None:
        """Return the descriptions that the proxy lacks, None for all of them."""
        if self.proxy_input == "blank_image" and self.proxy_fields is None:
            return ()
        return self.proxy_fields

    @model_validator(mode="after")
    def _blank_image_of_pictures(self) -> RewardConfig:
        if self.proxy_input == "blank_image" and self.vision_model is None:
            raise ValueError(
                "proxy_input='blank_image' is for models that see pictures: give vision_model, or"
                " take 'placeholder'"
            )
        return self

    @model_validator(mode="after")
    def _proxy_for_sfc(self) -> RewardConfig:
        if self.proxy_schedule == "frozen" and self.proxy_model_name_or_path is None:
            raise ValueError(
                "proxy_schedule='frozen' needs proxy_model_name_or_path, a reward model that was"
                " trained without the descriptions"
            )
        of_proxy = ("proxy_model_name_or_path", "save_proxy", "sfc_normalize", "sfc_shuffle")
        for name in of_proxy:
            if getattr(self, name) and not self.proxied:
                raise ValueError(f"{name} is of the shortcut-aware objective: reward_objective=sfc")
        return self


def reward_config(values: Mapping[str, Any]) -> RewardConfig:
    """Return the configuration that `values` give.

    Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.

    >>> reward_config({"reward_objective": "sfc"}).proxied
    True
    """
    for name in values:
        if name not in RewardConfig.model_fields:
            raise ConfigError(unknown("key of reward", name, RewardConfig.model_fields))
    try:
        return RewardConfig.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(first_problem(error, "reward")) from error
