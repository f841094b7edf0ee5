"""Lists and objects that a cell holds as text, in JSON or as Python prints them.

What a cell says is foreign: a text that neither notation reads, that is nested without end or that
is longer than anybody prints is the text that it is.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from typing import Any

from textcentric.values import Cell

DEEPEST = 100  # lists in lists: what is deeper was not written by people
MOST_VALUES = 2_000_000  # of one line of JSON: each takes some hundred bytes
LONGEST = 2**20  # characters of what Python prints: its parser takes a hundred times as much memory
Reader = Callable[[str], Any]


def printed(text: str, *readers: Reader) -> Cell:
    """Return the list, set or object that a text holds; None where it holds none.

    `readers` are tried in their order; JSON and Python's notation where none are given.

    >>> printed('["a", null]'), printed("('a', None)"), printed("[sic]"), printed("{[]: 1}")
    (['a', None], ('a', None), None, None)
    """
    if too_nested(text):
        return None
    for read in readers or (json.loads, literal):
        try:
            value: Cell = read(text)
        except Exception:  # parsers promise no list of exceptions
            continue
        if isinstance(value, list | tuple | set | dict):
            return value
    return None


def literal(text: str) -> Cell:
    """Return what Python's notation says; raise ValueError where it is too long, or what `ast` may.

    >>> literal("{'a': (1, None)}")
    {'a': (1, None)}
    """
    if len(text) > LONGEST:
        raise ValueError(f"more than {LONGEST:,} characters")
    value: Cell = ast.literal_eval(text)
    return value


def too_nested(text: str) -> bool:
    """Say whether lists and objects are nested more deeply in a text than anybody needs."""
    if text.count("[") + text.count("{") + text.count("(") <= DEEPEST:
        return False
    depth = 0
    for sign in filter("[{(]})".__contains__, _outside_of_strings(text)):
        depth += 1 if sign in "[{(" else -1
        if depth > DEEPEST:
            return True
    return False


def too_many(text: str) -> bool:
    """Say whether a text in JSON holds more values than fit into memory."""
    signs = ",[{"
    if sum(map(text.count, signs)) <= MOST_VALUES:
        return False
    outside = _outside_of_strings(text)
    return sum(map(outside.count, signs)) > MOST_VALUES


def _outside_of_strings(text: str) -> str:
    """Return a text without what stands between quotation marks of JSON."""
    return "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
