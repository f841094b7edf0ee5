"""A slip of the finger: two letters exchanged, one lost, doubled, or taken for its neighbour."""

from __future__ import annotations

import random

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def slipped(word: str, rng: random.Random) -> str:
    """Return a word of at least four small letters with one slip between its ends."""
    at = rng.randrange(1, len(word) - 2)
    return rng.choice([_swap, _drop, _double, _neighbour_key])(word, at, rng)


def _swap(word: str, at: int, rng: random.Random) -> str:
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _drop(word: str, at: int, rng: random.Random) -> str:
    return word[:at] + word[at + 1 :]


def _double(word: str, at: int, rng: random.Random) -> str:
    return word[:at] + word[at] + word[at:]


def _neighbour_key(word: str, at: int, rng: random.Random) -> str:
    row = next(row for row in KEYS if word[at] in row)
    place = row.index(word[at])
    return word[:at] + row[place + 1 if place + 1 < len(row) else place - 1] + word[at + 1 :]
