"""The tables of `benchmarks.digits`, from the results that it keeps.

    python -m benchmarks.digits_table runs/digits/results

Rows of all seeds are pooled. Seed 1 tests on the speaker whom `--choose` chose settings on; seeds 0
and 2 (`--seeds 0,2`) are those that the choice has not seen. Intervals are 95 %, bootstrap over
rows, paired between models.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textcentric.metrics.intervals import Estimate, Resampled

PAIRS = (("crmt-jt", "jt"), ("crmt-at", "mmat"))


def results(folder: Path, split: str, seeds: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    """Return the results of each model, seed by seed."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(folder.glob(f"*-{split}.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["cell"]["seed"] not in seeds:
            continue
        changes = ", ".join(f"{name} {value:g}" for name, value in told["cell"]["changes"])
        found[f"{told['variant']}{f' ({changes})' if changes else ''}"].append(told)
    return dict(found)


def survives(runs: list[dict[str, Any]], threat: str, radius: float) -> np.ndarray:
    """Return which rows of all seeds survive a threat at a radius; at 0 those that are right."""
    lost = [value for run in runs for value in run["threats"][threat]["lost_at"]]
    return np.array(lost) > radius


def paper(runs: list[dict[str, Any]], threat: str, radius: float) -> float:
    at = runs[0]["radii"].index(radius)
    return float(np.mean([run["threats"][threat]["paper"]["pgd"][at] for run in runs]))


def half_radius(runs: list[dict[str, Any]], threat: str) -> float:
    """Return the smallest radius at which a model has lost half of its accuracy."""
    clean = survives(runs, threat, 0).mean()
    radii: list[float] = runs[0]["radii"]
    return next((r for r in radii if survives(runs, threat, r).mean() <= clean / 2), radii[-1])


def shown(estimate: Estimate) -> str:
    low, high = estimate.interval
    return f"{100 * estimate.value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--seeds", default="0,1,2", help="those to pool, such as 0,2")
    flags = parser.parse_args()
    seeds = [int(one) for one in flags.seeds.split(",")]
    found = results(flags.results, flags.split, seeds)
    most = len(found["jt"])
    found = {name: runs for name, runs in found.items() if len(runs) == most}
    rows = sum(run["rows"] for run in found["jt"])
    drawn = Resampled(rows)
    print(f"{most} seeds, {rows} rows\n")
    preferred = min(("image", "audio"), key=lambda name: half_radius(found["jt"], name))
    for threat in ("audio", "image"):
        radii = found["jt"][0]["radii"]
        print(f"\n| {threat} | clean | " + " | ".join(f"{r:g}" for r in radii) + " | paper's PGD |")
        print("|---" * (3 + len(radii)) + "|")
        for name, runs in found.items():
            curve = [drawn.mean(survives(runs, threat, r).astype(float)) for r in (0, *radii)]
            weak = " / ".join(f"{100 * paper(runs, threat, r):.0f}" for r in radii)
            print(f"| {name} | {' | '.join(map(shown, curve))} | {weak} |")
    half = half_radius(found["jt"], preferred)
    print(f"\njt loses half under attacks on {preferred} at {half:g}; differences there, and clean")
    for ours, theirs in PAIRS:
        for name, runs in found.items():
            rivals = [n for n in found if n.split(" (")[0] == theirs]
            if name.split(" (")[0] == ours:
                for rival in rivals:
                    for radius in (0, *found["jt"][0]["radii"]):
                        one, other = (
                            drawn.mean(survives(of, preferred, radius).astype(float))
                            for of in (runs, found[rival])
                        )
                        print(f"{name} - {rival} at {radius:g}: {shown(one - other)}")
    for name, runs in found.items():
        medians = [f"{run['certified']['audio']['median']:.3f}" for run in runs]
        flips = [run["certified"]["audio"]["flips_within"] for run in runs]
        steps = [run["finish"] for run in runs]
        told = [
            f"{f['radius_before']:.4f}>{f['radius_after']:.4f} acc {f['accuracy']:.3f}"
            for f in steps
            if "radius_before" in f
        ]
        missing = {
            n: f"{100 * np.mean([run['missing'][n]['zero']['value'] for run in runs]):.1f}"
            for n in ("image", "audio")
        }
        print(f"{name}: certified medians {medians}, flips {flips}, step 2 {told}, {missing}")


if __name__ == "__main__":
    main()
