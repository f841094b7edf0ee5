"""How many rows survive the strongest attack, radius by radius: a figure that can be believed.

Robust accuracy at a radius is the share of rows that no attack flips within it or any smaller one,
so it falls by construction. Untargeted margin and scaled cross-entropy are tried on all rows, each
from the row itself and from a random start; what is still right then meets a targeted margin attack
towards every other class. The paper's own attacks are read beside them.
Legend: B rows, C classes, R radii.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from textcentric.errors import ConfigError
from textcentric.evaluation.fusion_attacks.losses import Loss, scaled_cross_entropy, untargeted
from textcentric.evaluation.fusion_attacks.paper import fgm, paper_pgd
from textcentric.evaluation.fusion_attacks.pgd import STEPS, checked, of_rows, pgd
from textcentric.evaluation.fusion_attacks.threats import Target, Threat, in_parts, parts
from textcentric.values import Json

STARTS = ("row", "noise")
ON_ALL: Mapping[str, Loss] = {"margin": untargeted, "cross-entropy": scaled_cross_entropy}
MOST_TARGETS, ALL_UP_TO = 9, 20  # classes that are tried where there are more than ALL_UP_TO
RISE, MASKED = 0.01, 0.02  # of accuracy: a curve that rises, losses that disagree
STUCK = 0.9  # of the radius


@dataclass(frozen=True)
class Curve:
    """What one threat does: which rows (R, B) survive each radius, by all attacks and by each.

    `clean` (B,) are right without an attack; `attacks` are those of this radius alone; `paper` are
    its FGM and PGD. `signs` are shares of rows that warn of a masked gradient.
    """

    threat: str
    radii: tuple[float, ...]
    clean: Tensor
    survived: Tensor
    attacks: Mapping[str, Tensor]
    paper: Mapping[str, Tensor]
    signs: Mapping[str, float]
    warnings: tuple[str, ...] = field(default=())

    @property
    def accuracy(self) -> list[float]:
        """Return the robust accuracy at each radius."""
        return _shares(self.survived)

    def plain(self) -> dict[str, Json]:
        """Return everything as JSON values; of rows, the smallest radius that lost each."""
        return {
            "threat": self.threat,
            "radii": list(self.radii),
            "clean": float(self.clean.double().mean()),
            "accuracy": self.accuracy,
            "attacks": {name: _shares(one) for name, one in self.attacks.items()},
            "paper": {name: _shares(one) for name, one in self.paper.items()},
            "lost_at": smallest_radius(self).tolist(),
            "signs": dict(self.signs),
            "warnings": list(self.warnings),
        }


def attack(
    target: Target, threat: Threat, radii: Sequence[float], *, seed: int = 0, steps: int = STEPS
) -> Curve:
    """Return what `threat` does to the rows of `target` at each radius.

    Raises ConfigError for radii that are not positive, DataError for logits that are not finite.

    >>> attack(target, Threat("image", {"image": 1.0}), [0.5, 1.0]).accuracy      # doctest: +SKIP
    [0.91, 0.74]
    """
    if not radii or min(radii) <= 0:
        raise ConfigError(f"radii are {list(radii)}, expected at least one, all above 0")
    radii = tuple(sorted(radii))
    noise = _noise(target, threat, seed)
    logits = in_parts(target.logits, target)
    clean = checked(logits, target.labels) > 0
    curve: dict[str, list[Tensor]] = {f"{n} from {start}": [] for n in ON_ALL for start in STARTS}
    curve["targeted"] = []
    paper: dict[str, list[Tensor]] = {"fgm": [], "pgd": []}
    alive, survived, flat, stuck = (
        clean.clone(),
        [],
        torch.zeros_like(clean),
        torch.zeros_like(clean),
    )
    for radius in radii:
        for name, loss in ON_ALL.items():
            for start in STARTS:
                drawn = noise if start == "noise" else None
                told = pgd(target, threat, radius, loss, noise=drawn, steps=steps)
                curve[f"{name} from {start}"].append(clean & ~told.lost)
                alive &= ~told.lost
                flat |= told.flat
                stuck = clean & ~told.lost & (told.length < STUCK * radius)
        lost = _targeted(target, threat, radius, logits, alive, noise, steps)
        alive &= ~lost
        curve["targeted"].append(alive.clone())
        survived.append(alive.clone())
        paper["fgm"].append(_paper(fgm, target, threat, radius))
        paper["pgd"].append(_paper(paper_pgd, target, threat, radius))
    signs = {
        "no gradient": float(flat.double().mean()),
        "p = 1 in float32": float((_chance(logits, target.labels) == 1).double().mean()),
        "stuck": float(stuck.double().mean()),
    }
    of = {name: torch.stack(one) for name, one in curve.items()}
    return Curve(
        threat.name,
        radii,
        clean,
        torch.stack(survived),
        of,
        {name: torch.stack(one) for name, one in paper.items()},
        signs,
        tuple(_warnings(of, radii)),
    )


def smallest_radius(curve: Curve) -> Tensor:
    """Return the smallest radius of the grid at which each row (B,) was lost.

    0 where it was wrong from the start, infinite where it survived all.
    """
    radii = torch.tensor([0.0, *curve.radii, torch.inf])
    survived = torch.cat([curve.clean[None], curve.survived]).sum(dim=0).cpu()  # (B,)
    return radii[survived]


def with_one_missing(target: Target, name: str, fill: str = "zero") -> Tensor:
    """Return which rows (B,) are right without a modality: zeros in its place, or its mean row."""
    value = target.batch[name]
    filled = (
        torch.zeros_like(value) if fill == "zero" else value.mean(0, keepdim=True).expand_as(value)
    )
    without = Target(target.logits, {**target.batch, name: filled}, target.labels)
    return checked(in_parts(without.logits, without), without.labels) > 0


def _targeted(
    target: Target,
    threat: Threat,
    radius: float,
    logits: Tensor,
    alive: Tensor,
    noise: Mapping[str, Tensor],
    steps: int,
) -> Tensor:
    """Return which of the rows (B,) that are alive a targeted attack flips."""
    lost = torch.zeros_like(alive)
    for rank in range(_targets(logits.shape[1])):
        for start in (None, noise):
            places = (alive & ~lost).nonzero()[:, 0]
            if not len(places):
                return lost
            lost[places] = pgd(
                target.rows(places),
                threat,
                radius,
                rivals=_rivals(logits, target.labels)[places, rank],
                noise=start and of_rows(start, places),
                steps=steps,
            ).lost
    return lost


def _rivals(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the other classes of each row (B, C - 1), the likeliest first."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.argsort(dim=1, descending=True)[:, :-1]


def _targets(classes: int) -> int:
    return classes - 1 if classes <= ALL_UP_TO else MOST_TARGETS


def _noise(target: Target, threat: Threat, seed: int) -> dict[str, Tensor]:
    """Return normal noise of every row, the same whatever else is attacked."""
    found = {}
    for at, name in enumerate(sorted(threat.shares)):
        value = target.batch[name]
        generator = torch.Generator().manual_seed(1000 * seed + at)
        drawn = torch.randn(value.shape, generator=generator).to(value)
        mask = target.masks.get(name)
        found[name] = drawn if mask is None else drawn * mask.to(drawn)
    return found


def _paper(
    which: Callable[[Target, Threat, float], Tensor], target: Target, threat: Threat, radius: float
) -> Tensor:
    return torch.cat([which(part, threat, radius) for part, _ in parts(target)])


def _chance(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.float().softmax(dim=1).gather(1, labels[:, None])[:, 0]


def _shares(rows: Tensor) -> list[float]:
    found: list[float] = rows.double().mean(dim=1).tolist()
    return found


def _warnings(curve: Mapping[str, Tensor], radii: Sequence[float]) -> list[str]:
    """Say where curves of single attacks rise, and where losses disagree."""
    found = []
    for name, one in curve.items():
        for (less, more), (near, far) in zip(pairwise(_shares(one)), pairwise(radii), strict=True):
            if more > less + RISE:
                found.append(
                    f"{name}: accuracy rises from {less:.3f} at radius {near:g} to {more:.3f} at"
                    f" {far:g}; gradients may be masked"
                )
    by_loss = {
        name: torch.stack([curve[f"{name} from {start}"] for start in STARTS]).all(dim=0)
        for name in ON_ALL
    }
    for at, radius in enumerate(radii):
        first, second = (float(one[at].double().mean()) for one in by_loss.values())
        if abs(first - second) > MASKED:
            found.append(
                f"radius {radius:g}: {first:.3f} by {' and '.join(by_loss)} {second:.3f}; gradients"
                " may be masked"
            )
    return found
