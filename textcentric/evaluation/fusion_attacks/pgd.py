"""Projected gradient ascent (arXiv 1706.06083) that does not stop where gradients are tiny.

Legend: B rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from textcentric.errors import DataError
from textcentric.evaluation.fusion_attacks.losses import Loss, margins, towards, untargeted
from textcentric.evaluation.fusion_attacks.threats import (
    Target,
    Threat,
    lengths,
    masked,
    parts,
    projected,
    scaled,
    within,
)

STEPS = 20
REACH = 2.5  # radii that all steps together could go


class Attacked(NamedTuple):
    """Of each row (B,): was it lost in any iterate, had it a gradient, how far was it moved."""

    lost: Tensor
    flat: Tensor
    length: Tensor


def pgd(
    target: Target,
    threat: Threat,
    radius: float,
    loss: Loss = untargeted,
    *,
    rivals: Tensor | None = None,
    noise: Mapping[str, Tensor] | None = None,
    steps: int = STEPS,
) -> Attacked:
    """Climb `loss` from the rows themselves, or from `noise` brought into the ball.

    With `rivals` (B,) each row is driven towards that class instead. A row is lost if any iterate
    has another class ahead or level, and is then left alone. Where the gradient is zero the
    direction is random, from `noise` if there is some. Raises DataError for outputs that are not
    finite.
    """
    told = [
        _climbed(
            part,
            threat,
            radius,
            loss,
            None if rivals is None else rivals[places],
            None if noise is None else of_rows(noise, places),
            steps,
        )
        for part, places in parts(target)
    ]
    return Attacked(*(torch.cat(column) for column in zip(*told, strict=True)))


def _climbed(
    target: Target,
    threat: Threat,
    radius: float,
    loss: Loss,
    rivals: Tensor | None,
    noise: Mapping[str, Tensor] | None,
    steps: int,
) -> Attacked:
    """Return the same for rows that are read at once."""
    rows = torch.arange(len(target), device=target.labels.device)
    lost, flat = (torch.zeros_like(rows, dtype=torch.bool) for _ in range(2))
    length = torch.zeros(len(rows), device=rows.device)
    deltas = _start(target, threat, radius, noise)
    for step in range(steps + 1):
        climbed = loss if rivals is None else towards(rivals[rows])
        ahead, found = gradients(target, deltas, climbed)
        length[rows] = lengths(deltas).to(length)
        lost[rows] = ahead <= 0
        kept = (ahead > 0).nonzero()[:, 0]
        if step == steps or not len(kept):
            break
        if len(kept) < len(rows):
            rows, target = rows[kept], target.rows(kept)
            deltas, found = of_rows(deltas, kept), of_rows(found, kept)
        drawn = None if noise is None else of_rows(noise, rows)
        ways, still = _directions(found, threat, drawn, target.masks)
        flat[rows] |= still
        size = REACH * radius / steps
        deltas = {n: deltas[n] + size * threat.shares[n] * ways[n] for n in deltas}
        deltas = within(target, projected(deltas, threat, radius))
    return Attacked(lost, flat, length)


def _start(
    target: Target, threat: Threat, radius: float, noise: Mapping[str, Tensor] | None
) -> dict[str, Tensor]:
    if noise is None:
        return {name: torch.zeros_like(target.batch[name]) for name in threat.shares}
    start = {name: scaled(noise[name], _over(noise[name], radius)) for name in threat.shares}
    return within(target, projected(start, threat, radius))


def of_rows(values: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    """Return the same by modality of some rows, given by their places."""
    return {name: one[rows] for name, one in values.items()}


def gradients(
    target: Target, deltas: Mapping[str, Tensor], loss: Loss
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the margins (B,) of moved rows, and the loss's gradient by modality.

    It is 0 where nothing may change: else a joint direction would spend length there in vain.
    """
    inputs = {
        name: (target.batch[name] + one).detach().requires_grad_() for name, one in deltas.items()
    }
    with torch.enable_grad():
        logits = target.logits({**target.batch, **inputs})
        ahead = checked(logits, target.labels)
        total = loss(logits, target.labels).sum()
        found = torch.autograd.grad(total, list(inputs.values()))
    ways = {n: masked(target.masks, n, one) for n, one in zip(inputs, found, strict=True)}
    return ahead.detach(), ways


def checked(logits: Tensor, labels: Tensor) -> Tensor:
    """Return margins (B,); raises DataError where logits are not finite."""
    finite = torch.isfinite(logits).all(dim=1)
    if not bool(finite.all()):
        raise DataError(
            f"the model gives logits that are not finite for {int((~finite).sum())} of"
            f" {len(logits)} attacked rows, so nothing can be said of its robustness; look at its"
            " weights and the range of its inputs"
        )
    return margins(logits, labels)


def _directions(
    found: Mapping[str, Tensor],
    threat: Threat,
    noise: Mapping[str, Tensor] | None,
    masks: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], Tensor]:
    """Return directions of length 1, and which rows (B,) have no gradient in some modality.

    Gradients are first divided by their largest value, so that tiny ones do not vanish in a square.
    """
    if not threat.joint:
        each = {name: _unit({name: one}, noise, masks) for name, one in found.items()}
        flat = torch.stack([still for _, still in each.values()]).any(dim=0)
        return {name: ways[name] for name, (ways, _) in each.items()}, flat
    return _unit(found, noise, masks)


def _unit(
    found: Mapping[str, Tensor], noise: Mapping[str, Tensor] | None, masks: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], Tensor]:
    """Return directions of length 1 together; those of rows without a gradient are random.

    Rows that may not change at all stay where they are, and are not counted.
    """
    largest = torch.stack([one.flatten(1).abs().amax(dim=1) for one in found.values()]).amax(dim=0)
    safe = largest.masked_fill(largest == 0, 1)  # 1 / largest may be infinite
    ways = {name: one / safe.view(-1, *[1] * (one.ndim - 1)) for name, one in found.items()}
    free = torch.stack([_free(masks, name, one) for name, one in found.items()]).any(dim=0)
    flat = (largest == 0) & free
    if bool(flat.any()):
        ways = {
            name: masked(masks, name, _filled(one, flat, None if noise is None else noise[name]))
            for name, one in ways.items()
        }
    length = lengths(ways).clamp(min=1e-30)
    return {name: scaled(one, 1 / length) for name, one in ways.items()}, flat


def _free(masks: Mapping[str, Tensor], name: str, values: Tensor) -> Tensor:
    """Return which rows (B,) may change in a modality."""
    mask = masks.get(name)
    if mask is None:
        return values.new_ones(len(values), dtype=torch.bool)
    return mask.flatten(1).bool().any(dim=1)


def _filled(ways: Tensor, flat: Tensor, noise: Tensor | None) -> Tensor:
    """Return directions, those of `flat` rows random."""
    drawn = torch.randn_like(ways) if noise is None else noise
    return torch.where(flat.view(-1, *[1] * (ways.ndim - 1)), drawn, ways)


def _over(noise: Tensor, radius: float) -> Tensor:
    """Return what brings noise (B, ...) to the length of the radius (B,)."""
    norms: Tensor = noise.flatten(1).norm(dim=1)
    return radius / norms.clamp(min=1e-12)
