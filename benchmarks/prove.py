"""Prove it on the sample, whose rule is known: `python -m benchmarks.prove -o runs/prove`.

The arms of `prove.yaml` are trained and tested on generated rows, then with each modality
removed. For each the score stands beside two others: that of the most frequent class, and the
ceiling, which is the best that anyone can predict of what is left
(`benchmarks/ceiling.py`). The share of the way is

    (score - majority) / (ceiling - majority)

with a paired bootstrap interval over test rows, seeds pooled. Two cores have no time for all six
layers of the packaged MiniLM, so `prove.yaml` trains the first. A second call goes on where
the first was stopped. The exit code is 1 where every text-centric arm stays under `BAR`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.ceiling import Ceiling, Pet, pet_points
from textcentric.corruption.grid import CLEAN, Cell
from textcentric.data import write_sample
from textcentric.engines.protocol import Engine
from textcentric.errors import TextCentricError
from textcentric.evaluation.comparison.comparison import Comparison
from textcentric.evaluation.comparison.config import read_compare_config
from textcentric.evaluation.comparison.running import compare
from textcentric.evaluation.findings import Findings
from textcentric.metrics.intervals import Estimate
from textcentric.rows import Target

ROWS, SEED = 2500, 0  # of the sample that is written; `prove.yaml` says how many are used
BAR = 0.8
CEILING, MAJORITY = "ceiling", "majority"

Interval = Sequence[float]  # low, high


@dataclass(frozen=True)
class Share:
    """How far one arm comes where one modality is removed ("" for none)."""

    arm: str
    removed: str
    rows: int
    majority: float
    ceiling: float
    score: float
    share: float
    share_interval: Interval
    drop: float | None
    drop_interval: Interval | None


def prove(
    config: Path,
    folder: Path,
    *,
    rows: int = ROWS,
    seed: int = SEED,
    engine: Engine | None = None,
    say: Callable[[str], None] = print,
) -> list[Share]:
    """Write the sample, compare the arms on it, and return how far each of them comes.

    What is finished in `folder` is not made again. `shares.json` there holds the result.
    """
    sample = folder / f"sample-{rows}-{seed}"
    if not sample.is_dir():
        say(f"writing a sample of {rows} rows")
        write_sample("petfinder", sample, rows=rows, seed=seed)
    flags = {"dataset": "petfinder", "data_dir": str(sample), "output_dir": folder / "compare"}
    settings = read_compare_config(config, flags)
    comparison = Comparison(settings, engine=engine, say=say)
    results = compare(comparison)
    findings = comparison.findings(list(comparison.tried()))
    found = shares(findings, pet_points(rows, seed))
    text = json.dumps([asdict(share) for share in found], indent=1) + "\n"
    (folder / "shares.json").write_text(text, encoding="utf-8")
    say(f"report: {results['report']}")
    return found


def shares(findings: Findings, pets: Mapping[str, Pet]) -> list[Share]:
    """Return the share of the way of every arm, clean and with each one modality removed."""
    beside = _with_bounds(findings, pets)
    cells = [CLEAN, *(cell for cell in findings.cells if len(cell.missing) == 1)]
    entries = {(entry["arm"], _cell(entry)): entry for entry in beside.table()}
    return [
        _share(beside, entries[arm, cell], cell)
        for cell in cells
        for arm in findings.predicted
        if (arm, cell) in entries
    ]


def verdict(found: Sequence[Share], arm: str) -> tuple[bool, str]:
    """Say whether `arm` comes `BAR` of the way with each modality removed."""
    removed = [share for share in found if share.arm == arm and share.removed]
    least = min(removed, key=lambda share: share.share)
    low, high = least.share_interval
    holds = least.share >= BAR
    sure = all(share.share_interval[0] >= BAR for share in removed)
    surely = " in every interval" if sure else ", not of every interval" if holds else ""
    return holds, (
        f"{'Holds' if holds else 'Does not hold'}{surely}: with one modality removed {arm} keeps"
        f" at least {BAR:.0%} of the way from the majority score to the rule's ceiling; the least"
        f" is {least.share:.0%} [{low:.0%}, {high:.0%}], without {least.removed}"
        f" ({least.rows} test rows)."
    )


def table(found: Sequence[Share]) -> str:
    """Return the shares as lines of text, the arms of one removed modality together."""
    heads = ("removed", "arm", "majority", "ceiling", "score", "share of the way", "drop ratio")
    lines = [heads, *map(_cells, found)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(share: Share) -> tuple[str, ...]:
    return (
        share.removed or "nothing",
        share.arm,
        *map(_figure, (share.majority, share.ceiling, share.score)),
        _with_interval(share.share, share.share_interval),
        _with_interval(share.drop, share.drop_interval) if share.removed else "",
    )


def _with_interval(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "undefined"
    low_high = f" [{', '.join(map(_figure, interval))}]" if interval else ""
    return _figure(value) + low_high


def _figure(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}"  # no minus before zero


def _with_bounds(findings: Findings, pets: Mapping[str, Pet]) -> Findings:
    """Return `findings` with two arms more: the best predictor there can be, and the worst."""
    shown = [pets[row] for row in findings.targets]
    best: dict[str, dict[str, Target]] = {}
    most: dict[str, dict[str, Target]] = {}
    for cell in findings.cells:
        if cell == CLEAN or cell.missing:
            told = Ceiling(cell.missing).predict(shown, findings.metric)
            best[cell.name] = dict(zip(findings.targets, told, strict=True))
            most[cell.name] = dict(findings.constants)
    predicted = {**findings.predicted, CEILING: {0: best}, MAJORITY: {0: most}}
    return replace(findings, predicted=predicted)


def _cell(entry: Mapping[str, Any]) -> Cell:
    return Cell(entry["corruption"], entry["level"], tuple(entry["missing"] or ()))


def _share(findings: Findings, entry: Mapping[str, Any], cell: Cell) -> Share:
    names = (entry["arm"], CEILING, MAJORITY)
    score, ceiling, majority = (findings.estimate(name, cell) for name in names)
    share = _ratio(score - majority, ceiling - majority)
    return Share(
        arm=entry["arm"],
        removed="+".join(cell.missing),
        rows=entry["n"],
        majority=majority.value,
        ceiling=ceiling.value,
        score=score.value,
        share=share.value,
        share_interval=share.interval,
        drop=entry["drop_ratio"],
        drop_interval=entry["drop_interval"],
    )


def _ratio(part: Estimate, whole: Estimate) -> Estimate:
    return Estimate(part.value / whole.value, part.draws / whole.draws)


def main() -> int:
    """Prove it, print the table and the verdict; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-c", "--config", type=Path, default=Path(__file__).with_suffix(".yaml"))
    parser.add_argument("-o", "--output-dir", type=Path, default=Path("runs/prove"))
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    try:
        found = prove(given.config, given.output_dir, rows=given.rows, seed=given.seed)
    except TextCentricError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(table(found))
    arms = dict.fromkeys(share.arm for share in found)
    proven = [verdict(found, arm) for arm in arms if arm.startswith("text-centric")]
    print("\n".join(sentence for _, sentence in proven))
    return 0 if any(holds for holds, _ in proven) else 1


if __name__ == "__main__":
    sys.exit(main())
