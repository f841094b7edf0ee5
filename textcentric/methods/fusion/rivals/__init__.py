"""Rival ways to balance modalities, each an objective that takes the place of CRMT's."""

from __future__ import annotations

from collections.abc import Callable

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.model import FusionModel
from textcentric.methods.fusion.rivals.balancing import Balancing
from textcentric.methods.fusion.rivals.cib import Cib
from textcentric.methods.fusion.rivals.experts import Experts
from textcentric.methods.fusion.rivals.gradient_blending import GradientBlending
from textcentric.methods.fusion.rivals.mcr import Mcr
from textcentric.methods.fusion.rivals.mfcpl import Mfcpl
from textcentric.methods.fusion.rivals.ogm_ge import OgmGe
from textcentric.methods.fusion.rivals.pmr import Pmr
from textcentric.methods.fusion.rivals.umurl import Umurl

RIVALS: dict[str, Callable[[FusionModel, CrmtConfig], Balancing]] = {
    "cib": Cib,
    "experts": Experts,
    "gradient-blending": GradientBlending,
    "mcr": Mcr,
    "mfcpl": Mfcpl,
    "ogm-ge": OgmGe,
    "pmr": Pmr,
    "umurl": Umurl,
}
