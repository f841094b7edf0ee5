"""One pass over a table before it is used: ids, groups, targets and files that leave the folder.

Ids (and, where the table names splits, groups) are kept as Arrow arrays, not as Python
objects: a million rows peak at about 250 MB while doubled ids are looked for.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from textcentric.data.labels import LabelSurvey
from textcentric.data.left_out import LeftOut
from textcentric.data.named import Layout, cache_folder
from textcentric.data.notation import COMMA, POINT, Notation, NumberSurvey
from textcentric.data.readings import plain
from textcentric.data.records import RecordReader, RowError
from textcentric.data.schema import Schema, Split, numeric_target
from textcentric.data.tables import BATCH, Table
from textcentric.folders import written
from textcentric.values import Cells, Json

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_FAULTS = 100
VERSION = 3  # raise when a scan looks at rows in another way: the cache goes by it
FEW, FEW_SHARE = 2, 0.01  # rows that may have stray bytes, and their share
LARGE = 5_000  # rows; a smaller table is looked through in no time


@dataclass(frozen=True, slots=True)
class RowFault:
    """One row that cannot be used, and why."""

    row_id: str | None
    field: str | None
    message: str


@dataclass
class Scan:
    """What one pass found; `faults` holds the first hundred of `faulty` rows.

    `left_out` counts lines that give no row, `unfit` the faulty rows by reason.
    """

    rows: int = 0
    faulty: int = 0
    faults: list[RowFault] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    unfit: LeftOut = field(default_factory=LeftOut)
    doubled: list[str] = field(default_factory=list)
    straddling: list[str] = field(default_factory=list)
    unlabelled: int = 0
    garbled: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict)
    splits: Counter[str] = field(default_factory=Counter)
    labels: LabelSurvey = field(default_factory=LabelSurvey)
    numbers: dict[str, NumberSurvey] = field(default_factory=dict)

    def blame(self, error: RowError) -> None:
        """Count a faulty row and keep the first hundred."""
        self.faulty += 1
        self.unfit.add(error.reason, text=error.row_id or "")
        if len(self.faults) < KEPT_FAULTS:
            self.faults.append(RowFault(error.row_id, error.field, str(error)))


def scan(table: Table, reader: RecordReader) -> Scan:
    """Read `table` once and return what is wrong with it; faulty rows are counted, not raised."""
    found, keys = Scan(), _Keys()
    for row in table.rows(found.left_out):
        found.rows += 1
        try:
            _look_at(row, reader, found, keys)
        except RowError as error:
            found.blame(error)
    found.doubled = keys.doubled()
    found.straddling = keys.straddling() if reader.schema.split else []
    return found


def _look_at(row: Cells, reader: RecordReader, found: Scan, keys: _Keys) -> None:
    row_id = reader.row_id(row)
    group = reader.group(row)
    split = reader.split(row, group or row_id)
    straddling = reader.schema.split is not None  # else the split follows from the group
    keys.add(row_id, group if straddling else None, split if straddling else None)
    if reader.is_empty(row_id, row):
        message = f"row {row_id!r} has nothing in any modality; remove it"
        raise RowError(message, "row(s) with nothing in any modality", row_id=row_id)
    found.garbled += any(isinstance(v, str) and "\ufffd" in v for v in row.values())
    for modality, finder in reader.finders.items():
        if finder.rule.column or finder.index is not None:
            refused = finder.find(row_id, row)[1]
            found.refused.setdefault(modality, []).extend(refused)
    _look_at_numbers(row, reader, found)
    if reader.target(row_id, row) is None:
        found.unlabelled += reader.schema.target is not None
    else:
        found.labels.add(reader.label(row), reader.schema.missing)
    found.splits[split or ""] += 1


def _look_at_numbers(row: Cells, reader: RecordReader, found: Scan) -> None:
    for name in reader.number_columns:
        value = plain(row.get(name), reader.schema.missing)
        if isinstance(value, str):
            found.numbers.setdefault(name, NumberSurvey()).add(value)


def notations(schema: Schema, result: Scan) -> dict[str, Notation]:
    """Return how the columns of numbers are written that say so, by the schema or by all values."""
    surveyed = {name: survey.notation() for name, survey in result.numbers.items()}
    return {name: schema.notation(name) or shown for name, shown in surveyed.items()}


def _doubts(schema: Schema, result: Scan) -> Iterator[str]:
    """Yield why the notation of a column cannot be told."""
    words = schema.task is None and not result.labels.all_numbers
    for name, survey in result.numbers.items():
        known = schema.notation(name) is not None or (name == schema.target and words)
        if not known and (doubt := survey.doubt()):
            yield (
                f"column {name}: {doubt}; say which, `{POINT}` or `{COMMA}`, in the schema"
                f" (until now it was read as `{POINT}`)"
            )


def unusable(schema: Schema, result: Scan) -> list[str]:
    """Say why the rows as a whole cannot be used; empty if they can."""
    reasons = []
    if result.rows == result.faulty:
        first = f": {result.faults[0].message}" if result.faults else ""
        skipped = "".join(f"; {note}" for note in result.left_out.notes())
        reasons.append(f"no readable row among {result.rows}{first}{skipped}")
    if result.garbled > max(FEW, FEW_SHARE * result.rows) and schema.encoding is None:
        reasons.append(
            f"{result.garbled:,} of {result.rows:,} rows have bytes that are not UTF-8; say which"
            " encoding the file has, such as `encoding: cp1252` in the schema (`encoding: utf-8`"
            " reads them with \ufffd)"
        )
    reasons += _doubts(schema, result)
    classes = schema.choices or result.labels.choices() or {}
    if schema.task == "ordinal" and not schema.choices and any(isinstance(c, str) for c in classes):
        shown = ", ".join(map(str, list(classes)[:5]))
        reasons.append(
            f"column {schema.target!r} has words for ordered classes ({shown}), whose order is not"
            " known; say it in the schema, `choices: [LOWEST, ..., HIGHEST]`"
        )
    if others := sorted({*result.splits} - {"", *get_args(Split)}):
        shown = ", ".join(f"{name!r:.40}" for name in others[:5])
        reasons.append(
            f"{plural(len(others), 'value')} of split column {schema.split!r} other than"
            f" {', '.join(get_args(Split))} ({shown}); say in the schema what they are, such as"
            f" `splits: {{{others[0]:.40}: validation}}` (`null`: in no split), or name no"
            " split column"
        )
    if result.doubled:
        shown = ", ".join(map(repr, result.doubled[:5]))
        reasons.append(
            f"{plural(len(result.doubled), 'id')} of column {schema.id!r} in more than one row"
            f" ({shown}); every id must be unique"
        )
    if result.straddling:
        shown = ", ".join(map(repr, result.straddling[:5]))
        reasons.append(
            f"{plural(len(result.straddling), 'group')} of column {schema.group!r} in more than"
            f" one split ({shown}); put each group into one split"
        )
    return reasons


def balance(result: Scan) -> str:
    """Say how many rows are given of how many lines, and why the others are not.

    A line of a text file gives one row, no row, or a part of one where a value has line breaks.

    >>> balance(Scan(rows=7, faulty=2))
    '7 rows in the source = 5 given + 2 left out'
    """
    left = result.left_out.total() + result.faulty
    total, given = result.rows + result.left_out.total(), result.rows - result.faulty
    return f"{total:,} rows in the source = {given:,} given + {left:,} left out"


def notes(given: Schema, fitted: Schema, result: Scan) -> list[str]:
    """Say in one line each what was left out or assumed."""
    lines = list(result.left_out.notes())
    if result.faulty:
        lines.append(f"{plural(result.faulty, 'row')} left out; first: {result.faults[0].message}")
    marked = result.labels.marked.total() if numeric_target(fitted) else 0
    if unlabelled := result.unlabelled + marked:
        lines.append(f"{plural(unlabelled, 'row')} without {fitted.target}")
    if result.garbled:
        lines.append(
            f"{plural(result.garbled, 'row')} with bytes that are not UTF-8, shown as \ufffd"
        )
    for modality, refused in result.refused.items():
        if refused:
            lines.append(
                f"refused {plural(len(refused), f'{modality} file')} outside the data folder"
                f"; first: {refused[0]!r:.80}"
            )
    if given.target and given.task is None and fitted.task:
        lines.append(f"task taken as {fitted.task}, going by {fitted.target}; `task:` decides")
    return lines


def plural(count: int, noun: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


class _Keys:
    """The ids, groups and splits of all rows, packed away in batches."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str | None, str | None]] = []
        self._packed: list[pa.RecordBatch] = []

    def add(self, row_id: str, group: str | None, split: str | None) -> None:
        self._waiting.append((row_id, group, split))
        if len(self._waiting) >= 10 * BATCH:
            self._pack()

    def _pack(self) -> None:
        import pyarrow as pa

        columns = list(zip(*self._waiting, strict=True)) or [(), (), ()]
        arrays = [pa.array(column, pa.large_string()) for column in columns]
        self._packed.append(pa.record_batch(arrays, names=["id", "group", "split"]))
        self._waiting.clear()

    def _table(self) -> pa.Table:
        import pyarrow as pa

        self._pack()
        return pa.Table.from_batches(self._packed)

    def doubled(self) -> list[str]:
        """Return the ids that stand in more than one row."""
        import pyarrow.compute as pc

        counts = self._table().group_by("id").aggregate([("id", "count")])
        ids: list[str] = counts.filter(pc.greater(counts["id_count"], 1))["id"].to_pylist()
        return ids

    def straddling(self) -> list[str]:
        """Return the groups that have rows in more than one split."""
        import pyarrow.compute as pc

        pairs = self._table().group_by(["group", "split"]).aggregate([])
        counts = pairs.group_by("group").aggregate([("split", "count")])
        many = counts.filter(pc.greater(counts["split_count"], 1))
        return [group for group in many["group"].to_pylist() if group is not None]


def remembered_scan(layout: Layout, reader: RecordReader, digest: str) -> Scan:
    """Return what a scan of `layout` finds, from the cache where it lies there already.

    `digest` is of the content of its tables.
    """
    if reader.finders or not layout.table.files:
        return scan(layout.table, reader)
    path = cache_folder() / "scans" / f"{scan_key(reader, digest)}.json"
    found = read_scan(path)
    if found is None:
        found = scan(layout.table, reader)
        if found.rows >= LARGE:
            write_scan(path, found)
    return found


def scan_key(reader: RecordReader, digest: str) -> str:
    """Return 32 hex digits that stand for all that decides a scan."""
    decides = [VERSION, digest, reader.columns, reader.schema.model_dump_json()]
    return hashlib.blake2b(json.dumps(decides).encode(), digest_size=16).hexdigest()


def read_scan(path: Path) -> Scan | None:
    """Read a scan; None where there is none, or none of this shape."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values["splits"] = Counter(dict(values["splits"]))
        for name in ("left_out", "unfit"):
            values[name] = LeftOut.of(values[name])
        values["faults"] = [RowFault(**fault) for fault in values["faults"]]
        labels = values["labels"]
        values["labels"] = LabelSurvey(**labels | {"marked": Counter(dict(labels["marked"]))})
        values["numbers"] = {n: NumberSurvey(**seen) for n, seen in values["numbers"].items()}
        return Scan(**values)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # then the table is scanned, as if nothing had been kept


def write_scan(path: Path, found: Scan) -> None:
    """Keep `found`; a cache that cannot be written only costs the time of the next scan."""
    values: dict[str, Json] = {f.name: getattr(found, f.name) for f in fields(found)}
    values["faults"] = [asdict(fault) for fault in found.faults]
    values["labels"] = vars(found.labels)
    values["numbers"] = {name: asdict(survey) for name, survey in found.numbers.items()}
    values["left_out"], values["unfit"] = found.left_out.to_dict(), found.unfit.to_dict()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as draft:
            draft.write_text(json.dumps(values), encoding="utf-8")
