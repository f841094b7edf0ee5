"""The learning curve of a training as a picture: loss and held-out metric against steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SIZE = (6.4, 3.6)  # inches, at 150 dots an inch
LOSS, METRIC = "#3b6ea5", "#c8553d"


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
