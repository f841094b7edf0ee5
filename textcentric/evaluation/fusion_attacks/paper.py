"""The attacks of the CRMT paper: one step (FGM), and four of l2-PGD, along plain cross-entropy.

They overstate robustness wherever gradients are masked, and are printed beside the suite for
comparison alone. Legend: B rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from textcentric.evaluation.fusion_attacks.losses import margins, plain_cross_entropy
from textcentric.evaluation.fusion_attacks.pgd import gradients
from textcentric.evaluation.fusion_attacks.threats import (
    Target,
    Threat,
    lengths,
    moved,
    projected,
    scaled,
    within,
)

STEPS, SHARE = 4, 1 / 3  # of PGD; of the radius a step


def fgm(target: Target, threat: Threat, radius: float) -> Tensor:
    """Return which rows (B,) are still right after one step as long as the radius."""
    return _attacked(target, threat, radius, 1, 1.0)


def paper_pgd(target: Target, threat: Threat, radius: float) -> Tensor:
    """Return which rows (B,) are still right after four steps of a third of the radius."""
    return _attacked(target, threat, radius, STEPS, SHARE)


def _attacked(target: Target, threat: Threat, radius: float, steps: int, share: float) -> Tensor:
    deltas = {name: torch.zeros_like(target.batch[name]) for name in threat.shares}
    for _ in range(steps):
        _, found = gradients(target, deltas, plain_cross_entropy)
        ways = _directions(found, threat)
        step = {n: scaled(w, _full(w, share * radius * threat.shares[n])) for n, w in ways.items()}
        deltas = {name: deltas[name] + step[name] for name in deltas}
        deltas = within(target, projected(deltas, threat, radius))
    with torch.no_grad():
        return margins(target.logits(moved(target, deltas)), target.labels) > 0


def _directions(found: dict[str, Tensor], threat: Threat) -> dict[str, Tensor]:
    """Return gradients of length 1, over all modalities in a joint ball, else each; 0 stays 0."""
    if threat.joint:
        whole = 1 / lengths(found).clamp(min=1e-12)
        return {name: scaled(one, whole) for name, one in found.items()}
    each = {name: one.flatten(1).norm(dim=1).clamp(min=1e-12) for name, one in found.items()}
    return {name: scaled(one, 1 / each[name]) for name, one in found.items()}


def _full(values: Tensor, factor: float) -> Tensor:
    return torch.full((len(values),), factor, device=values.device)
