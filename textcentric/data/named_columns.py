"""Columns of a table by the names that people give them."""

from __future__ import annotations

from itertools import islice

from textcentric.data.dataset import Dataset
from textcentric.data.rows import Rows

READ = 2000  # rows in which the columns of rows in hand are looked for


def table_labels(rows: Rows) -> dict[str, str]:
    """Return {name: label in `inputs["table"]`} of the table's columns, by name and by label.

    The target, the id, texts and columns that the schema keeps out are none of them.
    """
    if isinstance(rows, Dataset):
        columns = rows.schema.table_columns(rows.reader.columns)
        own = {name: rows.schema.label(name) for name in columns}
        return {**{label: label for label in own.values()}, **own}
    inner = getattr(rows, "rows", None)  # of damaged rows, whose own may lack whole columns
    if inner is not None:
        return table_labels(inner)
    tables = (record.inputs.get("table") or {} for record in islice(rows, READ))
    labels = {str(label) for cells in tables for label in cells}
    own = {name: rows.schema.label(name) for name in rows.schema.columns}
    spelt = {label.replace(" ", "_"): label for label in labels}
    return {**spelt, **{n: o for n, o in own.items() if o in labels}, **{o: o for o in labels}}
