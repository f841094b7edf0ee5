"""One pass over a table before it is used, column by column: ids, groups, targets, files, numbers.

Of a row only hashes of its id and its group are kept, so a million rows need some 20 MB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from textcentric.data.notation import Notation
from textcentric.data.readings import plain
from textcentric.data.records import RecordReader, RowError
from textcentric.data.scanning.file_survey import FileSurvey, Opened
from textcentric.data.scanning.keys import Keys, hashes, splits_of
from textcentric.data.scanning.labels import LabelSurvey
from textcentric.data.scanning.presence import modalities_of
from textcentric.data.scanning.survey import ColumnReader, ColumnSurvey
from textcentric.data.schema import ROW_NUMBER, Column, Schema
from textcentric.data.tables.columns import (
    Batch,
    Mask,
    Values,
    cells,
    column_of,
    distinct,
    garbled,
    identifiers,
    plain_numbers,
    row_hashes,
    where,
)
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Table

KEPT_FAULTS = 100
Kind: TypeAlias = tuple[str, tuple[str, ...]]  # of a row: split, modalities


@dataclass(frozen=True, slots=True)
class RowFault:
    """One row that cannot be used, and why."""

    row_id: str | None
    field: str | None
    message: str


@dataclass
class Scan:
    """What one pass found; `faults` holds the first hundred of `faulty` rows.

    `left_out` counts lines that give no row, `unfit` the faulty rows by reason, `kinds` usable rows
    by (split, modalities), `classes` those by (split, class) where there are few classes.
    `copies` counts rows without ids that are copies of another, `copied` names the first of them.
    """

    rows: int = 0
    faulty: int = 0
    faults: list[RowFault] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    unfit: LeftOut = field(default_factory=LeftOut)
    doubled: list[str] = field(default_factory=list)
    straddling: list[str] = field(default_factory=list)
    copies: int = 0
    copied: str = ""
    unlabelled: int = 0
    garbled: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    classes: Counter[tuple[str, str]] = field(default_factory=Counter)
    labels: LabelSurvey = field(default_factory=LabelSurvey)
    columns: dict[str, ColumnSurvey] = field(default_factory=dict)
    files: dict[str, FileSurvey] = field(default_factory=dict)

    @property
    def splits(self) -> Counter[str]:
        """How many usable rows each split has, "" for rows in none."""
        counts: Counter[str] = Counter()
        for (split, _), rows in self.kinds.items():
            counts[split] += rows
        return counts

    def blame(self, error: RowError) -> None:
        """Count a faulty row and keep the first hundred."""
        self.faulty += 1
        self.unfit.add(error.reason, text=error.row_id or "")
        if len(self.faults) < KEPT_FAULTS:
            self.faults.append(RowFault(error.row_id, error.field, str(error)))


def scan(table: Table, reader: RecordReader, opened: Mapping[str, Opened] | None = None) -> Scan:
    """Read `table` once and return what is wrong with it; faulty rows are counted, not raised.

    `opened` has for a modality what opens a file of it and raises where it is broken.
    """
    look = _Look(reader, opened or {})
    for batch in table.batches(look.found.left_out):
        look.at(batch)
    found = look.found
    found.doubled = look.keys.doubled(look.ids(batch) for batch in table.batches())
    if copies := look.keys.copies():
        found.copies, found.copied = len(copies), "row {} is as row {}".format(*copies[0])
    if reader.schema.split is not None:
        groups = (zip(*look.groups(batch), strict=True) for batch in table.batches())
        found.straddling = look.keys.straddling(groups)
    return found


class _Look:
    """A look at a table, batch by batch."""

    def __init__(self, reader: RecordReader, opened: Mapping[str, Opened]) -> None:
        self.found, self.keys = Scan(), Keys()
        self._reader, self._schema, self._opened = reader, reader.schema, opened
        self._columns = {name: _column_reader(name, reader) for name in reader.used_columns}
        self.found.columns = {name: column.found for name, column in self._columns.items()}
        self.found.files = {modality: FileSurvey() for modality in reader.finders}

    def ids(self, batch: Batch) -> list[str | None]:
        """Return the ids of a batch."""
        return identifiers(column_of(batch, self._schema.id or ""), self._schema.missing)

    def groups(self, batch: Batch) -> tuple[list[str | None], list[str | None]]:
        """Return the groups of a batch, None where there is none, and the splits of its column."""
        reader, missing = self._reader, self._schema.missing
        group, split = self._schema.group, self._schema.split
        none: list[str | None] = [None] * len(batch)
        groups = none if group is None else identifiers(column_of(batch, group), missing)
        if split is None:
            return groups, none
        given = identifiers(column_of(batch, split), missing)
        return groups, [reader.named_split(value) for value in given]

    def at(self, batch: Batch) -> None:
        """Take one batch into account."""
        found, ids = self.found, self.ids(batch)
        found.rows += len(batch)
        for name, column in self._columns.items():
            column.add(column_of(batch, name), ids)
        splits = self._splits(batch, ids)
        modalities = modalities_of(batch, ids, self._files(batch, ids), self._reader)
        something = np.logical_or.reduce(list(modalities.values()))
        faults = dict(self._unusable(ids, something))
        usable = np.ones(len(batch), bool)
        usable[list(faults)] = False
        found.garbled += int((garbled(batch) & usable).sum())
        for at, error in self._look_at_labels(batch, ids, splits, usable):
            faults[at] = error
            usable[at] = False
        if self._schema.id == ROW_NUMBER and self._schema.group is None:
            self.keys.add_rows(row_hashes(batch, (ROW_NUMBER, self._schema.split)), usable)
        found.kinds.update(_kinds(splits, modalities, usable))
        for at in sorted(faults):
            found.blame(faults[at])

    def _splits(self, batch: Batch, ids: list[str | None]) -> list[str | None]:
        """Return the split of each row, and note the keys."""
        there = [key for key in ids if key is not None]
        hashed = hashes(there)
        self.keys.add_ids(hashed)
        groups, splits = self.groups(batch)
        if self._schema.split is not None:
            self.keys.add_groups(groups, splits)
            return splits
        if self._schema.group is not None:
            hashed = hashes([g or key for g, key in zip(groups, ids, strict=True) if key])
        told = iter(splits_of(hashed))
        return [None if key is None else next(told) for key in ids]

    def _unusable(self, ids: list[str | None], something: Mask) -> Iterator[tuple[int, RowError]]:
        """Yield the place of each row without an id or anything else, and what is wrong."""
        for at, row_id in enumerate(ids):
            if row_id is None:
                yield at, self._reader.without_id()
            elif not something[at]:
                yield at, self._reader.without_content(row_id)

    def _files(self, batch: Batch, ids: list[str | None]) -> dict[str, Mask]:
        """Look at the files of each row, and say of which modalities it has some."""
        found: dict[str, Mask] = {}
        for modality, finder in self._reader.finders.items():
            survey, opened = self.found.files[modality], self._opened.get(modality)
            column = finder.rule.column or ""
            values = cells(column_of(batch, column))
            found[modality] = np.array(
                [
                    row_id is not None and survey.add(finder, row_id, {column: cell}, opened)
                    for row_id, cell in zip(ids, values, strict=True)
                ],
                bool,
            )
        return found

    def _look_at_labels(
        self, batch: Batch, ids: list[str | None], splits: list[str | None], usable: Mask
    ) -> Iterator[tuple[int, RowError]]:
        """Yield the place of each row whose target cannot be used, and what is wrong."""
        schema, labels = self._schema, self.found.labels
        if schema.target is None:
            return
        values = column_of(batch, schema.target)
        asked = usable & ~self._says_nothing_new(values)
        rows = np.flatnonzero(asked)
        told = distinct(where(values, asked))
        names: dict[int, str] = {}
        for place, (raw, count, first) in enumerate(told):
            label = plain(raw, schema.missing_in(schema.target))
            if label is None:
                self.found.unlabelled += count
            elif self._fault(ids[rows[first]], label) is None:
                names[place] = labels.add(label, schema.missing, count)
            else:
                for at in rows[told.places == place].tolist():
                    if error := self._fault(ids[at], label):
                        yield at, error
        self._count_classes([splits[at] for at in rows.tolist()], told.places.tolist(), names)

    def _fault(self, row_id: str | None, label: Any) -> RowError | None:
        try:
            self._reader.read_label(row_id or "", label)
        except RowError as error:
            return error
        return None

    def _says_nothing_new(self, values: Values) -> Mask:
        """Say of each target whether it is one number more where there are too many for classes."""
        labels, schema = self.found.labels, self._schema
        declared = schema.choices or schema.notation(schema.target or "")
        written = plain_numbers(values) if labels.too_many and not declared else None
        if written is None:
            return np.zeros(len(values), bool)
        quiet: Mask = np.isfinite(written.amounts)
        labels.all_whole &= not (written.amounts[quiet] % 1).any()
        return quiet

    def _count_classes(
        self, splits: list[str | None], places: list[int], names: Mapping[int, str]
    ) -> None:
        if self.found.labels.too_many:
            self.found.classes.clear()
            return
        for (split, place), count in Counter(zip(splits, places, strict=True)).items():
            if place in names:
                self.found.classes[split or "", names[place]] += count


def _kinds(
    splits: Sequence[str | None], modalities: Mapping[str, Mask], usable: Mask
) -> Counter[Kind]:
    """Count the usable rows by split and modalities."""
    shapes = sum((mask.astype(np.int64) << at for at, mask in enumerate(modalities.values())), 0)
    rows = np.flatnonzero(usable).tolist()
    of = np.broadcast_to(shapes, len(usable)).tolist()
    counts = Counter((splits[at] or "", of[at]) for at in rows)
    return Counter(
        {
            (split, tuple(name for at, name in enumerate(modalities) if shape >> at & 1)): rows
            for (split, shape), rows in counts.items()
        }
    )


def _column_reader(name: str, reader: RecordReader) -> ColumnReader:
    schema = reader.schema
    setting = schema.columns.get(name, Column())
    return ColumnReader(
        setting,
        schema.missing_in(name),
        schema.notation(name),
        surveyed=name in reader.number_columns,
        numeric=setting.counts() or (name == schema.target and schema.task == "regression"),
    )


def notations(schema: Schema, result: Scan) -> dict[str, Notation]:
    """Return how the columns of numbers are written, by the schema or by all values."""
    columns = {name: found for name, found in result.columns.items() if found.surveyed}
    return {n: schema.notation(n) or found.numbers.notation() for n, found in columns.items()}
