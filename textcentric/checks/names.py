"""Names: capitalised words inside a sentence, and the values of the table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from textcentric.checks.words import listed, near, stem, words

# A capital behind a blank; it stands first, so that the search passes over all other signs.
CAPITALISED = re.compile(r"[A-Z](?<=\s[A-Z])(?<![.!?…:;\"'“*\n-][A-Z])[a-z]+(?:['’-][A-Za-z]+)?")


@lru_cache(maxsize=8192)
def names(text: str) -> frozenset[str]:
    """Return the capitalised words that begin no sentence, in lower case.

    A text that writes most of its words so has no names that show.
    """
    if text[1:].islower():
        return frozenset()
    found = [name for name in CAPITALISED.findall(text) if not _after_end(text, name)]
    total = len(words(text).tokens)
    if len(found) > 4 and len(found) > 0.5 * total:
        return frozenset()
    plain = (name.lower().removesuffix("'s").removesuffix("’s") for name in found)
    return frozenset(name for name in plain if name not in listed("function"))


def _after_end(text: str, name: str) -> bool:
    at = text.find(name)
    return text[:at].rstrip().endswith((".", "!", "?", ":", "…", '"', "“"))


def new_names(source: str, variant: str, row: str) -> int:
    """Return how many names of `variant` stand neither in `source` nor in `row`."""
    after = names(variant)
    if not after:
        return 0
    known = words(source).known
    unknown = [n for n in after if n not in known and stem(n) not in known]
    unknown = [n for n in unknown if n not in listed("filler")]
    if not unknown:
        return 0
    whole = words(row).known
    return sum(name not in whole and stem(name) not in whole for name in unknown)


def lost_names(source: str, variant: str) -> int:
    """Return how many names of `source` the variant does not have, not even misspelt."""
    before = names(source)
    if not before:
        return 0
    after = words(variant)
    return sum(
        name not in after.known
        and stem(name) not in after.known
        and not any(near(name, token) for token in after.tokens)
        for name in before
    )


def lost_values(source: str, variant: str, facts: Sequence[str]) -> int:
    """Return how many table values that stand in `source` are not in `variant` to the letter."""
    held = _values_in(source, tuple(facts))
    if not held:
        return 0
    after = variant.casefold()
    return sum(fact not in after for fact in held)


@lru_cache(maxsize=4096)
def _values_in(text: str, facts: tuple[str, ...]) -> tuple[str, ...]:
    folded = text.casefold()
    return tuple(fact for fact in facts if fact and fact in folded)
