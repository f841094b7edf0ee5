"""What one rendering of a template may use, and what reading or making a value costs it.

Work is counted in characters; an item of a list costs more, since code of Python's runs for each.
About ten million take a second.
"""

from __future__ import annotations

import threading
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any, TypeVar

from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext

MAX_SOURCE = 64_000  # characters of one template
MAX_STEPS = 20_000  # loop steps and calls of one rendering
MAX_TEXT = 1_000_000  # characters, or items, of any one value and of the output
MAX_WORK = 10_000_000  # characters that filters, calls, comparisons and loops read or make
MAX_BITS = 128  # of a whole number
ITEM = 20  # characters that an item of a list counts as
SLOW = {"title": 5, "wordcount": 2, "truncate": 2} | dict.fromkeys(
    ["map", "select", "reject", "selectattr", "rejectattr"], 5
)  # filters that take longer for a character or an item
ITEMS = (list, tuple, dict, set, frozenset, range, KeysView, ValuesView, ItemsView)
Value = TypeVar("Value")  # whatever a template reads or makes


class Spent(threading.local):
    """What one rendering has used so far, a thread each."""

    steps = 0
    characters = 0
    work = 0

    def nothing(self) -> None:
        """Begin anew."""
        self.steps = self.characters = self.work = 0

    def step(self, characters: int = 0, work: int = 0) -> None:
        """Count a step of a loop or a call; raises SecurityError past the bounds."""
        self.steps += 1
        self.characters += characters
        if self.steps > MAX_STEPS:
            raise SecurityError(f"more than {MAX_STEPS:,} loop steps and calls")
        if self.characters > MAX_TEXT:
            raise SecurityError(f"more than {MAX_TEXT:,} characters of output")
        self.use(work)

    def use(self, work: int) -> None:
        """Count work, in characters."""
        self.work += work
        if self.work > MAX_WORK:
            raise SecurityError(f"more than {MAX_WORK:,} characters and items of work")

    def charged(self, value: Value, times: int = 1) -> Value:
        """Return `value` after counting its size `times` as work; what is lazy comes as a list."""
        if isinstance(value, str):
            self.use(times * len(value))
        elif isinstance(value, ITEMS):
            self._items(value, times)
        elif isinstance(value, Iterator) and not isinstance(value, LoopContext):
            return self._walked(value)  # type: ignore[return-value]
        return sized(value)

    def _items(self, value: Any, times: int) -> None:
        """Count the items of `value`, and their characters where they are texts."""
        self.use(times * ITEM * len(value))
        held = value.values() if isinstance(value, dict) else value
        self.use(times * sum(len(item) for item in held if isinstance(item, str)))

    def _walked(self, values: Iterator[Any]) -> list[Any]:
        """Return all that an iterator gives, each counted as it comes."""
        kept = []
        for value in values:
            self.use(ITEM + (len(value) if isinstance(value, str) else 0))
            kept.append(value)
        return kept


def sized(value: Value) -> Value:
    """Return `value` where it is small enough; raises SecurityError."""
    if isinstance(value, (str, list, tuple)) and len(value) > MAX_TEXT:
        raise SecurityError(f"a value has more than {MAX_TEXT:,} characters or items")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise SecurityError(f"a number has more than {MAX_BITS} bits")
    return value


def size(value: Any) -> int:
    """Return what a repetition of `value` is multiplied by: its length, or the number it is."""
    if isinstance(value, (str, list, tuple)):
        return max(1, len(value))
    return max(1, abs(int(value)))
