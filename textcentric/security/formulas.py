"""Texts in CSV files that a spreadsheet would take for formulas and run.

As OWASP advises, one is written with an apostrophe in front, so that it stays text.
"""

from __future__ import annotations

import re
from typing import TypeVar

BEGINS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # and their wide forms
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?%?")
APOSTROPHE = "'"
Value = TypeVar("Value")


def is_formula(value: object) -> bool:
    """Say whether a spreadsheet may run a value; a number is no formula.

    >>> is_formula("=HYPERLINK(A1)"), is_formula("-5"), is_formula(-5), is_formula("a - b")
    (True, False, False, False)
    """
    return isinstance(value, str) and value.startswith(BEGINS) and not NUMBER.fullmatch(value)


def as_text(value: Value) -> Value | str:
    """Return a value that no spreadsheet runs.

    >>> as_text("@SUM(A1)"), as_text(-5)
    ("'@SUM(A1)", -5)
    """
    return f"{APOSTROPHE}{value}" if is_formula(value) else value
