"""Columns that hold no data: those that only count rows, and those without a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count

EXPORTED = ("Unnamed: 0", "__index_level_0__")  # what pandas calls the numbers of rows
LOOKED_AT = 1000  # rows in which a column without a name is looked at

Cells = Mapping[str, Sequence[str]]


def with_names(header: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns; one without a name gets one that nobody can write."""
    return tuple(name or f"\x00{at}" for at, name in enumerate(header))


def without_data(
    fields: Sequence[str],
    mentioned: Collection[str],
    first: Callable[[Sequence[str]], Cells],
    file_name: str,
) -> dict[str, str]:
    """Return {column: what it is} of those that only count rows or that nothing names.

    `fields` are of `with_names`; `first` gives the first values of columns; `mentioned` ones stay.
    """
    suspects = [name for name in fields if name in EXPORTED or name.startswith("\x00")]
    suspects = [name for name in suspects if name not in mentioned]
    if not suspects:
        return {}
    cells = first(suspects)
    said = {name: _said(name, cells[name], fields, file_name) for name in suspects}
    return {name: what for name, what in said.items() if what}


def _said(name: str, cells: Sequence[str], fields: Sequence[str], file_name: str) -> str:
    if not name.startswith("\x00"):
        return f"column {name!r}, which counts rows," if _tells_rows_apart(cells) else ""
    counts = _counts(cells)
    which = f"column {fields.index(name) + 1} of {file_name}, which has no name"
    first = next((cell for cell in cells if cell), None)
    if counts:
        return f"{which} and counts rows,"
    if first is None:
        return f"{which} and no value,"
    return f"{which} (first value {first!r:.60}); name it, or give `header:` in the schema; it"


def _counts(cells: Sequence[str]) -> bool:
    """Say whether cells count 0, 1, 2, ... or 1, 2, 3, ..."""
    starts = [0, 1] if cells else []
    return any(all(cell == str(n) for cell, n in zip(cells, count(start))) for start in starts)


def _tells_rows_apart(cells: Sequence[str]) -> bool:
    """Say whether cells are whole numbers of which none comes twice, as after a shuffle."""
    return bool(cells) and len({*cells}) == len(cells) and all(map(str.isdecimal, cells))
