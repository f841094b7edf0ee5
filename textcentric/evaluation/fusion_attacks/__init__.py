"""Attacks on classifiers of several modalities: threats, losses, the suite, and its checks."""

from __future__ import annotations

from textcentric.evaluation.fusion_attacks.sanity import (
    by_swapping,
    by_temperature,
    flips_within,
    under_a_huge_attack,
)
from textcentric.evaluation.fusion_attacks.suite import (
    Curve,
    attack,
    smallest_radius,
    with_one_missing,
)
from textcentric.evaluation.fusion_attacks.threats import Target, Threat, threats

__all__ = [
    "Curve",
    "Target",
    "Threat",
    "attack",
    "by_swapping",
    "by_temperature",
    "flips_within",
    "smallest_radius",
    "threats",
    "under_a_huge_attack",
    "with_one_missing",
]
