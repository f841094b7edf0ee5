"""Rows of JSON: one object a line, or one list of objects, whose columns are those of all rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from textcentric.data.printed import too_many, too_nested
from textcentric.data.tables.bounds import LONGEST
from textcentric.data.tables.encodings import encoding_of, open_text
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.long_texts import bounded_lines, items_of
from textcentric.errors import DataError
from textcentric.security.foreign import foreign
from textcentric.values import Cell

Row = dict[str, Cell]
Read = Callable[[LeftOut], Iterator[Row]]
NO_OBJECT = "line(s) that are not one JSON object"
HOLDERS = ("data", "rows", "records", "items", "annotations", "train", "validation", "test")
AS_LINES = "write it with orient='records', lines=True"
NO_ITEM = "item(s) that are not one JSON object"
TOO_LONG = f"line(s) of more than {LONGEST:,} characters"
MOST_DIGITS = 4_000  # of a whole number
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS = re.compile(rf"[0-9]{{{MOST_DIGITS}}}")


def open_json(path: Path, encoding: str | None = None) -> tuple[tuple[str, ...], Read]:
    """Return the columns of a JSON file and what reads its rows.

    Raises DataError where it has no row, or is one object that holds many.
    """
    encoding = encoding_of(path, encoding)
    listed = _first_sign(path, encoding) == "["
    read = _list_reader(path, encoding) if listed else _line_reader(path, encoding)
    state = path.stat()
    columns = _columns(path, encoding, listed, state.st_mtime_ns, state.st_size)
    if not columns:
        raise DataError(
            f"table {str(path)!r} has no row; expected one JSON object a line, or a list"
            f"{_hint(path, encoding)}"
        )
    return columns, read


def _first_sign(path: Path, encoding: str) -> str:
    with open_text(path, encoding) as text:
        return text.read(1000).lstrip()[:1]


@lru_cache(maxsize=32)
def _columns(path: Path, encoding: str, listed: bool, *state: int) -> tuple[str, ...]:
    """Return the columns of all rows: one may appear in the last of them only."""
    read = _list_reader(path, encoding) if listed else _line_reader(path, encoding)
    rows = read(LeftOut())
    first = next(rows, {})
    columns = dict.fromkeys(first)
    second = next(rows, None)
    if second is None and not listed and (why := _holds_many(first)):
        raise DataError(f"table {str(path)!r} is {why}")
    for row in chain([second or {}], rows):
        columns |= dict.fromkeys(row)
    return tuple(columns)


def _holds_many(row: Mapping[str, Any]) -> str:
    """Say how one object holds many rows, "" where it is one."""
    values = list(row.values())
    rows = [name for name, value in row.items() if name in HOLDERS and _are_rows(value)]
    if {"columns", "index", "data"} <= set(row):
        return f"one object in pandas' layout `split`; {AS_LINES}"
    if rows:
        named = " and ".join(map(repr, rows[:3]))
        return f"one object that holds its rows under {named}; write each list as a file"
    keys = [list(value) if isinstance(value, Mapping) else None for value in values]
    if len(keys) > 1 and keys[0] is not None and keys.count(keys[0]) == len(keys):
        return f"one object of columns, as pandas writes it; {AS_LINES}"
    return ""


def _are_rows(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(v, Mapping) for v in value)


def _hint(path: Path, encoding: str) -> str:
    """Say what a file is that has no object on a line: one object over many lines, perhaps."""
    with open_text(path, encoding) as text:
        whole = _row(text.read(LONGEST))
    why = _holds_many(whole) if whole else ""
    return f"; it is {why or 'one object over several lines; write it on one'}" if whole else ""


def _list_reader(path: Path, encoding: str) -> Read:
    def read(left_out: LeftOut) -> Iterator[Row]:
        with open_text(path, encoding) as file:
            for item in items_of(file):
                row = _row(item)
                if row is None:
                    left_out.add(NO_ITEM, text=item)
                else:
                    yield row

    return read


def _line_reader(path: Path, encoding: str) -> Read:
    def read(left_out: LeftOut) -> Iterator[Row]:
        with open_text(path, encoding) as lines:
            for number, line in enumerate(bounded_lines(lines), 1):
                if line is None:
                    left_out.add(TOO_LONG, number)
                elif (row := _row(line)) is not None:
                    yield row
                elif line.strip():
                    left_out.add(NO_OBJECT, number, line.rstrip("\r\n"))

    return read


def _row(line: str) -> Row | None:
    """Return the row that a text says, None where it is no object, or one of too many values."""
    if too_nested(line) or too_many(line):
        return None
    with suppress(DataError), foreign("a line of JSON"):
        row = _loaded(line)
        if "\\ud" in line.lower():  # half a surrogate pair cannot be written to any file again
            row = json.loads(_SURROGATE.sub("\ufffd", json.dumps(row, ensure_ascii=False)))
        return row if isinstance(row, dict) else None
    return None


def _loaded(line: str) -> Any:
    """Return what a line says; a number of more digits than Python reads is a text."""
    try:
        return json.loads(line)
    except ValueError:
        if not _DIGITS.search(line):
            raise
        return json.loads(line, parse_int=_whole)


def _whole(digits: str) -> int | str:
    return digits if len(digits) > MOST_DIGITS else int(digits)
