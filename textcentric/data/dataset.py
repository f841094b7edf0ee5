"""A data set that is ready to use: streamed rows that can be read again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from textcentric.data.photo_labels import PhotoLabels
from textcentric.data.records import RecordReader, RowError
from textcentric.data.scan import RowFault
from textcentric.data.schema import Schema
from textcentric.data.tables import Table
from textcentric.rows import Record


@dataclass(frozen=True)
class Dataset:
    """Rows of one data set, filtered by split and modality, then cut at `limit`.

    `origin` is "sample", "folder", "file" or "hub"; `digest` is of the table's content; `notes`
    are warnings for people; `faults` are the first rows that were left out, `faulty` counts all.
    """

    name: str
    origin: str
    path: Path
    schema: Schema
    digest: str
    rows: int
    notes: tuple[str, ...] = ()
    faults: tuple[RowFault, ...] = ()
    faulty: int = 0
    split: str | None = None
    require: tuple[str, ...] = ()
    limit: int | None = None
    table: Table = field(kw_only=True, repr=False)
    reader: RecordReader = field(kw_only=True, repr=False)

    def __iter__(self) -> Iterator[Record]:
        return islice(self._kept(), self.limit)

    def _kept(self) -> Iterator[Record]:
        for row in self.table.rows():
            try:
                record = self.reader.record(row)
            except RowError:
                continue  # counted and shown in `faults` and `notes` when the table was loaded
            wanted = self.split is None or record.split == self.split
            if record.inputs and wanted and all(m in record.inputs for m in self.require):
                yield record

    def count(self) -> int:
        """Return how many rows iterating gives; the first call may read the table once."""
        return self._count

    @cached_property
    def _count(self) -> int:
        return sum(1 for _ in self)

    def image_labels(self) -> Mapping[str, PhotoLabels]:
        """Return {photo file name: what the data set says is on it}, empty if it says nothing."""
        by_row = self.reader.photo_labels
        return {photo.photo: photo for photos in by_row.values() for photo in photos}
