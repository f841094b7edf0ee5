"""What attacks and missing modalities leave of a fusion model, and what its radius promised.

Legend: B rows, M modalities, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from textcentric.evaluation.fusion_attacks import (
    Curve,
    Target,
    Threat,
    attack,
    by_swapping,
    by_temperature,
    flips_within,
    smallest_radius,
    threats,
    under_a_huge_attack,
    with_one_missing,
)
from textcentric.evaluation.fusion_attacks.threats import Batch, in_parts
from textcentric.methods.fusion.crmt.radius import LINEAR_ALONE
from textcentric.methods.fusion.method import Crmt
from textcentric.metrics.intervals import Figure, Resampled
from textcentric.rows import Record
from textcentric.values import Json

HEURISTIC = "heuristic: tau is the largest gradient of training rows, not a Lipschitz constant"


def target_of(method: Crmt, rows: Sequence[Record]) -> Target:
    """Return the model and rows as what is attacked, all rows in one batch."""
    method.model.eval()
    (batch,) = method.opened(rows, len(rows))
    device = batch["labels"].device
    found = ((name, method.senses.box(name)) for name in method.names)
    boxes = {n: (box[0].to(device), box[1].to(device)) for n, box in found if box is not None}
    masks = {name: _mask(batch, at, name) for at, name in enumerate(method.names)}
    rows_of_classes = {n: one.detach() for n, one in method.fusion.class_rows().items()}

    def logits(moved: Batch) -> Tensor:
        return method.fusion.read(moved, rows_of_classes).logits

    return Target(logits, batch, batch["labels"], boxes, masks)


@contextmanager
def learning_nothing(model: nn.Module) -> Iterator[None]:
    """Hold the weights meanwhile, so that gradients of inputs alone are prepared for."""
    learning = [one for one in model.parameters() if one.requires_grad]
    for one in learning:
        one.requires_grad_(False)
    try:
        yield
    finally:
        for one in learning:
            one.requires_grad_(True)


def narrowed(method: Crmt, target: Target, threat: Threat) -> Target:
    """Return the target with the features of what the threat leaves alone computed once."""
    others = [name for name in method.names if name not in threat.shares]
    if not others:
        return target
    kept = {name: value for name, value in target.batch.items() if name not in others}
    known = {
        f"{name}_features": in_parts(partial(_feature, method, name), target) for name in others
    }
    return replace(target, batch=kept | known)


def _feature(method: Crmt, name: str, batch: Batch) -> Tensor:
    found: Tensor = method.fusion.encoder(name)(batch[name], batch.get(f"{name}_mask"))
    return found


def _mask(batch: dict[str, Tensor], at: int, name: str) -> Tensor:
    """Return 1 where a modality may change: where it is present, and no padding."""
    value, present = batch[name], batch["present"][:, at]
    mask = present.view(-1, *[1] * (value.ndim - 1)).expand_as(value)
    padding = batch.get(f"{name}_mask")
    return mask if padding is None else mask * padding[:, :, None].to(mask)


def robustness(
    method: Crmt,
    rows: Sequence[Record],
    radii: Sequence[float],
    *,
    only: Sequence[str] | None = None,
    checks: bool = True,
    seed: int = 0,
    note: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Return, as JSON values, what every threat does at every radius, and the nine metrics.

    `only` names threats (of `attacks.threats`); `checks` are those of the attacks themselves. The
    nine metrics are those of the paper at the first radius (clean, FGM and PGD on all and on each
    modality, each modality missing), by its own attacks; the suite's figures are in `threats`.
    Intervals are 95 %, bootstrap over rows, Wilson's where all rows are alike; they rest on `units`
    rows, or groups of rows where there are three or more `groups`. `constant` is the share of the
    commonest class of these rows. `note` is told of each threat when it is done.
    """
    target = target_of(method, rows)
    groups = [row.group for row in rows]
    drawn = Resampled(len(rows), groups=groups if len(set(groups)) > 2 else None)
    wanted = [one for one in threats(method.names) if only is None or one.name in only]
    curves = {}
    for number, one in enumerate(wanted, 1):
        with learning_nothing(method.model):
            found = attack(narrowed(method, target, one), one, radii, seed=seed)
        curves[one.name] = found
        left = ", ".join(f"{value:.3f}" for value in found.accuracy)
        note(f"{number} of {len(wanted)} threats, {one.name}: {left} left")
    clean = next(iter(curves.values())).clean
    return {
        "variant": method.config.variant,
        "rows": len(rows),
        "units": drawn.units,
        "groups": len(set(groups) - {None}),
        "constant": float(target.labels.bincount().max()) / len(rows),
        "radii": sorted(radii),
        "clean": _estimate(drawn, clean),
        "missing": {
            name: {
                fill: _estimate(drawn, _without(method, target, name, fill))
                for fill in ("zero", "mean")
            }
            for name in method.names
        },
        "threats": {name: _told(drawn, one) for name, one in curves.items()},
        "certified": _certified(method, rows, curves),
        "sanity": _sanity(target, method, curves, max(radii), seed) if checks else {},
    }


def _told(drawn: Resampled, curve: Curve) -> dict[str, object]:
    """Return a curve with intervals of its robust accuracy."""
    return {**curve.plain(), "estimates": [_estimate(drawn, one) for one in curve.survived]}


def _estimate(drawn: Resampled, right: Tensor) -> Figure:
    return drawn.share(right.double().cpu().numpy())


def _certified(method: Crmt, rows: Sequence[Record], curves: dict[str, Curve]) -> dict[str, Json]:
    """Return the certified radius of each row beside the smallest that an attack needed.

    A row that is predicted wrong has a negative radius, which certifies nothing: `share` is that of
    the rows with a certificate, `median_right` the median of their radii (0 where there are none),
    and in `median`, that of all rows, the others count as 0.
    """
    if not method.fusion.linear:
        return {"means": f"none: {LINEAR_ALONE}"}
    if method.tau is None:
        return {}
    found: dict[str, Json] = {"means": HEURISTIC}
    for name, curve in curves.items():
        if name.startswith("split"):
            continue
        modality = method.names.index(name) if name in method.names else None
        radii = method.radius(rows, modality=modality)
        right = radii > 0
        found[name] = {
            "share": float(right.double().mean()),
            "median": float(radii.clamp(min=0).median()),
            "median_right": float(radii[right].median()) if right.any() else 0.0,
            "flips_within": flips_within(curve, radii),
            "certified": [round(value, 6) for value in radii.tolist()],
            "lost_at": smallest_radius(curve).tolist(),
        }
    return found


def _sanity(
    target: Target, method: Crmt, curves: dict[str, Curve], radius: float, seed: int
) -> dict[str, Json]:
    """Return the checks of the attacks themselves (see `fusion_attacks.sanity`)."""
    alone = [name for name in method.names if name in curves]
    swaps = {}
    for name in alone:
        swapped = by_swapping(target, name, radius, seed=seed)
        swaps[name] = int((curves[name].survived[-1] & ~swapped).sum())
    return {
        "accuracy_under_a_huge_attack": under_a_huge_attack(target, method.names),
        "flipped_by_swapping_alone": swaps,
        "by_temperature": {
            name: _tempered(method, target, Threat(name, {name: 1.0}), radius) for name in alone
        },
    }


def _tempered(method: Crmt, target: Target, threat: Threat, radius: float) -> dict[str, float]:
    found = by_temperature(narrowed(method, target, threat), threat, radius)
    return {f"{temperature:g}": accuracy for temperature, accuracy in found.items()}


def _without(method: Crmt, target: Target, name: str, fill: str = "zero") -> Tensor:
    """Return which rows (B,) are right without a modality; where zeros fill it, it is absent."""
    present = target.batch["present"].clone()
    present[:, method.names.index(name)] *= fill != "zero"
    absent = replace(target, batch={**target.batch, "present": present})
    return with_one_missing(absent, name, fill)


def right_under(method: Crmt, rows: Sequence[Record], radius: float) -> dict[str, list[float]]:
    """Return 1 for each row that is right, else 0, by the paper's nine metrics and the worst case.

    Of M modalities there are 3 + 3 M of the paper's; "worst" is what no attack of the suite flips
    within the radius, for each modality and for all.
    """
    target = target_of(method, rows)
    tried = [one for one in threats(method.names) if not one.name.startswith("split")]
    with learning_nothing(method.model):
        curves = {
            one.name: attack(narrowed(method, target, one), one, [radius])
            for one in sorted(tried, key=lambda one: one.name != "joint")
        }
    found = {"clean": next(iter(curves.values())).clean}
    for kind in ("fgm", "pgd"):
        found |= {f"{kind.upper()}{_mark(n)}": one.paper[kind][0] for n, one in curves.items()}
    found |= {f"missing {name}": _without(method, target, name) for name in method.names}
    found |= {f"worst{_mark(name)}": one.survived[0] for name, one in curves.items()}
    return {name: one.double().tolist() for name, one in found.items()}


def _mark(threat: str) -> str:
    return "" if threat == "joint" else f" #{threat}"


def nine_metrics(found: Mapping[str, Any], at: int = 0) -> dict[str, float]:
    """Return the nine metrics of the paper, at one radius of what `robustness` returned.

    For M modalities there are 3 + 3 M of them.
    """
    names = list(found["missing"])
    told = {"clean": found["clean"]["value"]}
    for threat in ["joint", *names] if len(names) > 1 else names:
        if threat in found["threats"]:
            paper, mark = found["threats"][threat]["paper"], _mark(threat)
            told |= {f"FGM{mark}": paper["fgm"][at], f"PGD{mark}": paper["pgd"][at]}
    return told | {f"missing {n}": found["missing"][n]["zero"]["value"] for n in names}
