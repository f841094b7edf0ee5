"""Rival ways to balance modalities, each an objective that takes the place of CRMT's."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from textcentric.methods.crmt.config import CrmtConfig
from textcentric.methods.crmt.gradient_blending import GradientBlending
from textcentric.methods.crmt.mcr import Mcr
from textcentric.methods.crmt.model import FusionModel
from textcentric.methods.crmt.ogm_ge import OgmGe
from textcentric.methods.crmt.pmr import Pmr

RIVALS: dict[str, Callable[[FusionModel, CrmtConfig], nn.Module]] = {
    "gradient-blending": GradientBlending,
    "mcr": Mcr,
    "ogm-ge": OgmGe,
    "pmr": Pmr,
}
