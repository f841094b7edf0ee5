"""What can be chosen about a fusion model: encoders, classifier, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from textcentric.config import first_problem
from textcentric.errors import ConfigError, unknown
from textcentric.methods.crmt.bound import Over, TauKind
from textcentric.methods.crmt.objective import MARGIN_EPS
from textcentric.methods.crmt.orthogonal import Orthogonality

Inputs = Literal["clean", "adversarial", "mixed"]


@dataclass(frozen=True)
class Variant:
    """A method of the paper or a rival: what it adds to cross-entropy on joined features.

    `orthogonal` keeps weights a and a normalised classifier, `margin` adds the first step's loss,
    `second` the second step; `rival` names the file of a rival's objective.
    """

    orthogonal: bool = False
    margin: bool = False
    second: bool = False
    inputs: Inputs = "clean"
    rival: str | None = None


VARIANTS: dict[str, Variant] = {
    "jt": Variant(),
    "ojt": Variant(orthogonal=True),
    "crmt-step-1": Variant(orthogonal=True, margin=True),
    "crmt-step-2": Variant(orthogonal=True, second=True),
    "crmt-jt": Variant(orthogonal=True, margin=True, second=True),
    "crmt-at": Variant(orthogonal=True, margin=True, second=True, inputs="adversarial"),
    "crmt-mix": Variant(orthogonal=True, margin=True, second=True, inputs="mixed"),
    "mmat": Variant(inputs="adversarial"),
    "mixup": Variant(inputs="mixed"),
    "ogm-ge": Variant(rival="ogm-ge"),
    "pmr": Variant(rival="pmr"),
    "gradient-blending": Variant(rival="gradient-blending"),
    "mcr": Variant(rival="mcr"),
}


class CrmtConfig(BaseModel):
    """Modalities and encoders, classifier, first and second step, training inputs, rivals.

    Modalities: those named, else all that training rows have. `encoders` maps one to "resnet18"
    (image, audio), "conv" (the same at a small size), "packaged", a hub name or a folder (text),
    or "mlp" (table); pictures are `image_side` pixels a side, sounds `mel_bins` x `mel_frames`
    log-mel values (10 ms a frame). `width` is that of features where the encoder leaves it open.
    Classifier: `orthogonality` is the paper's "own", the released "rownorm", or "none";
    `weights_start` the first value of every modality weight a.
    First step: `rho` times the margin loss, "logsumexp" with `margin_eps` (0: as printed) or
    "hinge".
    Second step: mean radius over the `bound` ("minimum", or the released "runner-up") with `tau`
    ("correct" or "released"), `second_steps` of Adam.
    Adversarial inputs: `attack_steps` of l2 gradient ascent in a joint ball of `attack_radius`, in
    units of normalised inputs (of one standard deviation).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    variant: str = "crmt-jt"
    modalities: tuple[str, ...] | None = None
    encoders: dict[str, str] = {}
    width: int = Field(512, ge=2)
    image_side: int = Field(224, ge=8)
    image_channels: Literal[1, 3] = 3
    mel_bins: int = Field(128, ge=8)
    mel_frames: int = Field(1024, ge=8)
    max_length: int = Field(128, ge=8)
    layers: int | None = Field(None, ge=1)

    orthogonality: Orthogonality = "own"
    weights_start: float = Field(0.1, gt=0)
    rho: float = Field(2.0, ge=0)
    margin: Literal["logsumexp", "hinge"] = "logsumexp"
    margin_eps: float = Field(MARGIN_EPS, ge=0, lt=1)

    bound: Over = "minimum"
    tau: TauKind = "correct"
    second_steps: int = Field(400, ge=1)
    second_learning_rate: float = Field(0.01, gt=0)

    attack_radius: float = Field(0.1, gt=0)
    attack_steps: int = Field(5, ge=1)

    ogm_alpha: float = Field(0.3, ge=0)
    pmr_weight: float = Field(0.6, ge=0)
    pmr_momentum: float = Field(0.5, ge=0, lt=1)
    mcr_weight: float = Field(0.01, ge=0)
    mcr_contrast: float = Field(1.0, ge=0)
    mcr_single: float = Field(0.01, ge=0)
    mcr_game: Literal[-1, 0, 1] = -1
    mcr_permutations: int = Field(32, ge=1)
    seed: int = 0

    @field_validator("variant")
    @classmethod
    def _known_variant(cls, value: str) -> str:
        if value not in VARIANTS:
            raise ValueError(unknown("variant", value, VARIANTS))
        return value

    @property
    def method(self) -> Variant:
        """Return what the variant is made of."""
        return VARIANTS[self.variant]


def crmt_config(values: Mapping[str, Any]) -> CrmtConfig:
    """Return the configuration that `values` give.

    Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.

    >>> crmt_config({"variant": "ojt"}).method.margin
    False
    """
    for name in values:
        if name not in CrmtConfig.model_fields:
            raise ConfigError(unknown("key of crmt", name, CrmtConfig.model_fields))
    try:
        return CrmtConfig.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(first_problem(error, "crmt")) from error
