"""Cells to a table: every arm's figures with intervals, and its difference from the first arm.

Rows are drawn, the same for every arm, and seeds are pooled: an interval speaks of other test
rows; the seeds' own figures are beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from textcentric.evaluation.ablation.cells import Found
from textcentric.metrics.intervals import Compared, Estimate, Resampled

Groups = Mapping[str, Sequence[str | None] | None]  # of the rows of each metric


class Summary(TypedDict):
    """The figures of an ablation, by arm and metric."""

    seeds: int
    arms: dict[str, dict[str, Compared]]


def summary(found: Found, groups: Groups) -> Summary:
    """Return, by arm and metric, value, 95 % interval, difference from the first arm, seeds."""
    arms = list(dict.fromkeys(arm for arm, _ in found))
    seeds = sorted({seed for _, seed in found})
    metrics = list(next(iter(found.values())))
    drawn = {
        name: Resampled(len(next(iter(found.values()))[name]), groups=groups.get(name))
        for name in metrics
    }
    estimates = {
        (arm, name): _pooled(found, arm, seeds, name, drawn[name])
        for arm in arms
        for name in metrics
    }
    return {
        "seeds": len(seeds),
        "arms": {
            arm: {
                name: {
                    **estimates[arm, name].figure(),
                    "difference": (estimates[arm, name] - estimates[arms[0], name]).figure(),
                    "by_seed": [float(np.mean(found[arm, seed][name])) for seed in seeds],
                }
                for name in metrics
            }
            for arm in arms
        },
    }


def _pooled(found: Found, arm: str, seeds: Sequence[int], name: str, drawn: Resampled) -> Estimate:
    values = np.mean([found[arm, seed][name] for seed in seeds], axis=0)
    return drawn.mean(values)


def as_table(told: Summary) -> str:
    """Return the summary as a Markdown table, in points of 100, a line for each arm.

    What differs from the first arm by more than chance (95 %) is marked.
    """
    arms = told["arms"]
    metrics = list(next(iter(arms.values())))
    lines = ["| | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 1) + "|"]
    for arm, of in arms.items():
        cells = (_cell(of[name]) for name in metrics)
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(of: Compared) -> str:
    low, high = (100 * side for side in of["interval"])
    mark = ""
    if of["difference"]["interval"][0] > 0:
        mark = " ↑"
    elif of["difference"]["interval"][1] < 0:
        mark = " ↓"
    return f"{100 * of['value']:.1f} [{low:.1f}, {high:.1f}]{mark}"
