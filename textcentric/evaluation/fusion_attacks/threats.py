"""What an attack may do: which modalities it changes, how far, and within which bounds.

Radii are l2 lengths in units of the inputs that the model reads.
Legend: B rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

MOST_VALUES = (
    2**22
)  # of the inputs that are read at once: 15 pictures and spectrograms of ResNet-18
Batch = Mapping[str, Tensor]  # by name, rows first; modalities among others
Logits = Callable[[Batch], Tensor]  # -> (B, C), each row apart from the others


@dataclass(frozen=True)
class Threat:
    """Modalities and the share of the radius that each gets; `joint` puts all into one ball."""

    name: str
    shares: Mapping[str, float]
    joint: bool = False


@dataclass(frozen=True)
class Target:
    """A model under attack, the rows it reads, and their labels (B,).

    `boxes` bound the values of a modality (pixels), broadcast over rows; `masks` (B, ...) are 0
    where nothing may change: padding of a text, a modality that is missing.
    """

    logits: Logits
    batch: Batch
    labels: Tensor
    boxes: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    masks: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, places: Tensor) -> Target:
        """Return the same of some rows, given by their places."""
        return Target(
            self.logits,
            {name: value[places] for name, value in self.batch.items()},
            self.labels[places],
            self.boxes,
            {name: value[places] for name, value in self.masks.items()},
        )


def parts(target: Target) -> list[tuple[Target, Tensor]]:
    """Return the rows in parts whose activations fit into memory, and their places."""
    a_row = sum(value[0].numel() for value in target.batch.values()) if len(target) else 1
    most = max(1, MOST_VALUES // a_row)
    places = torch.arange(len(target), device=target.labels.device)
    if len(target) <= most:
        return [(target, places)]
    return [(target.rows(some), some) for some in places.split(most)]


def in_parts(read: Callable[[Batch], Tensor], target: Target) -> Tensor:
    """Return what `read` says of the rows (B, ...), part by part and without gradients."""
    with torch.no_grad():
        return torch.cat([read(part.batch) for part, _ in parts(target)])


def threats(names: Sequence[str], splits: int = 1) -> list[Threat]:
    """Return each modality alone, the joint ball, and joint attacks with fixed splits.

    With two modalities a split gives them (cos t, sin t) of the radius, t in `splits` equal steps
    between 0 and 90 degrees; with more all get the same.

    >>> [one.name for one in threats(["image", "audio"])]
    ['image', 'audio', 'joint', 'split 45']
    """
    found = [Threat(name, {name: 1.0}) for name in names]
    if len(names) < 2:
        return found
    found.append(Threat("joint", dict.fromkeys(names, 1.0), joint=True))
    if len(names) > 2:
        return [*found, Threat("split even", dict.fromkeys(names, len(names) ** -0.5))]
    for step in range(1, splits + 1):
        angle = math.pi / 2 * step / (splits + 1)
        shares = dict(zip(names, (math.cos(angle), math.sin(angle)), strict=True))
        found.append(Threat(f"split {math.degrees(angle):.0f}", shares))
    return found


def lengths(deltas: Mapping[str, Tensor]) -> Tensor:
    """Return the l2 length (B,) over all modalities."""
    return (
        torch.stack([one.flatten(1).square().sum(dim=1) for one in deltas.values()]).sum(0).sqrt()
    )


def scaled(values: Tensor, factors: Tensor) -> Tensor:
    """Return values (B, ...) times a factor of each row (B,)."""
    return values * factors.view(-1, *[1] * (values.ndim - 1)).to(values.dtype)


def projected(deltas: Mapping[str, Tensor], threat: Threat, radius: float) -> dict[str, Tensor]:
    """Return changes within the threat's ball, or within each modality's own."""
    if threat.joint:
        shrink = (radius / lengths(deltas).clamp(min=1e-12)).clamp(max=1)
        return {name: scaled(one, shrink) for name, one in deltas.items()}
    found = {}
    for name, one in deltas.items():
        length = one.flatten(1).norm(dim=1).clamp(min=1e-12)
        found[name] = scaled(one, (radius * threat.shares[name] / length).clamp(max=1))
    return found


def masked(masks: Mapping[str, Tensor], name: str, values: Tensor) -> Tensor:
    """Return values of a modality (B, ...), 0 where its mask says that nothing may change."""
    mask = masks.get(name)
    return values if mask is None else values * mask.to(values.dtype)


def within(target: Target, deltas: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return changes after which boxed modalities stay in their boxes, and masked places as is."""
    found = {}
    for name, one in deltas.items():
        moved = one
        if name in target.boxes:
            low, high = (side.to(one) for side in target.boxes[name])
            moved = (target.batch[name] + one).clamp(low, high) - target.batch[name]
        found[name] = masked(target.masks, name, moved)
    return found


def moved(target: Target, deltas: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the batch with the changes made."""
    return {**target.batch, **{name: target.batch[name] + one for name, one in deltas.items()}}
