"""How the numbers of a column are written, told from all of its values: 1,234.50 or 1.234,50.

A cell cannot say it: "1,234" is a thousand in one notation and one in the other. A comma that
other than three digits follow is never a thousands separator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Sign = Literal[".", ","]
CURRENCIES = "[$€£¥₽]|EUR|USD|GBP|CHF|JPY|RUB|CNY|INR|SEK|NOK|DKK|PLN|CZK|MYR"
APART = " \u00a0\u202f'’"  # stand between thousands in either notation
_AMOUNT = re.compile(
    rf"([-+]?)\s?(?:{CURRENCIES})\s?(\S.*)|([-+]?)(\d.*?)\s?(?:{CURRENCIES})", re.ASCII
)


@dataclass(frozen=True)
class Notation:
    """The sign before decimals, and those between thousands."""

    decimal: Sign = "."
    thousands: str = "," + APART

    @cached_property
    def shape(self) -> re.Pattern[str]:
        """What a number looks like."""
        decimal, apart = re.escape(self.decimal), re.escape(self.thousands)
        plain = rf"(?:\d+(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][-+]?\d+)?"
        groups = (
            rf"[1-9]\d{{0,2}}(?P<apart>[{apart}])\d{{3}}(?:(?P=apart)\d{{3}})*(?:{decimal}\d*)?"
        )
        return re.compile(rf"[-+]?(?:{plain}|{groups})", re.ASCII)

    def __str__(self) -> str:
        return f'decimal: "{self.decimal}"'


POINT = Notation()
COMMA = Notation(",", "." + APART)


def notation_of(decimal: Sign | None, thousands: str | None) -> Notation | None:
    """Return the notation that a schema names, None where it names none."""
    if decimal is None and thousands is None:
        return None
    usual = COMMA if decimal == "," or (decimal is None and thousands == ".") else POINT
    return usual if thousands is None else Notation(usual.decimal, thousands)


def parse(text: str, notation: Notation = POINT) -> float | int | None:
    """Return a text as a finite number, with or without a currency; None if it is none.

    >>> parse("$1,200.00"), parse("7.0"), parse("1.234,50 €", COMMA), parse("10_20")
    (1200, 7, 1234.5, None)
    """
    text = text.strip()
    bare = text[:1].isdigit() and text[-1:].isdigit()
    if not bare and (amount := _AMOUNT.fullmatch(text)):
        text = "".join(filter(None, amount.groups()))
    if not notation.shape.fullmatch(text):
        return None
    if not text.isdigit():
        text = "".join(sign for sign in text if sign not in notation.thousands)
    value = float(text.replace(notation.decimal, "."))
    if value in (float("inf"), float("-inf")):
        return None
    return int(value) if value.is_integer() else value


@dataclass
class NumberSurvey:
    """The first value of a column that only one notation reads, and the first that both do."""

    point: str = ""
    comma: str = ""
    either: str = ""

    def add(self, text: str) -> None:
        """Take one value into account."""
        if text.isdecimal() or (self.point and "," not in text):
            return  # says nothing, or nothing new
        pointed, parted = parse(text), parse(text, COMMA)
        if pointed == parted:
            return
        if parted is None:
            self.point = self.point or text
        elif pointed is None:
            self.comma = self.comma or text
        else:
            self.either = self.either or text

    def notation(self) -> Notation:
        """Return the notation that the values show."""
        return COMMA if self.comma else POINT

    def doubt(self) -> str:
        """Say why the notation cannot be told, "" where it can."""
        if self.point and self.comma:
            return f"{self.point!r} and {self.comma!r} are written in two notations"
        if self.either and not self.point and not self.comma:
            one, other = parse(self.either), parse(self.either, COMMA)
            return f"{self.either!r} reads as {one} or as {other}"
        return ""

    def against(self, notation: Notation) -> str:
        """Say which value is written in the other notation, "" where one is in `notation`."""
        commas = notation.decimal == ","
        own, odd = (self.comma, self.point) if commas else (self.point, self.comma)
        if own or not odd:
            return ""
        other = POINT if commas else COMMA
        return (
            f"{odd!r} reads as {parse(odd, other)} with `{other}`, and is no number with"
            f" `{notation}`, which the schema says"
        )
