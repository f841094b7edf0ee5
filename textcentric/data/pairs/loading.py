"""Preferences read from files or Hugging Face data sets, whatever their layout.

What cannot be used is left out and counted by reason; nothing is dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from textcentric.data.balance import balance_of, left_out
from textcentric.data.pairs.columns import IDS, find_layout, unread
from textcentric.data.pairs.layouts import LAYOUTS, Row, fault
from textcentric.data.pairs.notation import opened, refuse_lists
from textcentric.data.pairs.pictures import file_of
from textcentric.data.tables.frames import table_in_hand
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Table, from_hub, open_table
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.rows import Balance, Pair
from textcentric.security.foreign import reason

if TYPE_CHECKING:
    import datasets
    import pandas as pd

# What a caller may give as pairs: a frame, rows in a layout, pairs, or a name or path.
PairsLike: TypeAlias = (
    "datasets.Dataset | pd.DataFrame | Sequence[Pair] | Sequence[Mapping[str, object]] | str | Path"
)
ALONE = "it has fewer than two responses"
RESPONSES = ("chosen", "rejected", "rejected_response")
NOWHERE = "say nothing of a split"


@dataclass(frozen=True)
class PairSet:
    """Pairs, where they are from, and what was left out for which reason.

    `lines` are those of the source: as many as `pairs` and `left_out` together, but where one line
    gives several pairs, of which each counts. `told` is what else to know.
    """

    pairs: list[Pair]
    name: str
    layout: str
    left_out: LeftOut = field(default_factory=LeftOut)
    lines: int = 0
    told: tuple[str, ...] = ()

    def of_split(self, split: str) -> list[Pair]:
        """Return the pairs of one split; of all where no pair says its split."""
        if all(pair.split is None for pair in self.pairs):
            return self.pairs
        return [pair for pair in self.pairs if pair.split == split]

    def splits(self) -> str:
        """Return the splits and how many pairs are of each, in words."""
        counts = Counter(pair.split or NOWHERE for pair in self.pairs)
        return ", ".join(f"{name} ({count:,})" for name, count in counts.items())

    @property
    def balance(self) -> Balance:
        """How many pairs the source has, how many are given, and the others by reason."""
        return balance_of(len(self.pairs), left_out(self.left_out))

    def notes(self) -> list[str]:
        """Return how many lines give how many pairs, and what was left out, in words.

        >>> PairSet([], "a", "trl", LeftOut(Counter({"a response is empty": 2})), 2).notes()
        ['a: 2 lines, 0 pairs (trl)', 'a: 2 left out: a response is empty']
        """
        counts = f"{self.lines:,} lines, {len(self.pairs):,} pairs ({self.layout})"
        return [f"{self.name}: {note}" for note in (counts, *reasons(self.left_out), *self.told)]

    def without(self, dropped: Iterable[tuple[Pair, str]]) -> PairSet:
        """Return the set without some pairs, which are counted under the reason beside each."""
        counts = LeftOut.sum([self.left_out])
        gone = set()
        for pair, why in dropped:
            counts.add(why, text=_called(pair.id, pair.images))
            gone.add(id(pair))  # two pairs in hand may have one id
        pairs = [pair for pair in self.pairs if id(pair) not in gone]
        return replace(self, pairs=pairs, left_out=counts)


def read_pairs(
    source: PairsLike, *, layout: str | None = None, limit: int | None = None
) -> PairSet:
    """Read preferences from a file, a folder, a hub data set ("owner/name") or rows in hand.

    The layout is told from the columns unless it is named. `limit` is of rows. Raises DataError
    where there is no pair to learn from (saying which columns and which layouts), ConfigError for
    an unknown layout.
    """
    if layout is not None and layout not in LAYOUTS:
        raise ConfigError(unknown("layout of preferences", layout, LAYOUTS))
    if not isinstance(source, str | Path) and (pairs := _in_hand(source)):
        pairs = [replace(one, images=tuple(map(file_of, one.images))) for one in pairs[:limit]]
        return PairSet(pairs, "pairs", "pairs", lines=len(pairs))
    table = _table(source)
    first = _example(table)
    if not first:
        raise DataError(f"{table.path} has no row; expected preferences")
    name = layout or find_layout(table.columns, first, table.path)
    read = _Reading(table, name, limit)
    pairs = list(read)
    if not pairs:
        why = "; ".join(reasons(read.left_out))
        raise DataError(f"{table.path} (layout {name}) has no pair that can be used: {why}")
    ignored = unread(table.columns, name, first)
    told = (
        *table.notes,
        *([f"columns that are not read: {', '.join(ignored)}"] if ignored else []),
    )
    return PairSet(
        pairs, Path(table.path).name.split(".")[0], name, read.left_out, read.lines, told
    )


def reasons(left_out: LeftOut) -> list[str]:
    """Return why lines were left out, each reason with how many they are and the first three."""
    return [
        f"{count:,} left out: {why}" + (f" ({'; '.join(of)})" if of else "")
        for why, count in left_out.lines.most_common()
        for of in [left_out.examples.get(why, [])]
    ]


def _in_hand(source: object) -> list[Pair]:
    """Return the pairs that a program made itself; none where they are rows in a layout."""
    listed = list(source) if isinstance(source, list | tuple) else []
    return listed if all(isinstance(pair, Pair) for pair in listed) else []


def _table(source: PairsLike) -> Table:
    if (table := table_in_hand(source)) is not None:
        return table
    if not isinstance(source, str | Path):
        raise ConfigError(
            f"pairs are a {type(source).__name__}, expected a data frame, a list of dictionaries or"
            " of Pairs, a data set, or the name or path of one"
        )
    path = Path(source)
    hub = not path.exists() and str(source).count("/") == 1 and "." not in path.name
    return from_hub(str(source)) if hub else open_table(path)


def _example(table: Table) -> Row:
    """Return the first row whose conversations can be read, an empty one where there is no row."""
    first: Row = {}
    for row in table.rows():
        first = first or row
        with suppress(DataError):
            return opened(row)
    return first


class _Reading:
    """The pairs of a table, read once; `lines` and `left_out` count as they come."""

    def __init__(self, table: Table, layout: str, limit: int | None):
        self._table, self._layout, self._limit = table, layout, limit
        self._seen: Counter[str] = Counter()
        self._rows = self._faulty = 0
        self.left_out = LeftOut()

    @property
    def lines(self) -> int:
        """The lines that were read, with those that the table left out."""
        return self._rows + self.left_out.total() - self._faulty

    def __iter__(self) -> Iterator[Pair]:
        for row in islice(self._table.rows(self.left_out), self._limit):
            name = self._name(row)
            self._rows += 1
            for found in _read(self._layout, name, row, is_text=bool(self._table.form)):
                why = found if isinstance(found, str) else fault(found)
                if isinstance(found, Pair) and not why:
                    yield found
                else:
                    self._faulty += 1
                    self.left_out.add(why, text=f"pair {name}")

    def _name(self, row: Row) -> str:
        """Return the id of a row; one that comes again is told apart."""
        name = next((str(row[n]) for n in IDS if row.get(n) not in (None, "")), "")
        name = name or str(self._rows)
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}#{self._seen[name]}"


def _read(layout: str, name: str, row: Row, *, is_text: bool) -> list[Pair | str]:
    """Return what the layout's function makes of a row; a value of a wrong type is a reason.

    `is_text` says that the row is of a file that holds texts alone, such as a CSV.
    """
    try:
        if is_text:
            refuse_lists(row, RESPONSES)
        return list(LAYOUTS[layout].read(name, opened(row))) or [ALONE]
    except DataError as error:
        return [str(error)]
    except Exception as error:  # whatever a row of another shape makes of the layout
        return [f"the row is not laid out as {layout} ({reason(error)})"[:120]]


def _called(name: str, images: Sequence[str]) -> str:
    return f"pair {name}" + (f", picture {images[0]}" if images else "")
