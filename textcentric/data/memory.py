"""Rows that a program holds in memory, in the shape of a loaded data set."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any, Protocol

from textcentric.data import Dataset, Schema, load
from textcentric.data.balance import balance_of, left_out
from textcentric.data.dataset import BEYOND, unwanted
from textcentric.data.loading import ALL, SchemaSource
from textcentric.data.media.files import named_file
from textcentric.data.named import embedded_folder
from textcentric.data.rows import Rows, RowsLike
from textcentric.data.scanning.labels import LabelSurvey
from textcentric.data.schema import fit_int64, read_schema, target_type
from textcentric.data.shown import Shown
from textcentric.data.tables.frames import table_in_hand
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import ConfigError, DataError, cut, unknown
from textcentric.rows import FILES, Balance, Left, Record, TargetType


class NamesRows(Protocol):
    """Settings that name a data set and choose among its rows."""

    @property
    def dataset(self) -> str: ...
    @property
    def data_dir(self) -> str | None: ...
    @property
    def table_schema(self) -> dict[str, Any] | str | None: ...
    @property
    def split(self) -> str | None: ...
    @property
    def limit(self) -> int | None: ...


@dataclass(frozen=True)
class InHand(Shown):
    """Records that a program made itself, in the shape of a loaded data set."""

    records: Sequence[Record]
    schema: Schema
    name: str = "rows"
    origin: str = "memory"
    path: Path = Path()
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, Left] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def remaining(self, finished: Container[str] = frozenset()) -> Iterator[Record]:
        """Yield the records whose id is not `finished`."""
        return (record for record in self.records if record.id not in finished)

    def count(self) -> int:
        """Return the number of records."""
        return len(self.records)

    @property
    def balance(self) -> Balance:
        """How many records were given, how many are kept, and the others by reason."""
        return balance_of(len(self.records), self.left_out)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the records' cells, in the order in which they first appear."""
        tables = (record.inputs.get("table") or {} for record in self.records)
        return tuple(dict.fromkeys(str(name) for table in tables for name in table))

    @cached_property
    def digest(self) -> str:
        """Return a digest of the records' ids and inputs."""
        total = hashlib.sha256()
        for record in self.records:
            known = (record.id, record.inputs, record.target, record.group, record.split)
            total.update(f"{known!r}\n".encode())
        return total.hexdigest()


def named_or(given: RowsLike | None, config: NamesRows) -> Rows:
    """Return the rows that settings name and choose, or `given` ones in their place."""
    return in_hand(
        config.dataset if given is None else given,
        config.table_schema,
        data_dir=config.data_dir,
        split=config.split,
        limit=config.limit,
    )


def in_hand(
    rows: RowsLike,
    schema: SchemaSource = None,
    *,
    data_dir: str | Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    require: Sequence[str] = (),
) -> Rows:
    """Return `rows` as a data set that can be iterated more than once.

    `split`, `limit` and `require` (modalities that a row must have) choose among them.
    """
    if isinstance(rows, Dataset):
        asked = None if split == ALL else split or rows.split
        chosen = asked, tuple(require) or rows.require
        same = chosen == (rows.split, rows.require)
        return replace(
            rows,
            split=chosen[0],
            limit=limit or rows.limit,
            require=chosen[1],
            matching=rows.matching if same else None,
        )
    if isinstance(rows, InHand):
        return _kept(rows, split, limit, require)
    table = table_in_hand(rows)
    if table is None and isinstance(rows, Iterable) and not isinstance(rows, str | Path):
        rows = list(rows)
        table = table_in_hand(rows)  # a generator of mappings
        if table is None:
            _check_records(rows)
            rows = list(map(_with_files, rows))
            found = _kept(InHand(rows, _schema_of(rows, schema)), split, limit, require)
            _check_targets(found)
            return found
    source = rows if table is None else table
    return load(
        source, data_dir=data_dir, schema=schema, split=split, limit=limit, require=tuple(require)
    )


def label(rows: RowsLike) -> str:
    """Return what rows are called: their name or path, "rows" where they have none."""
    if isinstance(rows, str | Path):
        return str(rows)
    return rows.name if isinstance(rows, Dataset | InHand) else "rows"


def _kept(rows: InHand, split: str | None, limit: int | None, require: Sequence[str]) -> InHand:
    """Return the rows that the filters leave."""
    split = None if split == ALL else split
    splits = {record.split for record in rows.records}
    if split is not None and split not in splits:
        raise ConfigError(unknown("split", split, filter(None, splits)))
    kept: list[Record] = []
    left = LeftOut()
    for record in rows.records:
        reason = unwanted(record, split, require)
        if not reason and len(kept) == limit:
            reason = BEYOND.format(limit)
        if reason:
            left.add(reason, text=record.id)
        else:
            kept.append(record)
    if not kept:
        raise DataError(f"no row has {' and '.join(require)}")
    return replace(rows, records=kept, left_out={**rows.left_out, **left_out(left)})


def _refuse_unwritable(record: Record) -> None:
    try:
        f"{record.id}{record.group}{record.split}{record.target}".encode()
    except ValueError as error:
        raise DataError(
            f"row {record.id!r:.60}: id, group, split and target must be writable as UTF-8"
            f" ({error})",
            row_id=record.id,
        ) from None


def _with_files(record: Record) -> Record:
    """Return a record whose pictures are files: those in hand are written into the cache."""
    held = {name: record.inputs.get(name, ()) for name in FILES}
    if all(isinstance(value, str | Path) for values in held.values() for value in values):
        return record
    try:
        files = {
            name: tuple(named_file(value, embedded_folder()) for value in values)
            for name, values in held.items()
            if values
        }
    except DataError as error:
        raise DataError(f"row {record.id!r:.60}: {error}", row_id=record.id) from None
    return replace(record, inputs={**record.inputs, **files})


def type_of_targets(rows: Rows) -> TargetType:
    """Return the type of all targets: of records the one that they have, else by the schema."""
    kind = target_type(rows.schema)
    if not isinstance(rows, InHand) or rows.schema.choices is not None:
        return kind
    targets = [record.target for record in rows.records if record.target is not None]
    if targets and fit_int64(targets):
        return "int64"
    numbers = all(isinstance(one, Real) and not isinstance(one, bool) for one in targets)
    return "double" if targets and numbers else kind


def _check_targets(rows: InHand) -> None:
    kind = type_of_targets(rows)
    if kind == "string":
        return
    expected = "a whole number, as its choices are" if kind == "int64" else "a number"
    for record in rows.records:
        if not _is_number(record.target or 0, whole=kind == "int64"):
            raise DataError(
                f"row {cut(record.id)!r} has target {record.target!r:.60}, expected {expected}",
                row_id=record.id,
                field="target",
            )


def _is_number(value: float | str, *, whole: bool) -> bool:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return False
    return number.is_integer() or not whole


def _check_records(records: Sequence[Record]) -> None:
    wrong = next((row for row in records if not isinstance(row, Record)), None)
    if wrong is not None or not records:
        kinds = sorted({type(row).__name__ for row in records})
        mixed = f"a mixed list, of {' and '.join(kinds)}; give rows of one kind"
        found = "no rows" if not kinds else mixed if kinds[1:] else f"a {kinds[0]}"
        raise ConfigError(
            "expected Records, dictionaries, a data frame, a data set or a name; got " + found
        )
    seen: set[str] = set()
    for record in records:
        _refuse_unwritable(record)
        if record.id in seen:
            raise ConfigError(
                f"the id {cut(record.id)!r} stands in more than one row; ids are unique"
            )
        seen.add(record.id)
    splits: dict[str, str | None] = {}
    for record in records:
        split = splits.setdefault(record.group or "", record.split)
        if record.group and split != record.split:
            both = " and ".join(sorted(map(cut, (split, record.split))))
            raise DataError(
                f"group {cut(record.group)!r} stands in the splits {both}; put it into one of them",
                row_id=record.id,
                field="group",
            )


def _schema_of(records: Sequence[Record], schema: SchemaSource) -> Schema:
    """Return the schema given, or one that says what the records show: modalities and task."""
    if schema is not None:
        return schema if isinstance(schema, Schema) else read_schema(schema)
    present = {name for record in records for name in record.inputs}
    files = {m: {"pattern": "{id}"} for m in FILES if m in present}
    return Schema.model_validate({"task": _task_of(records), **files})


def _task_of(records: Sequence[Record]) -> str:
    """Return the task that the targets show; without any they are taken as numbers."""
    labels = LabelSurvey()
    for record in records:
        if record.target is not None:
            labels.add(record.target, ())
    return labels.task() if labels.seen else "regression"
