"""Rows of JSON: one object a line, or one list of objects, whose columns are those of all rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from textcentric.data.tables.encodings import encoding_of, open_text
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import DataError
from textcentric.values import Cell

Row = dict[str, Cell]
Read = Callable[[LeftOut], Iterator[Row]]
NO_OBJECT = "line(s) that are not one JSON object"
HOLDERS = ("data", "rows", "records", "items", "annotations", "train", "validation", "test")
AS_LINES = "write it with orient='records', lines=True"
NO_ITEM = "item(s) that are not one JSON object"
_SURROGATE = re.compile("[\ud800-\udfff]")


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
    try:
        with open_text(path, encoding) as text:
            whole = json.load(text)
    except (ValueError, RecursionError):
        return ""
    why = _holds_many(whole) if isinstance(whole, Mapping) else ""
    return f"; it is {why or 'one object over several lines; write it on one'}" if whole else ""


def _list_reader(path: Path, encoding: str) -> Read:
    def read(left_out: LeftOut) -> Iterator[Row]:
        with open_text(path, encoding) as file:
            found = json.load(file)
        for item in found:
            row = _row(json.dumps(item))
            if row is None:
                left_out.add(NO_ITEM, text=json.dumps(item))
            else:
                yield row

    return read


def _line_reader(path: Path, encoding: str) -> Read:
    def read(left_out: LeftOut) -> Iterator[Row]:
        with open_text(path, encoding) as lines:
            for number, line in enumerate(lines, 1):
                row = _row(line)
                if row is not None:
                    yield row
                elif line.strip():
                    left_out.add(NO_OBJECT, number, line.rstrip("\r\n"))

    return read


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
        if "\\ud" in line.lower():  # half a surrogate pair cannot be written to any file again
            row = json.loads(_SURROGATE.sub("\ufffd", json.dumps(row, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
