"""Columns that hold no data: those that only count rows, and those without a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count

EXPORTED = ("Unnamed: 0", "__index_level_0__")  # what pandas calls the numbers of rows
EMPTY = "and no value,"
SHOWN = 6  # columns that a note names
RESET = "index"  # what pandas calls them where they were made a column
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
    suspects = [f for f in fields if f in (*EXPORTED, RESET) or f.startswith("\x00")]
    suspects = [name for name in suspects if name not in mentioned]
    if not suspects:
        return {}
    cells = first(suspects)
    said = {name: _said(name, cells[name], fields, file_name) for name in suspects}
    return {name: what for name, what in said.items() if what}


def notes_of(left: Mapping[str, str], file_name: str) -> list[str]:
    """Return what is said of columns that are left out, those without name and value at once."""
    empty = [name for name, what in left.items() if what.endswith(EMPTY)]
    if len(empty) < 2:
        return [f"{what} is left out" for what in left.values()]
    places = ", ".join(str(int(name[1:]) + 1) for name in empty[:SHOWN])
    places += ", ..." if len(empty) > SHOWN else ""
    others = {name: what for name, what in left.items() if name not in empty}
    which = f"{len(empty)} columns of {file_name} ({places}), which have no name and no value,"
    return [*notes_of(others, file_name), f"{which} are left out"]


def _said(name: str, cells: Sequence[str], fields: Sequence[str], file_name: str) -> str:
    if not name.startswith("\x00"):
        counts = _counts(cells) if name == RESET else _tells_rows_apart(cells)
        return f"column {name!r}, which counts rows," if counts else ""
    counts = _counts(cells)
    which = f"column {fields.index(name) + 1} of {file_name}, which has no name"
    first = next((cell for cell in cells if cell), None)
    if counts:
        return f"{which} and counts rows,"
    if first is None:
        return f"{which} {EMPTY}"
    return f"{which} (first value {first!r:.60}); name it, or give `header:` in the schema; it"


def _counts(cells: Sequence[str]) -> bool:
    """Say whether cells count 0, 1, 2, ... or 1, 2, 3, ..."""
    starts = [0, 1] if cells else []
    return any(all(cell == str(n) for cell, n in zip(cells, count(start))) for start in starts)


def _tells_rows_apart(cells: Sequence[str]) -> bool:
    """Say whether cells are whole numbers of which none comes twice, as after a shuffle."""
    return bool(cells) and len({*cells}) == len(cells) and all(map(str.isdecimal, cells))
