"""New rows of a table, each in its place: those that can be used, and what is wrong with others.

Predictions are merged with the table that they are of, so no line of it may be passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from textcentric.data.dataset import Dataset, unwanted
from textcentric.data.fit import Fit
from textcentric.data.loading import SchemaSource, digest, locate, record_reader
from textcentric.data.notation import POINT
from textcentric.data.records import RecordReader, RowError
from textcentric.data.scanning.findings import notes, unusable
from textcentric.data.scanning.scan import Scan, notations
from textcentric.data.scanning.scan_cache import remembered_scan
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Table
from textcentric.errors import DataError
from textcentric.rows import Record
from textcentric.values import Cells


@dataclass(frozen=True)
class Unusable:
    """A line that cannot be predicted: its id ("" where it has none), why, what kind of why."""

    id: str
    why: str
    reason: str


Line = Record | Unusable
SHOWN = 3  # values in a message
EMPTY = "row(s) with nothing in any modality"


@dataclass(frozen=True)
class NewRows:
    """All lines of new rows in their order, and what to know of them."""

    lines: list[Line]
    notes: tuple[str, ...] = ()


def read_new(
    source: object,
    fit: Fit,
    *,
    data_dir: str | Path | None = None,
    schema: SchemaSource = None,
    split: str | None = None,
    limit: int | None = None,
) -> NewRows:
    """Read rows as `fit` says; `limit` counts lines, and `split` keeps those that may be in it.

    Raises DataError where columns lack or the table as a whole cannot be read.
    """
    found = locate(source, data_dir=data_dir, schema=schema, fit=fit.table)
    reader = record_reader(found.layout)
    result = remembered_scan(found.layout, reader, digest(found.layout))
    for message in unusable(reader.schema, _of_rows(result)):
        raise DataError(f"data set {found.name!r} ({found.path}): {message}")
    reader = replace(reader, notations=notations(reader.schema, result))
    lines = (
        line
        for line in _lines(found.layout.table, reader)
        if split is None or isinstance(line, Unusable) or line.split == split
    )
    told = notes(reader.schema, reader.schema, _of_rows(result))
    return NewRows(
        list(islice(lines, limit)), (*found.said(), *fit.notes, *told, *_odd(reader, result))
    )


def lines_of(rows: Dataset) -> list[Line]:
    """Return all lines of a data set that is loaded already, read without their targets."""
    schema = rows.reader.schema
    hidden = {"target": None, "ignore": (*schema.ignore, *filter(None, [schema.target]))}
    blind = replace(rows.reader, schema=schema.model_copy(update=hidden))
    kept = (
        line
        for line in _lines(rows.table, blind)
        if isinstance(line, Unusable) or not unwanted(line, rows.split, rows.require)
    )
    return list(islice(kept, rows.limit))


def _odd(reader: RecordReader, result: Scan) -> Iterator[str]:
    """Yield which columns have values that do not fit what the training says of them."""
    for name, survey in result.columns.items():
        odd = survey.odd_in(reader.notations.get(name, POINT))
        shown = f"such as {', '.join(odd.examples[:SHOWN])}"
        if odd.unreadable:
            yield f"column {name}: {odd.unreadable} value(s) that are no number, {shown}"
        if odd.out_of_range:
            what = (
                "without a word in `codes`" if reader.schema.columns[name].codes else "out of range"
            )
            yield f"column {name}: {odd.out_of_range} value(s) {what}, {shown}"


class _Broken(LeftOut):
    """Lines that give no row, in the order in which they are met."""

    def __init__(self) -> None:
        super().__init__()
        self._met: list[Unusable] = []

    def add(self, reason: str, number: int | None = None, text: str = "", lines: int = 1) -> None:
        """Count a line, and remember where it was met."""
        super().add(reason, number, text, lines)
        what = reason.replace("line(s)", "a line").replace(" that are ", " that is ")
        where = f"line {number}: " if number else ""
        self._met.append(Unusable("", f"{where}{what}: {text!r:.60}", reason))

    def met(self) -> Iterator[Unusable]:
        """Yield the lines that were met since the last call."""
        yield from self._met
        self._met.clear()


def _lines(table: Table, reader: RecordReader) -> Iterator[Line]:
    broken, places = _Broken(), dict[str, int]()
    for number, row in enumerate(table.rows(broken), 1):
        yield from broken.met()
        line = _line(row, number, reader)
        if not isinstance(line, Unusable):
            first = places.setdefault(line.id, number)
            if first != number:
                why = f"row {number} has the id of row {first}; ids are unique"
                line = Unusable(line.id, why, "row(s) with the id of another")
        yield line
    yield from broken.met()


def _line(row: Cells, number: int, reader: RecordReader) -> Line:
    try:
        row_id = reader.row_id(row)
    except RowError as error:
        why = f"row {number} has no value in its id column {reader.schema.id!r}"
        return Unusable("", why, error.reason)
    try:
        record = reader.record(row)
    except RowError as error:
        return Unusable(row_id, str(error), error.reason)
    if not record.inputs:
        return Unusable(row_id, "the row has nothing in any modality", EMPTY)
    return record


def _of_rows(result: Scan) -> Scan:
    """Return a scan without what is said line by line, and without splits and groups."""
    return replace(
        result,
        faulty=0,
        faults=[],
        left_out=LeftOut(),
        doubled=[],
        straddling=[],
        copies=0,
        kinds=Counter(),
    )
