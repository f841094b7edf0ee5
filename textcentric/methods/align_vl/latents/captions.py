"""Rows as pairs of two modalities: one caption a pair, and all captions of a picture one group.

Sets of captions repeat the picture in several rows or list its captions in one cell. Where
neither a group nor a split is named, a row's group is its file, so that no picture is learnt from
by one caption and tested by another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from textcentric.data.dataset import Dataset
from textcentric.data.named import is_embedded
from textcentric.data.pairs.notation import as_list
from textcentric.data.records import RecordReader, RowError
from textcentric.data.rows import Rows
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Row
from textcentric.errors import DataError
from textcentric.methods.align_vl.latents.gone import Gone
from textcentric.rows import FILES, Record
from textcentric.values import Cell, Cells

NUMBER = "caption number"  # a column of rows that were one
RAW = "raw"  # a caption's text in sets that store its tokens too


@dataclass(frozen=True)
class _PairReader(RecordReader):
    """Read rows of which one may be a caption of many; with `by_file` their group is their file."""

    by_file: bool = False

    @classmethod
    def like(cls, reader: RecordReader, *, by_file: bool) -> _PairReader:
        """Return a reader that reads as `reader` does but for that."""
        return cls(
            **{one.name: getattr(reader, one.name) for one in fields(RecordReader)}, by_file=by_file
        )

    def record(self, row: Cells) -> Record:
        """Read one row; that of a caption among several has its number behind the id."""
        record, number = super().record(row), row.get(NUMBER)
        return record if number is None else replace(record, id=f"{record.id}#{number}")

    def group(self, row: Cells) -> str | None:
        """Return the group of `row`, or its first file."""
        if not self.by_file:
            return super().group(row)
        row_id = self.row_id(row)
        for finder in self.finders.values():
            for file in finder.find(row_id, row)[0]:
                return file.name if is_embedded(file) else os.path.relpath(file, finder.folder)
        return None


def paired(dataset: Rows, names: Sequence[str], left_out: Gone) -> Iterator[Record]:
    """Yield the rows that have both modalities `names`, and count all others in `left_out`.

    A caption that a cell lists is a row, called id#0, id#1, ... Rows of one file are one group
    where neither a group nor a split is named. Raises DataError for a file that is in two splits.
    """
    if isinstance(dataset, Dataset):
        dataset = _grouped(dataset)
    for reason, of in dataset.balance["left_out"].items():
        left_out.lines[reason] += of["rows"]
        left_out.examples[reason] = list(of["examples"])
    if isinstance(dataset, Dataset) and len(dataset.schema.text) == 1:
        dataset = _unfolded(dataset, dataset.schema.text[0])
    splits: dict[str, str | None] = {}
    lacking: set[str] = set()
    for row in dataset:
        if not all(row.inputs.get(name) for name in names):
            lacking.add(row.id)
            continue
        _refuse_straddling(row, names, splits)
        yield row
    for row_id, (reason, example) in _reasons(dataset, names, lacking):
        left_out.lose(row_id, reason, example)


def _grouped(dataset: Dataset) -> Dataset:
    """Return rows whose group is their file, where nothing else is named."""
    schema = dataset.schema
    files = {rule.column for rule in schema.files().values()}
    alone = schema.group is None or schema.group in files
    reader = _PairReader.like(dataset.reader, by_file=alone and schema.split is None)
    matching = dataset.matching if dataset.split is None else None
    return replace(dataset, reader=reader, matching=matching)


def _unfolded(dataset: Dataset, column: str) -> Dataset:
    """Return the rows with each caption of a list in `column` as a row of its own."""
    table = dataset.table
    if not any(len(_captions(row.get(column))) > 1 for row in table.rows()):
        return dataset
    wanted = None if dataset.limit is None else {record.id for record in dataset}

    def read(left_out: LeftOut) -> Iterator[Row]:
        for row in table.rows(left_out):
            captions = _captions(row.get(column))
            if wanted is not None and dataset.reader.row_id(row) not in wanted:
                continue
            for number, caption in enumerate(captions):
                yield {**row, column: caption, NUMBER: number if len(captions) > 1 else None}

    return replace(dataset, table=replace(table, read=read), limit=None, matching=None)


def _refuse_straddling(row: Record, names: Sequence[str], splits: dict[str, str | None]) -> None:
    for name in names:
        if name in FILES:
            file = str(row.inputs[name][0])
            if splits.setdefault(file, row.split) != row.split:
                raise DataError(
                    f"{file!r} is in the splits {splits[file]} and {row.split} (row {row.id!r}):"
                    " what is learnt from would be tested on; give all rows of a file one split",
                    row_id=row.id,
                )


def _reasons(
    dataset: Rows, names: Sequence[str], lacking: set[str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the id of rows that lack a modality, why, and what stands there, "" for nothing."""
    if not isinstance(dataset, Dataset):
        reason = f"row(s) without {' and '.join(names)}"
        yield from ((row_id, (reason, "")) for row_id in sorted(lacking))
        return
    for row in dataset.table.rows() if lacking else ():
        try:
            record = dataset.reader.record(row)
        except RowError:
            continue
        if record.id in lacking:
            absent = next(name for name in names if not record.inputs.get(name))
            yield record.id, _why(dataset.reader, record.id, row, absent)


def _why(reader: RecordReader, row_id: str, row: Cells, name: str) -> tuple[str, str]:
    finder = reader.finders.get(name)
    if finder is None:
        return f"row(s) without {name}", ""
    _, refused, absent = finder.find(row_id, row)
    cell = str(row.get(finder.rule.column or "") or "")
    if refused:
        return f"row(s) whose {name} lies outside the data folder", cell
    return f"row(s) whose {name} does not exist" if absent else f"row(s) without {name}", cell


def _captions(value: Cell) -> list[Cell]:
    """Return the captions of a cell: those that it lists, or the one that it is."""
    captions = as_list(value) if not isinstance(value, Mapping) else as_list(value.get(RAW))
    captions = [one.get(RAW) if isinstance(one, Mapping) else one for one in captions]
    several = len(captions) > 1 and all(isinstance(one, str) for one in captions)
    return list(captions) if several else [value]
