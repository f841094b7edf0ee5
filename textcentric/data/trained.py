"""What a training reads of a table, so that prediction can read new rows in the same way."""

from __future__ import annotations

from textcentric.data.dataset import Dataset
from textcentric.data.memory import InHand
from textcentric.data.rows import Rows
from textcentric.data.schema import Column, Schema
from textcentric.rows import Read
from textcentric.values import Json


def read_of(rows: Rows) -> Read:
    """Return schema and columns of `rows` as plain values, for a run or a model to keep."""
    return {"schema": schema_of(rows), "columns": list(columns_of(rows))}


def columns_of(rows: Rows) -> tuple[str, ...]:
    """Return the columns of the rows' table, in the order in which they are read.

    Those of Records are in the order in which they first appear.
    """
    if isinstance(rows, Dataset):
        return tuple(rows.schema.table_columns(rows.reader.columns))
    if isinstance(rows, InHand):
        return rows.columns
    return ()


def schema_of(rows: Rows) -> dict[str, Json]:
    """Return the schema of `rows` as plain values, with the notations that their values show."""
    schema = rows.schema
    if isinstance(rows, Dataset):
        schema = _with_notations(rows)
    values: dict[str, Json] = schema.model_dump(mode="json", exclude_defaults=True)
    return values


def _with_notations(rows: Dataset) -> Schema:
    """Return the schema that says of each column of numbers which sign is before decimals."""
    columns, schema = dict(rows.schema.columns), rows.schema
    for name, notation in rows.reader.notations.items():
        counts = name != schema.target or schema.task == "regression"
        if counts and schema.notation(name) is None:
            column = columns.get(name, Column())
            columns[name] = column.model_copy(update={"decimal": notation.decimal})
    return schema.model_copy(update={"columns": columns})
