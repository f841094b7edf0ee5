"""A data set that is ready to use: streamed rows that can be read again and again."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from textcentric.data.balance import balance_of, left_out
from textcentric.data.records import RecordReader, RowError
from textcentric.data.scanning.scan import Kind, RowFault
from textcentric.data.schema import Schema
from textcentric.data.shown import Shown
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Table
from textcentric.rows import Balance, Left, Record

OTHER_SPLIT = "row(s) of another split than {}"
BEYOND = "row(s) beyond the limit of {}"


@dataclass(frozen=True)
class Dataset(Shown):
    """Rows of one data set, filtered by split and modality, then cut at `limit`.

    `rows` are the usable ones before that, `matching` those that the filters keep, if known.
    `origin` is "sample", "folder", "file" or "hub"; `digest` is of the table's content; `notes`
    are warnings for people; `faults` are the first rows that were left out, `faulty` counts all,
    `unusable` lines and rows that cannot be used by reason; `kinds` usable rows by (split,
    modalities).
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
    unusable: Mapping[str, Left] = field(default_factory=dict)
    kinds: Mapping[Kind, int] = field(default_factory=dict, repr=False)
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
        for record in self._records(finished):
            if record is None or not unwanted(record, self.split, self.require):
                yield record

    def _records(self, finished: Container[str]) -> Iterator[Record | None]:
        """Yield each row that can be used, None for a finished one."""
        for row in self.table.rows():
            try:
                done = self.reader.row_id(row) in finished
                record = None if done else self.reader.record(row)
            except RowError:
                continue  # counted and shown in `faults` and `notes` when the table was loaded
            if record is None or record.inputs:
                yield record

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that stand in the text of a row: those of text and of the table."""
        return (*self.schema.text, *self.schema.table_columns(self.reader.columns))

    def count(self) -> int:
        """Return how many rows iterating gives; with `require` the first call reads the table."""
        return self._sifted[0]

    def kept_kinds(self) -> dict[Kind, int] | None:
        """Return `kinds` of the rows that the filters keep, None where a limit cuts them."""
        kept = {
            (split, modalities): rows
            for (split, modalities), rows in self.kinds.items()
            if self.split in (None, split) and set(self.require) <= set(modalities)
        }
        cut = self.limit is not None and self.limit < sum(kept.values())
        return None if cut else kept

    @property
    def balance(self) -> Balance:
        """How many rows the source has, how many iterating gives, and the others by reason.

        They add up. With `require` the first call reads the table.
        """
        given, filtered = self._sifted
        left = {**self.unusable, **filtered}
        beyond = self.rows - given - sum(of["rows"] for of in filtered.values())
        if beyond:
            left[BEYOND.format(self.limit)] = {"rows": beyond, "examples": []}
        return balance_of(given, left)

    @cached_property
    def _sifted(self) -> tuple[int, dict[str, Left]]:
        """How many rows the filters keep up to the limit, and those before it that they do not."""
        if self.matching is not None:
            others: Left = {"rows": self.rows - self.matching, "examples": []}
            given = self.matching if self.limit is None else min(self.matching, self.limit)
            return given, {OTHER_SPLIT.format(self.split): others} if others["rows"] else {}
        given, left = 0, LeftOut()
        for record in self._records(frozenset()):
            if record is not None and (reason := unwanted(record, self.split, self.require)):
                left.add(reason, text=record.id)
                continue
            given += 1
            if given == self.limit:
                break
        return given, left_out(left)


def unwanted(record: Record, split: str | None, require: Sequence[str]) -> str:
    """Say why rows of `split` with the modalities `require` lack `record`, "" where they do not."""
    if split is not None and record.split != split:
        return OTHER_SPLIT.format(split)
    absent = [modality for modality in require if not record.inputs.get(modality)]
    return f"row(s) without {absent[0]}" if absent else ""
