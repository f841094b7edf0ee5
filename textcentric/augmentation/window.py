"""The window of rows in flight: wide enough to keep the engine busy, bounded by what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textcentric.rows import Record
from textcentric.runs.counters import Metrics

MOST_ROWS = 512  # in flight
MOST_CHARACTERS = 8_000_000  # of rows in flight; prompts and answers take some 20 times as much
OVERFILL = 1.5  # requests in flight, as a multiple of what the engine runs at once


@dataclass(slots=True)
class Window:
    """What is in flight: rows, and the characters of their texts."""

    metrics: Metrics
    requests_per_row: float
    rows: int = 0
    characters: int = 0

    def enter(self, record: Record) -> int:
        """Count a row that is admitted; return its characters, which `leave` is to be given."""
        size = characters(record)
        self.rows += 1
        self.characters += size
        return size

    def leave(self, size: int) -> None:
        """Count a row of `size` characters as done."""
        self.rows -= 1
        self.characters -= size

    def crowded(self) -> bool:
        """Say whether the engine has enough to do: half as much again as it runs at once.

        Rows that are still being described count by what they will ask. A row holds no place for
        its slowest request, so a long answer never keeps the engine waiting for the next row.
        """
        if self.rows >= MOST_ROWS or self.characters >= MOST_CHARACTERS:
            return True
        coming = self.metrics.describing * self.requests_per_row
        return self.metrics.waiting + coming >= OVERFILL * self.metrics.capacity


def characters(record: Record) -> int:
    """Return how many characters the texts of a row have; files count by their names.

    >>> characters(Record("r1", {"text": "A calm dog.", "table": {"age": "2", "fee": 5}}))
    12
    """
    return sum(len(text) for value in record.inputs.values() for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (inner for inner in value.values() if isinstance(inner, str))
