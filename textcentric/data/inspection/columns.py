"""The columns of a table, each given one kind by all of the values that were looked at.

A kind comes with its evidence, and with the values that do not fit it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, pairwise
from typing import Literal

from textcentric.data.inspection.kinds import BOOLEANS, Shape, shape_of
from textcentric.data.inspection.names import IDS, TARGETS, TEXTS, words_of
from textcentric.data.notation import CURRENCIES, NumberSurvey
from textcentric.data.readings import code_of, number, plain
from textcentric.data.scanning.labels import MAX_CHOICES
from textcentric.data.schema import MISSING, NO_CLASS
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Table
from textcentric.values import Cell

CLASS_MARKS = {*MISSING} - {*NO_CLASS}
FEW = 20  # different whole numbers that a person may mean as classes
Kind = Literal[
    "empty", "constant", "id", "counter", "class", "number", "date", "boolean", "list",
    "conversation", "object", "picture", "sound", "path", "url", "text", "words",
]  # fmt: skip
LOOKED_AT = 20_000  # rows
SURE = 0.9  # share of values that makes a kind
MOSTLY, SOME = 0.5, 0.1  # shares of long values that make a column one of texts; by its name, too
LONG_ITEM = 80  # characters of an item of a list that is a text
EXAMPLES = 3
FEW_WORDS = 3  # among numbers
WORDS = 2  # of a text, on average
SHOWN = 40  # characters of a value
KEPT = 80  # characters of a value that are remembered
_FILES = ("picture", "sound", "path")
_STRUCTURES = ("conversation", "object", "list", "url")
_ITEM = re.compile(r"['\"],\s*['\"]")
_MONEY = re.compile(CURRENCIES)


def shown(text: str) -> str:
    """Return a value in quotation marks, a long one cut.

    >>> shown("a" * 50)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'"
    """
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


@dataclass
class ColumnProfile:
    """What the values of one column look like; `cells` has them as text, None where missing."""

    name: str
    cells: list[str | None] = field(default_factory=list)
    shapes: Counter[Shape] = field(default_factory=Counter)
    examples: dict[Shape, list[str]] = field(default_factory=dict)
    marked: Counter[str] = field(default_factory=Counter)
    numbers: NumberSurvey = field(default_factory=NumberSurvey)
    words: int = 0
    money: bool = False
    barred: int = 0
    long_items: int = 0
    _shapes: dict[str, Shape] = field(default_factory=dict, repr=False)

    def add(self, value: Cell) -> None:
        """Take the value of the next row into account."""
        text = value.strip() if isinstance(value, str) else None
        if text is not None and text in self._shapes:
            self._keep(self._shapes[text], text)
        elif text is not None and text in MISSING:
            self.marked[text] += bool(text)
            self.cells.append(None)
        elif value is None or (text is None and _is_nothing(value)):
            self.cells.append(None)
        else:
            self._add_new(value, str(value).strip() if text is None else text)

    def _add_new(self, value: Cell, text: str) -> None:
        shape = shape_of(value)
        if isinstance(value, str) and len(text) <= KEPT:
            self._shapes[text] = shape
        kept = self.examples.setdefault(shape, [])
        if len(kept) < EXAMPLES:
            kept.append(f"{shown(text)} in row {len(self.cells) + 1}")
        if shape == "number" and isinstance(value, str):
            self.numbers.add(text)
            bare = text[0].isdigit() and text[-1].isdigit()
            self.money = self.money or bool(not bare and _MONEY.search(text))
        self._keep(shape, text)

    def _keep(self, shape: Shape, text: str) -> None:
        self.shapes[shape] += 1
        if shape in ("text", "words"):
            self.words += len(text.split())
            self.barred += "|" in text
        elif shape == "list":
            self.long_items += len(text) > LONG_ITEM * len(_ITEM.split(text))
        self.cells.append(text if len(text) <= KEPT else f"{text[:SHOWN]}... {hash(text):x}")

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value stands in the column."""
        return Counter(cell for cell in self.cells if cell is not None)

    @cached_property
    def values(self) -> int:
        """How many rows have a value."""
        return self.counts.total()

    @property
    def different(self) -> int:
        """How many different values there are."""
        return len(self.counts)

    @property
    def complete(self) -> bool:
        """Say whether every row has a value."""
        return self.values == len(self.cells)

    @property
    def unique(self) -> bool:
        """Say whether every row has a value of its own."""
        return self.complete and self.different == self.values > 1

    @cached_property
    def amounts(self) -> list[float | int | None]:
        """The values as numbers, None for others."""
        return [None if cell is None else self._numbers[cell] for cell in self.cells]

    @cached_property
    def _numbers(self) -> dict[str, float | int | None]:
        notation = self.numbers.notation()
        return {cell: number(cell, notation) for cell in self.counts}

    @cached_property
    def whole(self) -> list[int]:
        """The different whole numbers in order; empty in a column of other values."""
        if not self.mostly_numbers:
            return []
        seen = {amount for amount in self.amounts if amount is not None}
        return sorted(map(int, seen)) if all(isinstance(n, int) for n in seen) else []

    @property
    def marks(self) -> dict[str, int]:
        """How often words stand in a column of words that may be values or stand for nothing."""
        words = self.values and not self.mostly_numbers and self.kind not in ("number", "date")
        return {mark: n for mark, n in self.marked.items() if words and n and mark in CLASS_MARKS}

    def in_marks(self) -> str:
        """Say what `marks` are: "'NA' in 20 rows"."""
        return ", ".join(f"{mark!r} in {count:,} rows" for mark, count in self.marks.items())

    @property
    def dotted(self) -> bool:
        """Say whether numbers are written with a needless .0."""
        return any(cell.endswith(".0") for cell in self.counts)

    @property
    def named_id(self) -> bool:
        """Say whether the column is called like one of ids."""
        return bool(IDS & {*words_of(self.name)[-1:], *words_of(self.name)[:1]})

    @cached_property
    def kind(self) -> Kind:
        """The kind of the column, by all of its values."""
        if not self.values:
            return "empty"
        shape, count = self.shapes.most_common(1)[0]
        if shape in _FILES and count >= SURE * self.values:
            return shape  # type: ignore[return-value]  # the names are those of kinds
        if self.different == 1 < len(self.cells) * SURE <= self.values:
            return "constant"
        if shape in _STRUCTURES and count >= SURE * self.values:
            return shape  # type: ignore[return-value]
        return self._kind_of_words(shape, count)

    def _kind_of_words(self, shape: Shape, count: int) -> Kind:
        if shape == "boolean" or self.two_words:
            return "boolean"
        if self.mostly_numbers:
            return self._kind_of_numbers()
        if shape == "date" and count >= SURE * self.values:
            return "date"
        if self.barred >= MOSTLY * self.values and self.different > 2:
            return "list"
        few = self.different <= min(MAX_CHOICES, max(2, self.values // 2))
        named = bool(TEXTS & {*words_of(self.name)})
        several = not few or named or self.different > FEW
        if several and self.shapes["text"] >= (SOME if named else MOSTLY) * self.values:
            return "text"
        said = {*words_of(self.name)} & {*TARGETS, *TEXTS}
        nameable = self.named_id or not said
        if self.unique and nameable and not any(" " in cell for cell in self.counts):
            return "id"
        return "class" if few else "words"

    def _kind_of_numbers(self) -> Kind:
        if self.unique and self.whole:
            steps = {b - a for a, b in pairwise(self.amounts) if a is not None and b is not None}
            if steps == {1} and self.values > 2:
                return "counter"
            return "id" if self.named_id else "number"
        few = self.different <= min(FEW, self.values // 2)
        return "class" if few and self.whole else "number"

    @property
    def two_words(self) -> tuple[str, ...]:
        """The two words of a column of yes and no, no first; empty for others."""
        seen = {cell.lower() for cell in self.counts}
        fits = (pair for pair in BOOLEANS if len(seen) == 2 and seen == set(pair))
        return next(fits, ())

    @property
    def of_texts(self) -> bool:
        """Say whether it holds lists whose items are mostly texts."""
        return self.kind == "list" and self.long_items > self.values / 2

    @property
    def coded(self) -> bool:
        """Say whether its values are few whole numbers, which may stand for words."""
        return self.kind == "class" and len(self.whole) > 1

    @cached_property
    def codes(self) -> list[str]:
        """The keys that `codes` of a schema needs for whole numbers, as they stand: 1, or 01."""
        if not (self.whole or self.padded):
            return []
        keys = {code_of(cell) for cell in self.counts}
        kept = [key for key in keys if self.padded or key.lstrip("-").isdecimal()]
        return sorted(kept, key=lambda key: (number(key) or 0, key))

    @cached_property
    def padded(self) -> bool:
        """Say whether numbers begin with a zero, as codes of digits do, and none has decimals."""
        zeros = any(cell[0] == "0" and len(cell) > 1 and cell.isdecimal() for cell in self.counts)
        return zeros and all(cell.isdecimal() or number(cell) is None for cell in self.counts)

    @property
    def ranked(self) -> bool:
        """Say whether it has three or more whole numbers that follow each other."""
        return self.coded and len(self.whole) > 2 and len(self.whole) == self._span + 1

    @property
    def only_numbers(self) -> bool:
        """Say whether no value but a few words is other than a number."""
        return all(self._numbers[cell] is not None for cell in self.counts) or bool(
            self.placeholders()
        )

    @property
    def _span(self) -> int:
        return self.whole[-1] - self.whole[0]

    def odd(self) -> str:
        """Return the values that do not fit a column of numbers or dates, with their rows."""
        own: Shape | None = (
            "number" if self.amount_like else "date" if self.kind == "date" else None
        )
        others = sum(n for shape, n in self.shapes.items() if shape != own)
        if own is None or not others:
            return ""
        odd = [text for shape, kept in self.examples.items() if shape != own for text in kept]
        return f"{others:,} other: {', '.join(odd[:EXAMPLES])}"

    def placeholders(self) -> list[str]:
        """Return the words of a column of numbers, where they are few: they stand for nothing."""
        if not self.amount_like:
            return []
        words = [cell for cell in self.counts if self._numbers[cell] is None]
        return words if len(words) <= FEW_WORDS else []

    @property
    def amount_like(self) -> bool:
        """Say whether it holds numbers, codes among them."""
        return self.mostly_numbers and self.kind != "constant"

    @cached_property
    def mostly_numbers(self) -> bool:
        """Say whether values are numbers, or numbers and a few words that stand for none."""
        numbers = self.shapes["number"]
        if not numbers or numbers < MOSTLY * self.values or self.padded:
            return False
        if numbers >= SURE * self.values:
            return True
        words = [cell for cell, value in self._numbers.items() if value is None]
        repeated = sum(self.counts[word] for word in words) >= 2 * len(words)
        return repeated and len(words) <= FEW_WORDS

    def about(self) -> str:
        """Say what the column holds, in a few words.

        >>> profile = ColumnProfile("age")
        >>> for value in ("3", "40", "", "old", "5"): profile.add(value)
        >>> profile.about()
        'words, 4 different; 1 of 5 rows without'
        """
        said = [self._range()]
        missing = len(self.cells) - self.values
        marks = f" ({self.in_marks()})" if self.marks else ""
        said += [f"{missing:,} of {len(self.cells):,} rows without{marks}"] if missing else []
        said += [odd] if (odd := self.odd()) else []
        return "; ".join(said)

    def _range(self) -> str:
        kind = self.kind
        if kind == "empty":
            return "no value"
        if kind == "constant":
            return f"{shown(next(iter(self.counts)))} in every row that has a value"
        if kind == "number" or self.coded:
            amounts = [amount for amount in self.amounts if amount is not None]
            if not amounts:
                return f"numbers too long to count with, such as {shown(next(iter(self.counts)))}"
            return (
                f"{'whole numbers' if self.whole else 'numbers'}, {min(amounts)} to {max(amounts)}"
            )
        if kind in ("class", "boolean"):
            most = [shown(name) for name, _ in self.counts.most_common(4)]
            more = ", ..." if self.different > len(most) else ""
            return f"{self.different} values ({', '.join(most)}{more})"
        if kind == "date":
            return f"dates, such as {shown(next(iter(self.counts)))}"
        if kind == "text":
            words = self.words / self.values
            if words < WORDS:  # of a script that has no blanks
                return f"texts, {sum(map(len, self.counts)) / self.different:.0f} characters each"
            return f"texts, {words:.0f} words on average"
        return _NAMES.get(kind, f"words, {self.different:,} different")


_NAMES: dict[Kind, str] = {
    "id": "a value of its own in every row",
    "counter": "a number that goes up by one in every row",
    "list": "lists",
    "conversation": "conversations",
    "object": "objects",
    "picture": "pictures, in the table itself",
    "sound": "sounds, in the table itself",
    "path": "names of files",
    "url": "addresses",
}


@dataclass(frozen=True)
class TableProfile:
    """The columns of a table by their names, and how many rows were looked at.

    `whole` says whether these are all of the table's rows.
    """

    table: Table
    columns: dict[str, ColumnProfile]
    rows: int
    whole: bool
    left_out: LeftOut

    @classmethod
    def of(cls, table: Table, limit: int = LOOKED_AT) -> TableProfile:
        """Look at the first `limit` rows of `table`."""
        columns = {name: ColumnProfile(name) for name in table.columns}
        left_out, count = LeftOut(), 0
        rows = table.rows(left_out)
        for row in islice(rows, limit):
            count += 1
            for name, profile in columns.items():
                profile.add(row.get(name))
        return cls(table, columns, count, next(rows, None) is None, left_out)

    def of_kind(self, *kinds: Kind) -> list[ColumnProfile]:
        """Return the columns of these kinds, in their order."""
        return [profile for profile in self.columns.values() if profile.kind in kinds]


def _is_nothing(value: Cell) -> bool:
    """Say whether a value that is no text stands for nothing, such as NaN."""
    return not isinstance(value, bytes | Mapping) and plain(value, ()) is None


def settled(of: ColumnProfile, by: ColumnProfile) -> float:
    """Return the share of rows of which the value of `by` tells the value of `of`, 0 to 1."""
    pairs = Counter(_pairs(by.cells, of.cells))
    best: Counter[str] = Counter()
    for (key, _), count in pairs.items():
        best[key] = max(best[key], count)
    return best.total() / pairs.total() if pairs else 0.0


def _pairs(keys: Sequence[str | None], values: Sequence[str | None]) -> list[tuple[str, str]]:
    both = zip(keys, values, strict=True)
    return [(key, value) for key, value in both if key is not None and value is not None]
