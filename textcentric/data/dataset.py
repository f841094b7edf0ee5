"""A data set that is ready to use: streamed rows that can be read again and again."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from textcentric.data.records import RecordReader, RowError
from textcentric.data.scan import RowFault
from textcentric.data.schema import Schema
from textcentric.data.shown import Shown
from textcentric.data.tables import Table
from textcentric.rows import Record


@dataclass(frozen=True)
class Dataset(Shown):
    """Rows of one data set, filtered by split and modality, then cut at `limit`.

    `rows` are the usable ones before that, `matching` those that the filters keep, if known.
    `origin` is "sample", "folder", "file" or "hub"; `digest` is of the table's content; `notes`
    are warnings for people; `faults` are the first rows that were left out, `faulty` counts all.
    """

    name: str
    origin: str
    path: Path
    schema: Schema
    digest: str
    rows: int
    matching: int | None = None
    notes: tuple[str, ...] = ()
    faults: tuple[RowFault, ...] = ()
    faulty: int = 0
    split: str | None = None
    require: tuple[str, ...] = ()
    limit: int | None = None
    table: Table = field(kw_only=True, repr=False)
    reader: RecordReader = field(kw_only=True, repr=False)

    def __iter__(self) -> Iterator[Record]:
        return self.remaining()

    def remaining(self, finished: Container[str] = frozenset()) -> Iterator[Record]:
        """Yield the rows whose id is not `finished`, without reading what those hold.

        Finished rows count towards `limit`: they are taken to have passed the filters.
        """
        rows = islice(self._kept(finished), self.limit)
        return (record for record in rows if record is not None)

    def _kept(self, finished: Container[str]) -> Iterator[Record | None]:
        """Yield each row that the filters keep, None for a finished one."""
        for row in self.table.rows():
            try:
                record = None
                if self.reader.row_id(row) not in finished:
                    record = self.reader.record(row)
            except RowError:
                continue  # counted and shown in `faults` and `notes` when the table was loaded
            if record is None or self._wanted(record):
                yield record

    def _wanted(self, record: Record) -> bool:
        in_split = self.split is None or record.split == self.split
        return in_split and bool(record.inputs) and all(m in record.inputs for m in self.require)

    def count(self) -> int:
        """Return how many rows iterating gives; with `require` the first call reads the table."""
        return self._count

    @cached_property
    def _count(self) -> int:
        if self.matching is None:
            return sum(1 for _ in self)
        return self.matching if self.limit is None else min(self.matching, self.limit)
