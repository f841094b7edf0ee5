"""Numbers and their units: none may become another."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache

from textcentric.checks.words import WORD, sections, words

FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
# Of ASCII in lower case, several times as quick.
PLAIN_FIGURE = re.compile(r"[0-9][0-9]*(?:[.,][0-9]+)*")
TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d]+(?:['’][^\W\d]+)*|[$€£]")
PLAIN_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[a-z_]+(?:'[a-z_]+)*|\$")


@cache
def _values() -> dict[str, float]:
    pairs = (part.split("=") for line in sections()["number"] for part in line)
    return {word: float(value) for word, value in pairs}


@cache
def _units() -> dict[str, str]:
    return {word: line[0] for line in sections()["unit"] for word in line}


@lru_cache(maxsize=4096)
def _value(token: str) -> float:
    """Return the value of a figure or number word; a date or a version is a number of its own."""
    if token in _values():
        return _values()[token]
    plain = re.sub(r",(?=\d{3}\b)", "", token).replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return float(int.from_bytes(token.encode()[:12], "little"))


@lru_cache(maxsize=8192)
def figures(text: str) -> frozenset[str]:
    """Return the numbers of `text` that are written in figures.

    >>> sorted(figures("2 kittens of 3.5 weeks"))
    ['2', '3.5']
    """
    return frozenset((PLAIN_FIGURE if text.isascii() else FIGURE).findall(text))


@lru_cache(maxsize=8192)
def numbers(text: str) -> Counter[tuple[float, str]]:
    """Return how often each (value, unit) stands in `text`; the unit is empty where none follows.

    >>> numbers("Two kittens of 3 weeks")
    Counter({(2.0, ''): 1, (3.0, 'week'): 1})
    """
    counted: Counter[tuple[float, str]] = Counter()
    values, units = _values(), _units()
    if not figures(text) and values.keys().isdisjoint(words(text).tokens):
        return counted  # as of most sentences
    tokens = (PLAIN_TOKEN if text.isascii() else TOKEN).findall(text.lower())
    for at, token in enumerate(tokens):
        if token in values or token[0].isdigit():
            following = tokens[at + 1] if at + 1 < len(tokens) else ""
            number = _value(token), units.get(following, "")
            counted[number] = counted.get(number, 0) + 1
    return counted


def invented(source: str, variant: str) -> int:
    """Return how many numbers of `variant` the source does not have, or has of another unit."""
    before, after = numbers(source), numbers(variant)
    if not after or _same(before, after):
        return 0
    return sum((_loose(after, before) - before).values())


def lost(source: str, variant: str) -> int:
    """Return how many numbers of `source` the variant does not have."""
    before, after = numbers(source), numbers(variant)
    if not before or _same(before, after):
        return 0
    return sum((_loose(before, after) - after).values())


def _same(these: Counter[tuple[float, str]], those: Counter[tuple[float, str]]) -> bool:
    """Say whether both hold the same numbers, and none of them in two units."""
    return these == those and len({value for value, _ in these}) == len(these)


def _loose(
    these: Counter[tuple[float, str]], those: Counter[tuple[float, str]]
) -> Counter[tuple[float, str]]:
    """Give a number without a unit the unit that it has on the other side, if it has one there."""
    known = {value: (value, unit) for value, unit in those}
    return Counter(
        known.get(value, (value, unit)) if not unit else (value, unit)
        for value, unit in these.elements()
    )


def said_in(row: str, variant: str) -> bool:
    """Say whether every number of `variant` stands in `row`, however often."""
    return numbers(variant).keys() <= numbers(row).keys() | {(v, "") for v, _ in numbers(row)}


def has_figures(text: str) -> bool:
    """Say whether `text` holds any figure or number word."""
    return bool(numbers(text)) and WORD.search(text) is not None
