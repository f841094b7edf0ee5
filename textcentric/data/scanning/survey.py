"""One column over all of its values: how many there are, and which do not fit what is said of it.

Which notation a column of numbers has is known after its last value, so its values are judged in
both at once. Numbers that are written plainly are judged together, other values one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textcentric.data.notation import COMMA, POINT, Notation, NumberSurvey
from textcentric.data.readings import code_of, number, plain
from textcentric.data.schema import Column
from textcentric.data.tables.columns import (
    Mask,
    Values,
    cells,
    distinct,
    missing,
    plain_numbers,
    where,
)
from textcentric.values import Cell

EXAMPLES = 5
REMEMBERED = 20_000  # values whose judgement is kept
UNREADABLE, OUT_OF_RANGE = 1, 2


@dataclass
class Odd:
    """Values that do not fit: no numbers, or out of range; `examples` has the first five."""

    unreadable: int = 0
    out_of_range: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class ColumnSurvey:
    """What one column holds; `odd` has what does not fit, once for each notation it may have.

    `numbers` tells the notation of a column that is `surveyed`.
    """

    values: int = 0
    missing: int = 0
    surveyed: bool = False
    numbers: NumberSurvey = field(default_factory=NumberSurvey)
    odd: list[Odd] = field(default_factory=list)

    def odd_in(self, notation: Notation) -> Odd:
        """Return what does not fit if its numbers are written in `notation`."""
        return self.odd[-1 if notation == COMMA else 0]


class ColumnReader:
    """Take one column into account, batch by batch.

    `markers` are the values that stand for nothing; with `surveyed` the notation of its numbers is
    told from its values where `notation` does not say it, with `numeric` they are to be numbers
    within the range of `setting`.
    """

    def __init__(
        self,
        setting: Column,
        markers: Sequence[str],
        notation: Notation | None = None,
        *,
        surveyed: bool = False,
        numeric: bool = False,
    ) -> None:
        self._notations = (POINT, COMMA) if notation is None else (notation,)
        self.found = ColumnSurvey(surveyed=surveyed, odd=[Odd() for _ in self._notations])
        self._setting, self._surveyed, self._numeric = setting, surveyed, numeric
        self._markers = tuple(marker for marker in markers if marker not in setting.codes)
        self._known: dict[object, tuple[int, ...]] = {}

    def add(self, values: Values, ids: Sequence[str | None]) -> None:
        """Take the values of the rows `ids` into account."""
        there = ~missing(values, self._markers)
        self.found.values += int(there.sum())
        self.found.missing += int((~there).sum())
        if self._numeric or self._setting.codes or self._surveyed:
            self._judge(values, there, ids)

    def _judge(self, values: Values, there: Mask, ids: Sequence[str | None]) -> None:
        verdicts = np.zeros((len(self._notations), len(values)), np.uint8)
        rest = there & ~self._judge_plain(values, there, verdicts)
        found = distinct(where(values, rest))
        if self._surveyed:
            for value in found.values:
                if isinstance(value, str):
                    self.found.numbers.add(value.strip())
        if found.values:
            told = np.array([self._verdicts(value) for value in found.values], np.uint8)
            verdicts[:, rest] = told[found.places].T
        for odd, verdict in zip(self.found.odd, verdicts, strict=True):
            odd.unreadable += int((verdict == UNREADABLE).sum())
            odd.out_of_range += int((verdict == OUT_OF_RANGE).sum())
            for at in np.flatnonzero(verdict)[: EXAMPLES - len(odd.examples)].tolist():
                shown = cells(values[at : at + 1])[0]
                odd.examples.append(f"{ids[at]}: {str(shown)[:40]!r}")

    def _judge_plain(self, values: Values, there: Mask, verdicts: Any) -> Mask:
        """Judge the numbers that are written plainly, and say which those are."""
        codes = self._setting.codes
        written = plain_numbers(values, codes) if self._numeric or not codes else None
        if written is None:
            return np.zeros(len(values), bool)
        plainly: Mask = there & np.isfinite(written.amounts)
        decimals = written.decimals & plainly
        if self._surveyed and decimals.any() and not self.found.numbers.point:
            at = int(np.argmax(decimals))
            self.found.numbers.point = str(cells(values[at : at + 1])[0]).strip()
        if self._numeric:
            verdicts[:, plainly] = OUT_OF_RANGE * ~self._within(written.amounts[plainly])
            for verdict, notation in zip(verdicts, self._notations, strict=True):
                verdict[decimals] = UNREADABLE if notation.decimal == "," else verdict[decimals]
        return plainly

    def _within(self, amounts: Any) -> Any:
        low, high = self._setting.min, self._setting.max
        return (amounts >= (-np.inf if low is None else low)) & (
            amounts <= (np.inf if high is None else high)
        )

    def _verdicts(self, value: Cell) -> tuple[int, ...]:
        """Judge one value in each notation."""
        key = (type(value), value) if isinstance(value, str | int | float) else None
        found = self._known.get(key) if key else None
        if found is None:
            found = tuple(self._verdict(value, notation) for notation in self._notations)
            if key and len(self._known) < REMEMBERED:
                self._known[key] = found
        return found

    def _verdict(self, value: Cell, notation: Notation) -> int:
        value = plain(value, self._markers)
        fits = not (self._numeric or self._setting.codes)
        if fits or code_of(value) in self._setting.codes:
            return 0
        if not self._numeric:
            return OUT_OF_RANGE
        amount = number(value, notation)
        if amount is None:
            return UNREADABLE
        return 0 if self._within(float(amount)) else OUT_OF_RANGE
