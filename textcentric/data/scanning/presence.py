"""Which modalities the rows of a batch have, as reading each of them would find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from textcentric.data.readings import read_cell, read_text
from textcentric.data.records import RecordReader
from textcentric.data.tables.columns import (
    Batch,
    Distinct,
    Mask,
    Values,
    column_of,
    distinct,
    missing,
    numbers_in,
    texts_in,
)


def modalities_of(
    batch: Batch, ids: Sequence[str | None], files: Mapping[str, Mask], reader: RecordReader
) -> dict[str, Mask]:
    """Say of each row whether it has a modality; `files` says it for those that are files.

    A modality that no row could have has no key.
    """
    schema = reader.schema
    table = schema.table_columns(reader.columns)
    found = {
        "table": _any(len(batch), [_in_table(column_of(batch, c), c, reader) for c in table]),
        "text": _any(len(batch), [_in_text(column_of(batch, c), c, reader) for c in schema.text]),
        **files,
    }
    if reader.labels:
        labels = reader.photo_labels
        found["image_labels"] = np.array([bool(labels.get(row_id or "")) for row_id in ids], bool)
    return found


def _any(rows: int, columns: Sequence[Mask]) -> Mask:
    found: Mask = np.logical_or.reduce([np.zeros(rows, bool), *columns])
    return found


def _in_table(values: Values, name: str, reader: RecordReader) -> Mask:
    setting, markers = reader.schema.columns.get(name), reader.schema.missing_in(name)
    if setting is None or not (setting.codes or setting.reads == "list"):
        return ~missing(values, markers)
    found = distinct(values)  # a code or a list may mean nothing, and a marker may be a code
    there = [read_cell(value, setting, markers) is not None for value in found.values]
    return _of_rows(there, found)


def _in_text(values: Values, name: str, reader: RecordReader) -> Mask:
    setting, markers = reader.schema.columns.get(name), reader.schema.missing
    listed = setting is not None and setting.reads == "list"
    if not listed and (texts_in(values) is not None or numbers_in(values) is not None):
        return ~missing(values, markers)
    found = distinct(values)
    there = [read_text(value, setting, markers) is not None for value in found.values]
    return _of_rows(there, found)


def _of_rows(told: Sequence[bool], of: Distinct) -> Mask:
    """Return for each row what is told of its value."""
    rows: Mask = np.array(told, bool)[of.places]
    return rows
