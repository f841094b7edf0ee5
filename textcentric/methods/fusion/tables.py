"""A table's row as numbers: standardised values, one-hot words, and what is missing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textcentric.values import Cells, Json

MOST_WORDS = 32  # of a column of words; rarer ones are all zeros
NUMBERS = 0.9  # the share of a column's values that must be numbers for it to be one


@dataclass(frozen=True)
class TableNumbers:
    """`numbers` maps a column to mean and standard deviation, `words` to its commonest values."""

    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Cells]) -> TableNumbers:
        """Return the columns of training rows; numbers that never vary are left out."""
        numbers: dict[str, tuple[float, float]] = {}
        words: dict[str, list[str]] = {}
        for column in sorted({name for row in rows for name in row}):
            values = [row[column] for row in rows if row.get(column) is not None]
            found = [one for one in map(_number, values) if one is not None]
            if found and len(found) >= NUMBERS * len(values):
                mean, std = float(np.mean(found)), float(np.std(found))
                if std > 0:
                    numbers[column] = mean, std
            elif values:
                commonest = Counter(map(str, values)).most_common(MOST_WORDS)
                words[column] = [word for word, _ in commonest]
        return cls(numbers, words)

    def __len__(self) -> int:
        return 2 * len(self.numbers) + sum(len(words) for words in self.words.values())

    def vector(self, row: Cells) -> np.ndarray:
        """Return the numbers of a row, float32: value and a mark of its absence, then words."""
        told: list[float] = []
        for column, (mean, std) in self.numbers.items():
            value = _number(row.get(column))
            told += [0.0, 1.0] if value is None else [(value - mean) / std, 0.0]
        for column, words in self.words.items():
            told += [float(str(row.get(column)) == word) for word in words]
        return np.array(told, np.float32)

    def plain(self) -> dict[str, Json]:
        """Return the columns as JSON values."""
        return {"numbers": {k: list(v) for k, v in self.numbers.items()}, "words": dict(self.words)}

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> TableNumbers:
        """Return what `plain` told."""
        return cls({k: (v[0], v[1]) for k, v in told["numbers"].items()}, told["words"])


def _number(value: Any) -> float | None:
    """Return a finite number, None for what is none."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
