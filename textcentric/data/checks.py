"""Check a data set before using it: columns, ids, targets and pictures, counted and explained.

Only what makes the rows useless as a whole counts as a problem; everything else is a warning.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from textcentric.data.fit import Fit
from textcentric.data.loading import (
    Fitting,
    Located,
    SchemaSource,
    locate,
    record_reader,
    with_labels,
)
from textcentric.data.media.pictures import open_picture
from textcentric.data.media.sounds import read_sound
from textcentric.data.named import Layout
from textcentric.data.notation import POINT, Notation
from textcentric.data.scanning.file_survey import FileSurvey, Opened
from textcentric.data.scanning.findings import balance, notes, unusable
from textcentric.data.scanning.scan import Scan, notations, scan
from textcentric.data.scanning.split_counts import SplitCount, doubts, how_made, split_counts
from textcentric.data.schema import Schema, numeric_target
from textcentric.errors import DataError
from textcentric.values import Json


@dataclass(frozen=True)
class ColumnCheck:
    """What one column holds; `role` is "table" for columns without another role."""

    column: str
    role: str
    values: int = 0
    missing: int = 0
    unreadable: int = 0
    out_of_range: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FilesCheck:
    """What became of the files of one modality; `broken` counts the reasons, if `opened`.

    `first` is the first broken file of each reason.
    """

    modality: str
    rows_with: int = 0
    rows_without: int = 0
    found: int = 0
    absent: int = 0
    refused: int = 0
    opened: bool = False
    broken: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


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
    splits: dict[str, SplitCount] = field(default_factory=dict)
    splits_made: str = ""
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
    fit: Fit | None = None,
) -> CheckReport:
    """Check a data set (as for `load`); with `pictures` every picture and sound is opened once.

    With `fit` it is read as the rows of a training were, and what differs from them is told.
    Raises ConfigError for an unknown data set or a schema that does not fit; whatever is wrong
    with the data itself stands in the report.

    >>> check("petfinder", data_dir="my-copy").usable  # doctest: +SKIP
    True
    """
    try:
        found = locate(dataset, data_dir=data_dir, schema=schema, fit=_fitting(fit))
        report = _checked(found, pictures)
        report.warnings[:0] = fit.notes if fit is not None else []
        return report
    except DataError as error:
        if fit is not None and not fit.allow_missing:
            lenient = replace(fit, allow_missing=True, notes=[])
            report = check(
                dataset, data_dir=data_dir, schema=schema, pictures=pictures, fit=lenient
            )
            return replace(report, problems=list(dict.fromkeys([str(error), *report.problems])))
        path = str(data_dir or dataset)
        return CheckReport(str(dataset), "unknown", path, problems=[str(error)])


def _fitting(fit: Fit | None) -> Fitting:
    """Return what makes new rows like those of a training; a target is read where there is one."""

    def fitted(layout: Layout) -> Layout:
        if fit is None:
            return layout
        return replace(fit, blind=not fit.finds_target(layout)).table(layout)

    return fitted


def _checked(found: Located, pictures: bool) -> CheckReport:
    reader = record_reader(found.layout)
    opened = _openers() if pictures else {}
    given, result = reader.schema, scan(found.layout.table, reader, opened)
    fitted = with_labels(given, result)
    report = CheckReport(found.name, found.origin, str(found.path), rows=result.rows)
    report.usable_rows = result.rows - result.faulty
    report.form, report.balance = found.layout.table.form, balance(result)
    report.left_out = result.left_out.to_dict()
    report.splits, report.splits_made = split_counts(fitted, result), how_made(given)
    report.doubled_ids = result.doubled[:100]
    report.faults = [fault.message for fault in result.faults]
    report.problems = unusable(given, result)
    written = notations(given, result)
    report.columns = [
        _column(name, role, result, fitted, written.get(name, POINT))
        for name, role in reader.used_columns.items()
    ]
    report.files = [_files(modality, survey) for modality, survey in result.files.items()]
    told = " ".join(report.problems)
    warnings = _warnings(found, given, fitted, result, report)
    report.warnings = [warning for warning in warnings if warning not in told]
    return report


def _openers() -> dict[str, Opened]:
    """Return what opens a file of each modality; sounds need a package for it."""
    openers: dict[str, Opened] = {"image": _open}
    return openers | ({"audio": _listen} if find_spec("soundfile") else {})


def _open(path: Path) -> None:
    open_picture(path).close()


def _listen(path: Path) -> None:
    read_sound(path)


def _column(name: str, role: str, result: Scan, schema: Schema, notation: Notation) -> ColumnCheck:
    survey = result.columns[name]
    if files := result.files.get(role):  # a cell may hold the file itself
        nothing = min(survey.missing, result.rows - files.naming())
        return ColumnCheck(name, role, result.rows - nothing, nothing)
    marked = result.labels.marked.total() if role == "target" and numeric_target(schema) else 0
    odd = survey.odd_in(notation)
    return ColumnCheck(
        name, role, survey.values - marked, survey.missing + marked,
        odd.unreadable, odd.out_of_range, odd.examples,
    )  # fmt: skip


def _files(modality: str, survey: FileSurvey) -> FilesCheck:
    return FilesCheck(
        modality, survey.rows_with, survey.rows_without, survey.found, survey.absent,
        survey.refused, survey.opened, dict(survey.broken), survey.first, survey.examples,
    )  # fmt: skip


def _warnings(
    found: Located, given: Schema, fitted: Schema, result: Scan, report: CheckReport
) -> list[str]:
    lines = [*found.said(), *notes(given, fitted, result)]
    lines += doubts(report.splits) if fitted.target else []
    for files in report.files:
        lines += [
            f"{files.modality} files broken: {count}, the first: {files.first[reason]}"
            for reason, count in files.broken.items()
        ]
        if files.found and not files.opened:
            lines.append(f"{files.modality} files were not opened, so broken ones are not known")
    for column in report.columns:
        for what in ("unreadable", "out_of_range"):
            count = getattr(column, what)
            if count:
                shown = ", ".join(column.examples)
                lines.append(f"column {column.column}: {count} {what.replace('_', ' ')} ({shown})")
    return lines
