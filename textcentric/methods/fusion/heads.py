"""Which fusion model a variant has: how features become logits is part of what is saved."""

from __future__ import annotations

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.encoders import make_encoder
from textcentric.methods.fusion.inputs import Senses
from textcentric.methods.fusion.model import FusionModel
from textcentric.methods.fusion.ridge import Ridge, RidgeFusion
from textcentric.methods.fusion.rivals.experts import ExpertFusion


def make_fusion(config: CrmtConfig, senses: Senses, classes: int) -> FusionModel:
    """Return the untrained fusion model of what `senses` read."""
    encoders = {name: make_encoder(config, name, senses.size(name)) for name in senses.names}
    if config.method.fusion == "experts":
        return ExpertFusion(encoders, classes, top=config.experts_top)
    if config.method.fusion == "ridge":
        return RidgeFusion(encoders, classes, width=config.pal_width)
    orthogonal = config.method.orthogonal
    return FusionModel(
        encoders,
        classes,
        orthogonality=config.orthogonality if orthogonal else "none",
        weights_start=config.weights_start if orthogonal else None,
        absent=config.absent,
    )


def begin_state(config: CrmtConfig, classes: int) -> Ridge | None:
    """Return the state of a ridge head before its first row, None for other fusions."""
    if config.method.fusion != "ridge":
        return None
    return Ridge.begin(config.pal_width, classes, config.pal_penalty)
