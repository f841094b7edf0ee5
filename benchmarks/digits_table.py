"""The tables of `benchmarks.digits`, from the results that it keeps.

    python -m benchmarks.digits_table runs/digits

Rows of all seeds are pooled. Seed 1 tests on the speaker whom `--choose` chose settings on; seeds 0
and 2 (`--seeds 0,2`) are those that the choice has not seen. Intervals are 95 %, bootstrap over
rows, paired between models.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.digits import shown as in_names
from textcentric.metrics.intervals import Estimate, Resampled

Runs = list[dict[str, Any]]  # of one model, seed by seed
FIRST = "jt"  # that others are compared with
ALL = ("clean", "missing image", "image alone", "missing audio", "audio alone")
PAIRS = (("crmt-at", "mmat"), ("crmt-jt", "crmt-step-1"))


def results(folder: Path, split: str, seeds: Sequence[int]) -> dict[str, Runs]:
    """Return the results of each model that has all `seeds`."""
    found: defaultdict[str, Runs] = defaultdict(list)
    for path in sorted(folder.glob(f"*-{split}.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["cell"]["seed"] not in seeds:
            continue
        changes = ", ".join(f"{name} {in_names(value)}" for name, value in told["cell"]["changes"])
        found[f"{told['variant']}{f' ({changes})' if changes else ''}"].append(told)
    whole = {name: runs for name, runs in found.items() if len(runs) == len(seeds)}
    return dict(sorted(whole.items(), key=lambda one: one[0] != FIRST))


def survives(runs: Runs, threat: str, radius: float) -> np.ndarray:
    """Return which attacked rows of all seeds survive a threat at a radius."""
    lost = [value for run in runs for value in run["threats"][threat]["lost_at"]]
    return (np.array(lost) > radius).astype(float)


def pooled(runs: Runs, metric: str) -> np.ndarray:
    """Return 1 for every row of all seeds that is right, else 0."""
    return np.array([value for run in runs for value in run["right"][metric]], float)


def weak(runs: Runs, threat: str, at: int) -> float:
    """Return what the paper's own PGD leaves."""
    return float(np.mean([run["threats"][threat]["paper"]["pgd"][at] for run in runs]))


def shown(estimate: Estimate) -> str:
    low, high = estimate.interval
    return f"{100 * estimate.value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def table(head: str, columns: Sequence[str], lines: Mapping[str, Iterable[str]]) -> None:
    print(f"\n| {head} | {' | '.join(columns)} |\n{'|---' * (len(columns) + 1)}|")
    for name, cells in lines.items():
        print(f"| {name} | {' | '.join(cells)} |")


def of_all_rows(found: Mapping[str, Runs], first: str, metrics: Sequence[str]) -> None:
    """Print the accuracy of all rows under metrics, and how it differs from the first model's."""
    drawn = Resampled(len(pooled(found[first], metrics[0])))
    told = {
        name: {metric: drawn.mean(pooled(runs, metric)) for metric in metrics}
        for name, runs in found.items()
    }
    table(
        f"{drawn.rows} rows",
        metrics,
        {n: [shown(of[m]) for m in metrics] for n, of in told.items()},
    )
    less = {
        name: [shown(of[metric] - told[first][metric]) for metric in metrics]
        for name, of in told.items()
        if name != first
    }
    table(f"less {first}", metrics, less)


def attacked(found: Mapping[str, Runs]) -> None:
    """Print what attacks leave, beside the paper's own, and how models differ."""
    radii = found[FIRST][0]["radii"]
    drawn = Resampled(sum(run["rows"] for run in found[FIRST]))
    for threat in ("audio", "image"):
        columns = ["clean", *(f"{radius:g}" for radius in radii), "paper's PGD"]
        lines = {}
        for name, runs in found.items():
            curve = [shown(drawn.mean(survives(runs, threat, r))) for r in (0, *radii)]
            told = " / ".join(f"{100 * weak(runs, threat, at):.0f}" for at in range(len(radii)))
            lines[name] = [*curve, told]
        table(f"{threat}, {drawn.rows} rows", columns, lines)
        for one, other in compared(found):
            told = ", ".join(
                f"{radius:g}: {shown(_less(drawn, found, one, other, threat, radius))}"
                for radius in (0, *radii)
            )
            print(f"{one} less {other}, {threat}: {told}")


def _less(
    drawn: Resampled, found: Mapping[str, Runs], one: str, other: str, threat: str, radius: float
) -> Estimate:
    first, second = (drawn.mean(survives(found[n], threat, radius)) for n in (one, other))
    return first - second


def compared(found: Mapping[str, Runs]) -> list[tuple[str, str]]:
    """Return pairs of models: each with the first, and those of `PAIRS`."""
    pairs = [(name, FIRST) for name in found if name != FIRST]
    for one, other in PAIRS:
        ours, theirs = ([n for n in found if n.split(" (")[0] == base] for base in (one, other))
        pairs += [(a, b) for a in ours for b in theirs]
    return pairs


def arms(found: Mapping[str, Runs]) -> dict[str, Runs]:
    """Return those that the paper's attacks were tried on, CRMT-JT first."""
    tried = {name: runs for name, runs in found.items() if len(runs[0]["right"]) > len(ALL)}
    return dict(sorted(tried.items(), key=lambda one: (not one[0].startswith("crmt-jt"), one[0])))


def certified(found: Mapping[str, Runs]) -> None:
    """Print certified radii, and rows flipped within them."""
    for name, runs in found.items():
        medians, flips = (
            {m: [round(run["certified"][m][key], 3) for run in runs] for m in ("audio", "image")}
            for key in ("median", "flips_within")
        )
        print(f"{name}: median certified radius {medians}, flips {flips}")


def second_steps(found: Mapping[str, Runs]) -> None:
    """Print the mean radius of training rows before and after the second step."""
    for name, runs in found.items():
        if "radius_before" in runs[0]["finish"]:
            both = [[run["finish"][f"radius_{at}"] for at in ("before", "after")] for run in runs]
            print(f"{name}: step 2 {' '.join(f'{one:.3f}>{other:.3f}' for one, other in both)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--seeds", default="0,1,2", help="those to pool, such as 0,2")
    flags = parser.parse_args()
    seeds = [int(one) for one in flags.seeds.split(",")]
    read = results(flags.run / "whole", flags.split, seeds)
    of_all_rows(read, FIRST, ALL)
    if tried := arms(read):
        first = next(iter(tried))
        of_all_rows(
            tried, first, [name for name in tried[first][0]["right"] if "alone" not in name]
        )
    second_steps(read)
    if found := results(flags.run / "results", flags.split, seeds):
        attacked(found)
        certified(found)


if __name__ == "__main__":
    main()
