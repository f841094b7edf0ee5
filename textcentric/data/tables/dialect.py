"""How a delimited text is written: what parts its fields, its quotation mark, where rows begin."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from textcentric.data.tables.titles import title_above

DELIMITERS = (",", ";", "\t", "|")  # in the order of preference where two fit as well
FITTING = 0.5  # share of lines that fit a delimiter which is no accident
LINES = 50  # lines that the delimiter is told from
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Dialect:
    """How a text is written; `header` has the names of the columns, `skip` lines lie before them.

    `lines` is how many lines stand before the first row, the header among them.
    """

    delimiter: str
    quote: str | None
    header: tuple[str, ...]
    skip: int
    lines: int

    def __str__(self) -> str:
        quote = "" if self.quote == '"' else f", quoted by {self.quote or 'nothing'}"
        skipped = f", {self.skip} line(s) skipped" if self.skip else ""
        parted = NAMES.get(self.delimiter, repr(self.delimiter))
        return f"fields parted by {parted}{quote}{skipped}"


def dialect_of(
    head: str,
    *,
    delimiter: str | None = None,
    quote: str | None = '"',
    header: Sequence[str] | None = None,
    skip: int = 0,
) -> Dialect:
    """Return how a text is written that begins with `head`.

    The delimiter is the one named, that of a first line `sep=;`, or the one which gives the first
    lines the same number of fields, more than one. `header` names the columns of a text that does
    not.
    """
    lines = list(io.StringIO(head, newline=""))
    first = lines[skip].strip() if len(lines) > skip else ""
    if delimiter is None and first.lower().startswith("sep=") and len(first) <= 5:
        delimiter, skip = first[4:] or "\t", skip + 1
    rest = lines[skip:]
    delimiter = delimiter or _delimiter(rest, quote)
    if header is not None:
        return Dialect(delimiter, quote, tuple(header), skip, skip)
    reader = csv.reader(rest, **_notation(delimiter, quote))
    names = next((fields for fields in reader if fields), [])
    columns = tuple(name.strip() for name in names)
    return Dialect(delimiter, quote, columns, skip, skip + reader.line_num)


def title_of(head: str, dialect: Dialect) -> tuple[int, str] | None:
    """Return how many lines stand above the header of a text, and the first of them, if any do."""
    lines = list(io.StringIO(head, newline=""))[dialect.skip :][:LINES]
    several, fitting = _fitness(lines, dialect.delimiter, dialect.quote)
    for sign in (dialect.delimiter,) if several and fitting >= FITTING else DELIMITERS:
        records, ends = [], []
        reader = csv.reader(lines, **_notation(sign, dialect.quote))
        with suppress(csv.Error):
            for fields in reader:
                records.append([field.strip() for field in fields])
                ends.append(reader.line_num)
        if count := title_above(records):
            title = next(field for fields in records for field in fields if field)
            return dialect.skip + ends[count - 1], title
    return None


def _delimiter(lines: Sequence[str], quote: str | None) -> str:
    return max(DELIMITERS, key=lambda delimiter: _fitness(lines[:LINES], delimiter, quote))


def _fitness(lines: Sequence[str], delimiter: str, quote: str | None) -> tuple[bool, float]:
    """Say whether there is more than one column, and how many records have as many fields."""
    try:
        records = [fields for fields in csv.reader(lines, **_notation(delimiter, quote)) if fields]
    except csv.Error:
        return False, 0.0
    columns = len(records[0]) if records else 0
    if columns < 2:
        return False, 0.0
    return True, sum(len(fields) == columns for fields in records) / len(records)


def _notation(delimiter: str, quote: str | None) -> dict[str, Any]:
    if quote is None:
        return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE}
    return {"delimiter": delimiter, "quotechar": quote}
