"""The one name of a data set: rows that can be counted and read more than once."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from textcentric.errors import Caution, Say
from textcentric.rows import Balance, Record, Source

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from textcentric.data.schema import Schema


class Rows(Source, Protocol):
    """A data set: a name, where it is from, what its columns mean, and records in a fixed order.

    `origin` is "sample", "folder", "file", "hub", "memory" or "corrupted"; `digest` is of the
    content; `notes` are warnings for people. Iterating again gives the same records.
    """

    @property
    def path(self) -> Path: ...

    @property
    def schema(self) -> Schema: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def balance(self) -> Balance:
        """How many rows the source has, how many of them are given, and the others by reason."""

    def __iter__(self) -> Iterator[Record]: ...

    def remaining(self, finished: Container[str] = frozenset()) -> Iterator[Record]:
        """Yield the records whose id is not `finished`."""

    def count(self) -> int:
        """Return how many records iterating gives."""


def tell_notes(rows: Rows, say: Say) -> None:
    """Tell what people should know of rows, such as that a sample takes the place of the set."""
    for note in rows.notes:
        say(Caution(note))


# What a caller may give as rows: a data set, a frame, records, mappings, or a name or path.
RowsLike: TypeAlias = (
    "Rows | datasets.Dataset | datasets.DatasetDict | datasets.IterableDataset | pd.DataFrame"
    " | pl.DataFrame | pa.Table | Iterable[Record] | Iterable[Mapping[str, object]] | str | Path"
)
