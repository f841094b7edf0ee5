"""Checks that an attack has done its work; a failed one makes its figures worthless.

Legend: B rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from textcentric.evaluation.fusion_attacks.losses import margins, tempered, untargeted
from textcentric.evaluation.fusion_attacks.pgd import pgd
from textcentric.evaluation.fusion_attacks.suite import Curve
from textcentric.evaluation.fusion_attacks.threats import Target, Threat, in_parts, masked

TEMPERATURES = (0.1, 1.0, 10.0, 100.0)
HUGE = 1e3  # times the length of a row's inputs


def by_temperature(target: Target, threat: Threat, radius: float) -> dict[float, float]:
    """Return the accuracy under cross-entropy of logits over a temperature, for each of some.

    The temperature changes no prediction: accuracies more than a point apart tell of gradients
    that vanish.
    """
    found = {}
    for temperature in TEMPERATURES:
        lost = pgd(target, threat, radius, tempered(temperature)).lost
        found[temperature] = float((~lost).double().mean())
    return found


def under_a_huge_attack(target: Target, names: Sequence[str]) -> float:
    """Return the accuracy where modalities may change without bounds: 0, if the attack works."""
    free = replace(target, boxes={})
    length = max(float(target.batch[name].flatten(1).norm(dim=1).max()) for name in names)
    joint = Threat("all", dict.fromkeys(names, 1.0), joint=True)
    told = pgd(free, joint, HUGE * max(length, 1.0), untargeted)
    return float((~told.lost).double().mean())


def by_swapping(target: Target, name: str, radius: float, tries: int = 20, seed: int = 0) -> Tensor:
    """Return which rows (B,) stay right where a modality is moved towards another row's.

    No gradient is used, so an attack by gradients must leave no more than these.
    """
    generator = torch.Generator().manual_seed(seed)
    right = torch.ones(len(target), dtype=torch.bool, device=target.labels.device)
    value = target.batch[name]
    for _ in range(tries):
        order = torch.randperm(len(target), generator=generator).to(value.device)
        way = masked(target.masks, name, value[order] - value)
        length = way.flatten(1).norm(dim=1).clamp(min=1e-12)
        share = (radius / length).clamp(max=1).view(-1, *[1] * (value.ndim - 1))
        swapped = replace(target, batch={**target.batch, name: value + share * way})
        right &= margins(in_parts(target.logits, swapped), target.labels) > 0
    return right


def flips_within(curve: Curve, certified: Tensor, share: float = 0.99) -> int:
    """Return how many rows were lost at a radius below `share` of their certified one (B,).

    More than 0 says that the certificate is none: its constants are too small.
    """
    radii = torch.tensor(curve.radii)[:, None]
    below = radii <= share * certified.cpu()[None]
    return int((below & ~curve.survived.cpu() & curve.clean.cpu()[None]).any(dim=0).sum())
