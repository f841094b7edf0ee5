"""What a file of a table holds: its columns, what reads its rows, and what it says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from textcentric.data.tables.json_files import Row
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Part: TypeAlias = "Row | pa.RecordBatch"
BATCH = 1000  # rows


@dataclass(frozen=True)
class Content:
    """The rows of a file, or of what a program holds.

    `names` has the words for columns of numbered classes, `orders` the categories of columns that
    have an order, the lowest first; `form` says how a text is written, `notes` what is out of the
    ordinary. `read` gives rows, or batches of them.
    """

    columns: tuple[str, ...]
    read: Callable[[LeftOut], Iterator[Part]] = field(repr=False)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    orders: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    form: str = ""
    notes: tuple[str, ...] = ()


def refuse_doubled(columns: Sequence[str], where: str) -> None:
    """Raise DataError if two columns have one name; `where` says of what, such as "table 'a'"."""
    doubled = sorted(name for name, count in Counter(columns).items() if count > 1)
    if doubled:
        raise DataError(f"{where} has column {doubled[0]!r:.80} twice; rename one")
