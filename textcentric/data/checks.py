"""Check a data set before using it: columns, ids, targets and pictures, counted and explained.

Only what makes the rows useless as a whole counts as a problem; everything else is a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from textcentric.data.files import FileFinder
from textcentric.data.loading import Located, SchemaSource, locate, record_reader, with_labels
from textcentric.data.notation import POINT, Notation
from textcentric.data.pictures import PictureError, open_picture
from textcentric.data.readings import code_of, identifier, number, plain
from textcentric.data.records import RecordReader
from textcentric.data.scan import Scan, balance, notations, notes, scan, unusable
from textcentric.data.schema import Column, Schema
from textcentric.errors import DataError
from textcentric.values import Cell, Cells, Json

KEPT_EXAMPLES = 5


@dataclass
class ColumnCheck:
    """What one column holds; `role` is "table" for columns without another role."""

    column: str
    role: str
    values: int = 0
    missing: int = 0
    unreadable: int = 0
    out_of_range: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, raw: Cell, row_id: str | None) -> None:
        """Keep the first few values that are unreadable or out of range."""
        if len(self.examples) < KEPT_EXAMPLES:
            self.examples.append(f"{row_id}: {str(raw)[:40]!r}")


@dataclass
class FilesCheck:
    """What became of the files of one modality; `broken` counts the reasons."""

    modality: str
    rows_with: int = 0
    rows_without: int = 0
    found: int = 0
    absent: int = 0
    refused: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        """Keep the first few messages."""
        if len(self.examples) < KEPT_EXAMPLES:
            self.examples.append(message)


@dataclass
class CheckReport:
    """The result of a check, as plain data; `problems` is empty if the data set is usable.

    `form` says how a text file is written, `left_out` which of its lines give no row.
    """

    name: str
    origin: str
    path: str
    rows: int = 0
    usable_rows: int = 0
    form: str = ""
    balance: str = ""
    left_out: dict[str, Json] = field(default_factory=dict)
    columns: list[ColumnCheck] = field(default_factory=list)
    files: list[FilesCheck] = field(default_factory=list)
    doubled_ids: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Say whether the rows can be used at all."""
        return not self.problems

    def to_dict(self) -> dict[str, Json]:
        """Return the report as JSON-ready dicts and lists."""
        return {**asdict(self), "usable": self.usable}


def check(
    dataset: object,
    *,
    data_dir: str | Path | None = None,
    schema: SchemaSource = None,
    pictures: bool = True,
) -> CheckReport:
    """Check a data set (as for `load`); with `pictures` every picture is opened once.

    Raises ConfigError for an unknown data set or a schema that does not fit; whatever is wrong
    with the data itself stands in the report.

    >>> check("petfinder", data_dir="my-copy").usable  # doctest: +SKIP
    True
    """
    try:
        found = locate(dataset, data_dir=data_dir, schema=schema)
        return _checked(found, pictures)
    except DataError as error:
        path = str(data_dir or dataset)
        return CheckReport(str(dataset), "unknown", path, problems=[str(error)])


def _checked(found: Located, pictures: bool) -> CheckReport:
    reader = record_reader(found.layout)
    given, result = reader.schema, scan(found.layout.table, reader)
    reader = replace(
        reader,
        schema=with_labels(reader.schema, result),
        notations=notations(reader.schema, result),
    )
    report = CheckReport(found.name, found.origin, str(found.path), rows=result.rows)
    report.usable_rows = result.rows - result.faulty
    report.form, report.balance = found.layout.table.form, balance(result)
    report.left_out = result.left_out.to_dict()
    report.doubled_ids = result.doubled[:100]
    report.faults = [fault.message for fault in result.faults]
    report.problems = unusable(given, result)
    report.columns = _columns(reader)
    report.files = [FilesCheck(modality) for modality in reader.finders]
    readings = [_Reading.of(column, reader) for column in report.columns]
    for row in found.layout.table.rows():
        _look_at(row, reader, readings, report, pictures)
    report.warnings = _warnings(found, given, reader.schema, result, report)
    return report


def _columns(reader: RecordReader) -> list[ColumnCheck]:
    roles = {column: role for role, column in reader.schema.required().items()}
    for name in reader.schema.table_columns(reader.columns):
        roles.setdefault(name, "table")
    return [ColumnCheck(name, roles[name]) for name in reader.columns if name in roles]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is to be known of a column before its cells are looked at."""

    column: ColumnCheck
    setting: Column
    missing: tuple[str, ...]
    notation: Notation
    numeric: bool

    @classmethod
    def of(cls, column: ColumnCheck, reader: RecordReader) -> _Reading:
        name, schema = column.column, reader.schema
        setting = schema.columns.get(name, Column())
        numeric = setting.counts() or (column.role == "target" and schema.task == "regression")
        notation = reader.notations.get(name, POINT)
        return cls(column, setting, schema.missing_in(name), notation, numeric)


def _look_at(
    row: Cells,
    reader: RecordReader,
    readings: Sequence[_Reading],
    report: CheckReport,
    pictures: bool,
) -> None:
    row_id = identifier(row.get(reader.schema.id or ""), reader.schema.missing)
    for reading in readings:
        _look_at_cell(row.get(reading.column.column), reading, row_id)
    for files in report.files:
        if row_id is not None:
            finder = reader.finders[files.modality]
            _look_at_files(finder, files, row_id, row, pictures and files.modality == "image")


def _look_at_cell(raw: Cell, reading: _Reading, row_id: str | None) -> None:
    column, setting = reading.column, reading.setting
    value = plain(raw, reading.missing)
    if value is None:
        column.missing += 1
        return
    column.values += 1
    if not (reading.numeric or setting.codes) or code_of(value) in setting.codes:
        return
    amount = number(value, reading.notation) if reading.numeric else None
    if reading.numeric and amount is None:
        column.unreadable += 1
    elif not reading.numeric or not _within(amount, setting):
        column.out_of_range += 1
    else:
        return
    column.note(raw, row_id)


def _within(amount: float | int | None, setting: Column) -> bool:
    low = setting.min is None or (amount is not None and amount >= setting.min)
    return low and (setting.max is None or (amount is not None and amount <= setting.max))


def _look_at_files(
    finder: FileFinder, files: FilesCheck, row_id: str, row: Cells, opened: bool
) -> None:
    found, refused, absent = finder.find(row_id, row)
    files.rows_with += bool(found)
    files.rows_without += not found
    files.found += len(found)
    files.absent += absent
    files.refused += len(refused)
    for name in refused:
        files.note(f"row {row_id!r:.80}: {name!r:.80} leaves the data folder")
    for path in found if opened else ():
        try:
            open_picture(path).close()
        except PictureError as error:
            files.broken[error.reason] = files.broken.get(error.reason, 0) + 1
            files.note(str(error))


def _warnings(
    found: Located, given: Schema, fitted: Schema, result: Scan, report: CheckReport
) -> list[str]:
    lines = [*found.said(), *notes(given, fitted, result)]
    for files in report.files:
        counts = Counter({"named but absent": files.absent, "refused": files.refused})
        counts.update({f"broken, {reason}": n for reason, n in files.broken.items()})
        if files.rows_without:
            lines.append(f"{files.rows_without} of {report.rows} rows have no {files.modality}")
        lines += [f"{files.modality} files {what}: {n}" for what, n in counts.items() if n]
    for column in report.columns:
        for what in ("unreadable", "out_of_range"):
            count = getattr(column, what)
            if count:
                shown = ", ".join(column.examples)
                lines.append(f"column {column.column}: {count} {what.replace('_', ' ')} ({shown})")
    return lines
