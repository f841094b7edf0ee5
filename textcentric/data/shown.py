"""Rows as Python and a notebook show them: how many, a data frame, a table of HTML."""

from __future__ import annotations

import html
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.rows import Record

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # rows of a table in a notebook


class Shown(ABC):
    """What a data set shows of itself, once it can be iterated and counted."""

    name: str

    @abstractmethod
    def __iter__(self) -> Iterator[Record]:
        """Yield the records."""

    @abstractmethod
    def count(self) -> int:
        """Return how many records iterating gives."""

    def __len__(self) -> int:
        return self.count()

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each record: id, cells of the table, other inputs, target, split."""
        import pandas as pd

        return pd.DataFrame([flat(record) for record in self])

    def _repr_html_(self) -> str:
        rows = [flat(record) for record in islice(self, SHOWN)]
        return html_table(rows, f"{self.name}, {len(self):,} rows", len(self))


def flat(record: Record) -> dict[str, object]:
    """Return a record as one row; a cell of its table that is called like another has its prefix.

    >>> flat(Record("a", {"table": {"age": 3, "id": 7}, "text": "Calm."}, target=1))
    {'id': 'a', 'age': 3, 'table.id': 7, 'text': 'Calm.', 'target': 1, 'group': None, 'split': None}
    """
    inputs = dict(record.inputs)
    cells: Any = inputs.pop("table", None)
    end = {"target": record.target, "group": record.group, "split": record.split}
    taken = {"id", *inputs, *end}
    table = {f"table.{n}" if n in taken else str(n): cell for n, cell in (cells or {}).items()}
    return {"id": record.id, **table, **inputs, **end}


def html_table(
    rows: Sequence[Mapping[str, object]], caption: str = "", total: int | None = None
) -> str:
    """Return the first rows, of `total`, as a table of HTML; everything in them is text.

    >>> html_table([{"id": "<b>", "score": 0.25}])
    '<table><thead><tr><th>id</th><th>score</th></tr></thead><tbody><tr><td>&lt;b&gt;</td>\
<td>0.25</td></tr></tbody></table>'
    """
    left_out = (len(rows) if total is None else total) - SHOWN
    names = list(dict.fromkeys(name for row in rows[:SHOWN] for name in row))
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in names)
    body = "".join(f"<tr>{_cells(row, names)}</tr>" for row in rows[:SHOWN])
    more = f"{left_out:,} more rows" if left_out > 0 else ""
    said = ", ".join(filter(None, (caption, more)))
    title = f"<caption>{html.escape(said)}</caption>" if said else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: Mapping[str, object], names: Sequence[str]) -> str:
    return "".join(f"<td>{html.escape(_as_text(row.get(name)))}</td>" for name in names)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str | int | Path):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)
