"""Legibility: a misspelt text must still be the source's, word by word and in its order."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz import fuzz

from textcentric.checks.words import near, real, words

WINDOW = 3  # words of the source that may have been left out or joined at a place


@lru_cache(maxsize=4096)
def misread(source: str, variant: str) -> tuple[int, int]:
    """Return (words of `variant` that are no spelling of the source's next, words left out).

    Words may be joined and split ("to night", "inthe").

    >>> misread("The dog is calm.", "Teh dgo is cal m")
    (0, 0)
    """
    before, after = words(source).tokens, words(variant).tokens
    at = strange = left_out = i = 0
    while i < len(after):
        step, used = _match(before[at : at + WINDOW + 1], after[i : i + 2])
        if used:
            left_out += step[0]
            at += step[1]
            i += used
        else:
            strange += 1
            i += 1
    return strange, left_out + max(0, len(before) - at)


def _match(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[tuple[int, int], int]:
    """Return ((words skipped, words of the source passed), words of the variant used)."""
    word = after[0]
    if len(after) > 1 and before and word + after[1] == before[0]:
        return (0, 1), 2
    if len(before) > 1 and word == before[0] + before[1]:
        return (0, 2), 1
    for skip, other in enumerate(before):
        if word == other or (alike(word, other) and not _becomes_real(word, other)):
            return (skip, skip + 1), 1
    for skip in range(len(before)):
        if skip + 1 < len(before) and alike(word, before[skip] + before[skip + 1]):
            return (skip, skip + 2), 1
        if len(after) > 1 and alike(word + after[1], before[skip]):
            return (skip, skip + 1), 2
    return (0, 0), 0


def _becomes_real(word: str, other: str) -> bool:
    """Say whether a spelling is another word that the lists know."""
    return word != other and len(word) > 2 and real(word) and real(other)


def alike(word: str, other: str) -> bool:
    """Say whether `word` may be a misspelling of `other`; of short words one sign may differ."""
    if near(word, other):
        return True
    if len(word) <= 3 and len(other) <= 3:
        shortest = min(len(word), len(other)) < 3
        return sorted(word) == sorted(other) or (shortest and word[0] == other[0])
    vowelless = [sign for sign in other if sign not in "aeiou"]
    return len(word) > 1 and list(word) == vowelless


def spelling(source: str, variant: str) -> float:
    """Return how alike both are letter by letter, in [0, 1]."""
    return round(fuzz.ratio(source.lower(), variant.lower()) / 100, 3)
