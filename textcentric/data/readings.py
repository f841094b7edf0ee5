"""How one cell reads: codes, units, printed lists, money and markers become plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, time
from typing import Any

from textcentric.data.notation import POINT, Notation, parse
from textcentric.data.printed import literal, printed
from textcentric.data.schema import Column
from textcentric.errors import DataError
from textcentric.security.foreign import foreign
from textcentric.values import Cell

_PLAIN = Column()
_MOST_BITS = 4_000  # of a whole number: Python writes no more than 4,300 digits


def read_cell(
    raw: Cell, column: Column | None, missing: tuple[str, ...], notation: Notation = POINT
) -> Cell:
    """Return the value of a table cell in words or as a number, None where it is missing.

    >>> read_cell("3", Column(unit="months"), ("",))
    '3 months'
    >>> read_cell("0", Column(codes={"0": None, "1": "dog"}), ("",)) is None
    True
    """
    column = column or _PLAIN
    if isinstance(raw, str) and raw.strip() in column.codes:
        return column.codes[raw.strip()]  # NA may be a code
    value = plain(raw, missing)
    if value is None:
        return None
    code = code_of(value)
    if code in column.codes:
        return column.codes[code]
    if column.codes and column.unit is None and column.reads == "plain":
        return f"unknown code {code}"
    value = _READERS[column.reads](value, column, notation)
    return with_unit(value, column.unit, notation) if column.unit and value is not None else value


def plain(raw: Cell, missing: tuple[str, ...]) -> Any:
    """Return `raw` stripped, None where it is missing, lists and dicts as they are."""
    if isinstance(raw, str):
        raw = raw.strip()
        return None if not raw or raw in missing else raw
    if isinstance(raw, float) and math.isnan(raw):
        return None
    if raw is None or isinstance(raw, (bytes, bytearray)):
        return None
    if isinstance(raw, Mapping):
        return None if "bytes" in raw else in_text(raw)
    if isinstance(raw, int) and raw.bit_length() > _MOST_BITS:
        return hex(raw)
    if isinstance(raw, (bool, int, float, list, tuple)):
        return raw
    return in_text(raw)


def in_text(value: Cell) -> str:
    """Return a value as text: objects and lists as JSON, a midnight without a zone as its day.

    >>> in_text(datetime(2024, 1, 2)), in_text({"day": datetime(2024, 1, 2, 9, 30)})
    ('2024-01-02', '{"day": "2024-01-02 09:30:00"}')
    """
    if isinstance(value, datetime):
        midnight = value.tzinfo is None and value.time() == time()
        return str(value.date() if midnight else value)
    if isinstance(value, Mapping | list | tuple):
        with suppress(DataError), foreign("a value as JSON"):
            return json.dumps(value, ensure_ascii=False, default=in_text)
    return str(value)


def read_text(raw: Cell, column: Column | None, missing: tuple[str, ...]) -> str | None:
    """Return the value of a text column as one string, the items of a list as paragraphs."""
    value = plain(raw, missing)
    if value is None:
        return None
    if isinstance(value, (list, tuple)) or (column and column.reads == "list"):
        value = "\n".join(items(value, column or _PLAIN))
    return str(value).strip() or None


def number(raw: Cell, notation: Notation = POINT) -> float | int | None:
    """Return `raw` as a finite number, a text as `notation` says; None if it is none.

    >>> number("$1,200.00"), number(7.0), number("soon")
    (1200, 7, None)
    """
    if isinstance(raw, int) and raw.bit_length() > _MOST_BITS:
        return None
    return parse(raw, notation) if isinstance(raw, str) else parse(str(raw))


def as_float(value: object) -> float | None:
    """Return a value as a float, which may be NaN, None where it is no number or too large."""
    with suppress(DataError), foreign("a number"):
        return float(value)  # type: ignore[arg-type]
    return None


def identifier(raw: Cell, missing: tuple[str, ...] = ("",)) -> str | None:
    """Return an id as a string, unchanged if it is one ("007" stays), None if it is missing."""
    value = plain(raw, missing)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value)


def with_unit(value: Cell, unit: str, notation: Notation = POINT) -> str:
    """Return `value` with its unit, in the singular after 1: "3 months", "1 month"."""
    amount = number(value, notation)
    if amount is None:
        return str(value)
    return f"{amount} {unit[:-1] if amount == 1 and unit.endswith('s') else unit}"


def items(value: Cell, column: Column) -> list[str]:
    """Return the items of a printed Python or JSON list, headings in `column.drop` left out.

    An item that only announces the next one ("The space", "The space\\nA mill ...") goes too.
    """
    whole = value if isinstance(value, (list, tuple)) else _parsed_list(str(value))
    listed = [in_text(item).strip() for item in whole]
    following = [*listed[1:], ""][: len(listed)]
    kept = [
        _unrepeated(item)
        for item, after in zip(listed, following, strict=True)
        if item and item not in column.drop and not after.startswith(item + "\n")
    ]
    return list(dict.fromkeys(kept))


def _unrepeated(item: str) -> str:
    """Cut the second line of "Unavailable: Wifi\\nWifi", which the first one already says."""
    first, _, rest = item.partition("\n")
    return first if rest and first.endswith(rest) else item


def _parsed_list(text: str) -> list[Cell]:
    value = printed(text)
    return list(value) if isinstance(value, list | tuple | set) else [text]


def are_several(label: Cell) -> bool:
    """Say whether a label holds several: a list or an object, as such or printed.

    >>> are_several(["red", "old"]), are_several('["red", "old"]'), are_several("[sic]")
    (True, True, False)
    """
    if isinstance(label, str) and label[:1] in ("[", "{"):
        return isinstance(printed(label, literal), list | dict | set)
    return isinstance(label, list | tuple | Mapping)


def code_of(value: Cell) -> str:
    """Return `value` as a key of `Column.codes`: 1, 1.0 and "1.0" are all "1"."""
    amount = number(value) if isinstance(value, (int, float)) else None
    text = str(value if amount is None else amount)
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _money(value: Cell, column: Column, notation: Notation) -> Cell:
    amount = number(value, notation)
    return value if amount is None else amount


def _listed(value: Cell, column: Column, notation: Notation) -> str | None:
    return ", ".join(item.replace("\n", " ") for item in items(value, column)) or None


def _flag(value: Cell, column: Column, notation: Notation) -> Cell:
    return {"t": "yes", "true": "yes", "f": "no", "false": "no"}.get(str(value).lower(), value)


def _as_is(value: Cell, column: Column, notation: Notation) -> Cell:
    return ", ".join(map(in_text, value)) if isinstance(value, (list, tuple)) else value


_READERS = {
    "plain": _as_is,
    "list": _listed,
    "money": _money,
    "number": _money,
    "flag": _flag,
}
