"""Preferences read from files or Hugging Face data sets, whatever their layout.

What cannot be used is left out and counted by reason; nothing is dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from textcentric.data.frames import table_in_hand
from textcentric.data.left_out import LeftOut
from textcentric.data.pairs.layouts import LAYOUTS, Row, fault, find_layout
from textcentric.data.tables import Table, from_hub, open_table
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.rows import Pair

if TYPE_CHECKING:
    import datasets
    import pandas as pd

# What a caller may give as pairs: a frame, rows in a layout, pairs, or a name or path.
PairsLike: TypeAlias = (
    "datasets.Dataset | pd.DataFrame | Sequence[Pair] | Sequence[Mapping[str, object]] | str | Path"
)
IDS = ("id", "ID", "pair_id", "idx", "question_id")


@dataclass(frozen=True)
class PairSet:
    """Pairs, where they are from, and how many were left out for which reason."""

    pairs: list[Pair]
    name: str
    layout: str
    dropped: Counter[str] = field(default_factory=Counter)

    def of_split(self, split: str) -> list[Pair]:
        """Return the pairs of one split; of all where no pair says its split."""
        if all(pair.split is None for pair in self.pairs):
            return self.pairs
        return [pair for pair in self.pairs if pair.split == split]

    def notes(self) -> list[str]:
        """Return what was left out, in words.

        >>> PairSet([], "a", "trl", Counter({"a response is empty": 2})).notes()
        ['a: 2 left out: a response is empty']
        """
        return [f"{self.name}: {n:,} left out: {why}" for why, n in self.dropped.most_common()]


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
        return PairSet(pairs[:limit], "pairs", "pairs")
    table = _table(source)
    first = next(table.rows(), None)
    if first is None:
        raise DataError(f"{table.path} has no row; expected preferences")
    name = layout or find_layout(table.columns, first, table.path)
    dropped: Counter[str] = Counter()
    pairs = list(_kept(table, name, limit, dropped))
    if not pairs:
        why = "; ".join(f"{n:,} left out: {reason}" for reason, n in dropped.most_common())
        raise DataError(f"{table.path} (layout {name}) has no pair that can be used: {why}")
    return PairSet(pairs, Path(table.path).name.split(".")[0], name, dropped)


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


def _kept(table: Table, layout: str, limit: int | None, dropped: Counter[str]) -> Iterator[Pair]:
    seen: Counter[str] = Counter()
    left_out = LeftOut()
    for number, row in enumerate(islice(table.rows(left_out), limit)):
        name = _id(row, number)
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name}#{seen[name]}"
        for found in _read(layout, name, row):
            why = found if isinstance(found, str) else fault(found)
            if isinstance(found, Pair) and not why:
                yield found
            else:
                dropped[why] += 1
    dropped.update(left_out.lines)


def _read(layout: str, name: str, row: Row) -> list[Pair | str]:
    """Return what the layout's function makes of a row; a value of a wrong type is a reason."""
    try:
        return list(LAYOUTS[layout].read(name, row))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return [f"the row is not laid out as {layout} ({type(error).__name__}: {error})"[:120]]


def _id(row: Row, number: int) -> str:
    for name in IDS:
        if row.get(name) not in (None, ""):
            return str(row[name])
    return str(number)
