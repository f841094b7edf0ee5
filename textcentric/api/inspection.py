"""What there is, from Python: the columns of rows that nobody described, and the methods."""

from __future__ import annotations

from pathlib import Path

from textcentric.api.given import in_store
from textcentric.data.inspection import Inspection
from textcentric.data.inspection import inspect as inspect_rows
from textcentric.data.rows import RowsLike
from textcentric.methods.listing import list_methods

__all__ = ["inspect", "list_methods"]


def inspect(rows: RowsLike, *, data_dir: str | Path | None = None) -> Inspection:
    """Look at rows by path or in hand and guess what their columns are for.

    `print()` of the result shows a commented schema, `.schema` is it, `.columns` has the kind and
    the evidence of each column. Pictures and sounds are looked for in `data_dir`, else beside the
    table. Raises DataError where there is no table to read, or several to choose from.

    >>> found = inspect([{"id": "a", "price": "1,50"}, {"id": "b", "price": "2,00"}])
    >>> found.schema.target, found.schema.task, found.columns["id"].kind
    ('price', 'regression', 'id')
    """
    return inspect_rows(in_store(rows), data_dir=data_dir)
