"""The pictures of an ablation: arms side by side with intervals, and a grid of two settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textcentric.report.curves import COLOURS, GRID, MARKERS, SETTINGS, SOFT, short, svg

ROW = 0.42  # inches a metric


def dots(arms: Mapping[str, Mapping[str, Any]]) -> bytes:
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
                ink = "white" if value < middle else "black"
                axes.text(place, at, f"{100 * value:.1f}", ha="center", va="center", color=ink)
        axes.set_yticks(range(len(rows[1])), [f"{one:g}" for one in rows[1]])
        axes.set_xticks(range(len(columns[1])), [f"{one:g}" for one in columns[1]])
        axes.set_ylabel(rows[0])
        axes.set_xlabel(columns[0])
        axes.set_title(title, fontsize=9, color=SOFT)
        return svg(figure)
