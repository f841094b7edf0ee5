"""Values that have no class of their own: JSON, cells of a table, what a template reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

# What can be written as JSON: objects, arrays (tuples among them), texts, numbers, null.
Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
JsonSchema: TypeAlias = Mapping[str, Any]  # a standard of its own, nested at will
# What a cell of a table may hold, as its file or its data set gives it.
Cell: TypeAlias = (
    "str | bytes | int | float | Decimal | date | time | timedelta"
    " | Mapping[str, Cell] | Sequence[Cell] | None"
)
Cells: TypeAlias = Mapping[str, Cell]  # those of one row, by column
Variables: TypeAlias = Mapping[str, object]  # what the template of a prompt can read
