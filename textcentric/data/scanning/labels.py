"""The targets of a table, looked at together: are they classes or numbers, and which classes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from textcentric.data.notation import COMMA
from textcentric.data.readings import number
from textcentric.data.schema import MOST_ORDINAL
from textcentric.values import Cell

MAX_CHOICES = 100
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)(\.0+)?")


@dataclass
class LabelSurvey:
    """The different targets of a table, at most `MAX_CHOICES`, to tell classes from numbers.

    `seen` holds {as it stands: as a number, if it is one}. `marked` counts values such as "NA",
    which stand for nothing among numbers and are a class among words.
    """

    seen: dict[str, float | int | None] = field(default_factory=dict)
    too_many: bool = False
    all_numbers: bool = True
    all_whole: bool = True
    marked: Counter[str] = field(default_factory=Counter)

    def add(self, label: Cell, markers: tuple[str, ...], count: int = 1) -> str:
        """Take a target of `count` rows into account and return the name of its class.

        `markers` stand for nothing among numbers.
        """
        if label in markers:
            self.marked[str(label)] += count
            return str(label)
        if isinstance(label, str) and label in self.seen:
            return label
        value = number(label)
        value = number(label, COMMA) if value is None else value
        self.all_numbers &= value is not None
        self.all_whole &= isinstance(value, int)
        name = str(label if isinstance(label, str) or value is None else value)
        if not self.too_many:
            self.seen[name] = value
            self.too_many = len(self.seen) > MAX_CHOICES
        return name

    def task(self) -> str:
        """Return "ordinal" for a few whole numbers, "regression" for others, "classification"."""
        choices = self.choices() or {}
        if self.all_whole and 0 < len(self.seen) <= MOST_ORDINAL:
            return "ordinal" if all(isinstance(c, int) for c in choices) else "classification"
        return "regression" if self.all_numbers and self.seen else "classification"

    def choices(self) -> dict[int | str, str] | None:
        """Return the classes seen, None if there are too many to be classes.

        They are numbers where that loses nothing: "01" and "1" are two words, "1.0" alone is 1.
        """
        if self.too_many or not (self.seen or self.marked):
            return None
        values = [value for value in self.seen.values() if isinstance(value, int)]
        plain = all(map(_WHOLE.fullmatch, self.seen)) and len(set(values)) == len(self.seen)
        if plain and self.seen:
            return {value: str(value) for value in sorted(values)}
        return {name: name for name in sorted([*self.seen, *self.marked])}
