"""Pictures of figures: radius curves, ablations, learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from textcentric.metrics.intervals import Compared
from textcentric.report.curves import (
    COLOURS,
    GRID,
    MARKERS,
    SETTINGS,
    SOFT,
    SQUARE_INK,
    short,
    svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL = (3.3, 3.0)  # inches
LINES: Mapping[str, tuple[Literal["-", ":", "--"], str]] = {
    "accuracy": ("-", "worst of all attacks, 95 %"),
    "paper": (":", "paper's PGD alone"),
    "certified": ("--", "heuristic certificate"),
}
ROW = 0.42  # inches a metric
SIZE = (6.4, 3.6)  # inches, at 150 dots an inch
LOSS, METRIC = "#3b6ea5", "#c8553d"


def radius_curves(models: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw accuracy against radius as SVG, a panel for each threat and a colour for each model.

    `models` are what `robustness` of fusion models returns. Solid is what the suite leaves, dotted
    what the paper's attack leaves, dashed the share of rows that are certified at that radius.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    threats = threats_of(models)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(PANEL[0] * max(2, len(threats)), PANEL[1]), layout="constrained")
        axes = figure.subplots(1, len(threats), sharey=True, squeeze=False)[0]
        for panel, threat in zip(axes, threats, strict=True):
            for colour, found in zip(_colours(models), models.values(), strict=True):
                if threat in found["threats"]:
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


def threats_of(models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the threats that any of the models was attacked under."""
    return list(dict.fromkeys(threat for found in models.values() for threat in found["threats"]))


def _colours(models: Sized) -> list[str]:
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
    axes.set_xlabel("radius (l2, of the values read)")
    axes.set_ylim(0, 1)
    axes.set_xlim(left=0)
    axes.grid(color=GRID, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def dots(arms: Mapping[str, Mapping[str, Compared]]) -> bytes:
    """Draw every metric as a row, every arm as a dot in it with its interval, as SVG."""
    import matplotlib
    from matplotlib.figure import Figure

    metrics = list(next(iter(arms.values())))
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(6.4, 0.9 + ROW * len(metrics)), layout="constrained")
        axes = figure.add_subplot()
        for at, (arm, of) in enumerate(arms.items()):
            places = [row + 0.5 * ((at + 0.5) / len(arms) - 0.5) for row in range(len(metrics))]
            values = [of[name]["value"] for name in metrics]
            low = [v - of[n]["interval"][0] for v, n in zip(values, metrics, strict=True)]
            high = [of[n]["interval"][1] - v for v, n in zip(values, metrics, strict=True)]
            axes.errorbar(
                values,
                places,
                xerr=[[max(0.0, one) for one in low], [max(0.0, one) for one in high]],
                fmt=MARKERS[at % len(MARKERS)],
                color=COLOURS[at % len(COLOURS)],
                label=short(arm),
                markersize=4,
                linewidth=1,
            )
        axes.set_yticks(range(len(metrics)), metrics)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
        return svg(figure)


def grid(
    values: Sequence[Sequence[float]],
    rows: tuple[str, Sequence[float]],
    columns: tuple[str, Sequence[float]],
    title: str,
) -> bytes:
    """Draw a table of shares as coloured squares with their figures, as SVG.

    `rows` and `columns` are a name and its values, in the order of `values`.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        size = (1.2 + 0.85 * len(columns[1]), 1.1 + 0.6 * len(rows[1]))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        shown = axes.imshow(values, cmap="cividis", aspect="auto")
        middle = sum(shown.get_clim()) / 2
        for at, line in enumerate(values):
            for place, value in enumerate(line):
                ink = "white" if value < middle else SQUARE_INK
                axes.text(place, at, f"{100 * value:.1f}", ha="center", va="center", color=ink)
        axes.set_yticks(range(len(rows[1])), [f"{one:g}" for one in rows[1]])
        axes.set_xticks(range(len(columns[1])), [f"{one:g}" for one in columns[1]])
        axes.set_ylabel(rows[0])
        axes.set_xlabel(columns[0])
        axes.set_title(title, fontsize=9, color=SOFT)
        return svg(figure)


def draw_learning_curve(
    lines: Sequence[Mapping[str, Any]],
    path: Path,
    metric: str | None = None,
    best_step: int | None = None,
) -> None:
    """Draw the lines of `metrics.jsonl` into the PNG `path`.

    `metric` names a figure of the evaluations, by default the first one; `best_step` is marked.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=150)
    FigureCanvasAgg(figure)
    left = figure.add_axes((0.12, 0.14, 0.76, 0.82))
    steps, losses = points(lines, "loss")
    left.plot(steps, losses, color=LOSS, marker="." if len(steps) < 30 else "")
    left.set_xlabel("optimiser step")
    left.set_ylabel("training loss of a row", color=LOSS)
    left.grid(alpha=0.25)
    name = _metric(lines, metric)
    if name:
        right = left.twinx()
        right.plot(*points(lines, name), color=METRIC, marker="o", markersize=4)
        words = name.removeprefix("eval_").replace("_", " ")
        right.set_ylabel(f"{words} of held-out rows", color=METRIC)
    if best_step is not None:
        left.axvline(best_step, color=METRIC, linestyle=":", label="best weights")
        left.legend(loc="upper center", frameon=False, fontsize="small")
    figure.savefig(path)


def points(lines: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    """Return the steps and values of the lines that hold `name`.

    >>> points([{"step": 5, "loss": 0.5}, {"step": 5, "eval_accuracy": 1.0}], "loss")
    ([5], [0.5])
    """
    held = [line for line in lines if line.get(name) is not None]
    return [line["step"] for line in held], [line[name] for line in held]


def _metric(lines: Sequence[Mapping[str, Any]], wanted: str | None) -> str:
    names = [name for line in lines for name in line if name.startswith("eval_")]
    return f"eval_{wanted}" if f"eval_{wanted}" in names else next(iter(names), "")
