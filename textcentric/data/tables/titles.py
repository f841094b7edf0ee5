"""Lines of a title above the header of a table, as reports and exports of offices have them."""

from __future__ import annotations

from collections.abc import Sequence

from textcentric.data.notation import parse
from textcentric.errors import DataError

CONSISTENT = 0.9  # share of the lines below a header that have as many fields
PADDED = 3  # fields of a title whose line is filled up with delimiters


class TitleError(DataError):
    """A table begins with a title; `skip` lines stand above its header."""

    def __init__(self, place: str, skip: int, title: str) -> None:
        self.skip, self.title = skip, title
        lines = "line looks" if skip == 1 else f"{skip} lines look"
        super().__init__(
            f"the first {lines} like a title of {place} ({title!r:.60}), its header stands below;"
            f" say `skip: {skip}` in the schema (`skip: 0` if it is none)"
        )


def title_above(records: Sequence[Sequence[str]]) -> int:
    """Return how many of the first records are no header, 0 where the first one is.

    A title fills one field; the header below fills several, with words, and as many as the rows.

    >>> title_above([["Sales 2026"], [], ["id", "size"], ["1", "7"]])
    2
    """
    filled = [sum(map(bool, fields)) for fields in records]
    at = next((at for at, count in enumerate(filled) if count > 1), 0)
    above, below = records[:at], [fields for fields in records[at + 1 :] if any(fields)]
    if not any(filled[:at]) or not below:
        return 0
    header = records[at]
    words = [parse(name) is None for name in header if name]
    padded = any(len(fields) > 1 for fields in above if any(fields))
    named = all(words) and len(header) >= PADDED and bool(above[0][:1]) if padded else any(words)
    same = sum(len(fields) == len(header) for fields in below)
    return at if named and same >= CONSISTENT * len(below) else 0
