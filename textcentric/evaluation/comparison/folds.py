"""Cross-validation: every row is tested once, by a model that was trained on the other folds.

A row's fold follows from its group (its id where it has none), so no group is in two folds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from textcentric.evaluation.comparison.arms import Predicted, Tried
from textcentric.rows import Record

Trials = Sequence[tuple[str, int, Tried]]  # arm, seed, what came of it


def fold_of(record: Record, folds: int) -> int:
    """Return the fold of `record`, from 0 to `folds` - 1."""
    key = (record.group or record.id).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") % folds


def inside(records: Iterable[Record], folds: int, fold: int | None) -> list[Record]:
    """Return the rows that are tested in `fold`, all of them for None."""
    return [
        replace(record, split="test")
        for record in records
        if fold is None or fold_of(record, folds) == fold
    ]


def outside(records: Iterable[Record], folds: int, fold: int | None) -> list[Record]:
    """Return the rows that are trained on in `fold`, all of them for None."""
    return [
        replace(record, split="train")
        for record in records
        if fold is None or fold_of(record, folds) != fold
    ]


def pooled(by_fold: Sequence[Trials]) -> list[tuple[str, int, Tried]]:
    """Return the trials of all folds as one of each arm and seed: predictions side by side."""
    found: dict[tuple[str, int], Tried] = {}
    for trials in by_fold:
        for name, seed, tried in trials:
            before = found.get((name, seed), Tried({}, 0.0))
            predicted: Predicted = {
                cell: {**before.predicted.get(cell, {}), **by_row}
                for cell, by_row in tried.predicted.items()
            }
            seconds = before.train_seconds + tried.train_seconds
            found[name, seed] = Tried(predicted, seconds, before.train_rows + tried.train_rows)
    return [(name, seed, tried) for (name, seed), tried in found.items()]
