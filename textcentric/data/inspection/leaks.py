"""Columns that tell the target of a row: what is known only once the target is, or repeats it."""

from __future__ import annotations

from collections.abc import Sequence

from textcentric.data.inspection.columns import ColumnProfile, settled

LEAK = 0.995  # share of rows that a column tells the target of
ROWS_OF_A_VALUE = 4  # on average, so that telling is no accident
MANY_ROWS = 20  # of which a relation can be told
LINEAR = 0.999  # correlation of a column that is the target in another unit


def leak(target: ColumnProfile, column: ColumnProfile) -> str:
    """Say how a column tells the target, "" where it does not."""
    if min(column.values, target.values) < MANY_ROWS:
        return ""
    if column.kind == "number" and target.kind == "number":
        if abs(_correlation(column.amounts, target.amounts)) > LINEAR:
            return f"goes up and down with {target.name}"
        return ""
    repeated = column.different * ROWS_OF_A_VALUE <= column.values and column.different > 1
    usual = target.counts.most_common(1)[0][1] / target.values
    varied = target.kind != "number" and usual < LEAK - 0.05
    if repeated and varied and settled(target, column) >= LEAK:
        return f"each of its {column.different} values stands with one {target.name}"
    return ""


def _correlation(xs: Sequence[float | None], ys: Sequence[float | None]) -> float:
    import numpy as np

    pairs = [(x, y) for x, y in zip(xs, ys, strict=True) if x is not None and y is not None]
    x, y = np.array(pairs, dtype=float).reshape(-1, 2).T
    if len(x) < MANY_ROWS or not (x.std() and y.std()):
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def share_that_says(target: ColumnProfile, text: ColumnProfile) -> float:
    """Return the share of rows whose text has the word of their class, 0 where it is small."""
    both = [(label.lower(), said.lower()) for label, said in zip(target.cells, text.cells,
            strict=True) if label and said and not label.isdigit() and len(label) > 3]  # fmt: skip
    says = sum(label.rstrip("s") in said for label, said in both)
    return says / len(both) if both and says > len(both) / 2 else 0.0
