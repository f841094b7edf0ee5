"""The picture of an attacked model: accuracy against radius, by attack and by certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textcentric.report.curves import COLOURS, GRID, SETTINGS, SOFT, short, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL = (3.3, 3.0)  # inches
LINES: Mapping[str, tuple[Any, str]] = {
    "accuracy": ("-", "worst of all attacks, 95 %"),
    "paper": (":", "paper's PGD alone"),
    "certified": ("--", "heuristic certificate"),
}


def radius_curves(models: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw accuracy against radius as SVG, a panel for each threat and a colour for each model.

    `models` are what `robustness` of fusion models returns. Solid is what the suite leaves, dotted
    what the paper's attack leaves, dashed the share of rows that are certified at that radius.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    threats = list(next(iter(models.values()))["threats"])
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(PANEL[0] * max(2, len(threats)), PANEL[1]), layout="constrained")
        axes = figure.subplots(1, len(threats), sharey=True, squeeze=False)[0]
        for panel, threat in zip(axes, threats, strict=True):
            for colour, found in zip(_colours(models), models.values(), strict=True):
                _draw(panel, found, threat, colour)
            _dress(panel, threat)
        axes[0].set_ylabel("accuracy")
        shown = [
            Line2D([], [], color=c, label=short(n))
            for c, n in zip(_colours(models), models, strict=True)
        ]
        shown += [Line2D([], [], color=SOFT, linestyle=s, label=n) for s, n in LINES.values()]
        figure.legend(handles=shown, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
        return svg(figure)


def _colours(models: Mapping[str, Any]) -> list[str]:
    return [COLOURS[at % len(COLOURS)] for at in range(len(models))]


def _draw(axes: Axes, found: Mapping[str, Any], threat: str, colour: str) -> None:
    told = found["threats"][threat]
    radii = [0.0, *told["radii"]]
    clean = found["clean"]
    estimates = [clean, *told["estimates"]]
    low, high = zip(*(one["interval"] for one in estimates), strict=True)
    axes.fill_between(radii, low, high, color=colour, alpha=0.15, linewidth=0)
    curves = {
        "accuracy": [one["value"] for one in estimates],
        "paper": [clean["value"], *told["paper"]["pgd"]],
    }
    certified = found["certified"].get(threat)
    if certified is not None:
        curves["certified"] = certified_shares(certified["certified"], radii)
    for kind, values in curves.items():
        axes.plot(radii, values, LINES[kind][0], color=colour, linewidth=1.5)


def certified_shares(certified: Sequence[float], radii: Sequence[float]) -> list[float]:
    """Return the share of rows whose certified radius is positive and reaches each of `radii`.

    >>> certified_shares([-0.1, 0.5, 2.0, 3.0], [0.0, 1.0])
    [0.75, 0.5]
    """
    return [sum(r > 0 and r >= radius for r in certified) / len(certified) for radius in radii]


def _dress(axes: Axes, threat: str) -> None:
    axes.set_title(threat, fontsize=9, color=SOFT)
    axes.set_xlabel("radius (standard deviations)")
    axes.set_ylim(0, 1)
    axes.set_xlim(left=0)
    axes.grid(color=GRID, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
