"""Opposites, kinds and comparisons: a word that is another one of its kind says something else."""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache

from textcentric.checks.words import is_irregular, listed, new_words, sections, stem, words


@cache
def _sides(section: str) -> dict[str, list[tuple[int, int]]]:
    """Return where each stem stands: (line, side of the line)."""
    held: dict[str, list[tuple[int, int]]] = {}
    for number, line in enumerate(sections()[section]):
        for side, part in enumerate(line):
            for word in part.split():
                for form in {word, stem(word)}:
                    held.setdefault(form, []).append((number, side))
    return held


@lru_cache(maxsize=8192)
def _placed(text: str, section: str) -> dict[int, frozenset[int]]:
    """Return the lines that `text` speaks of, with the sides that it names."""
    sides = _sides(section)
    held: dict[int, set[int]] = {}
    for token in words(text).tokens:
        for line, side in sides.get(token) or sides.get(stem(token)) or []:
            held.setdefault(line, set()).add(side)
    return {line: frozenset(named) for line, named in held.items()}


def opposites(source: str, variant: str) -> int:
    """Return how many words of `source` have become their opposite."""
    return _turned(source, variant, "opposite")


def kinds(source: str, variant: str, row: str = "") -> int:
    """Return how many kinds (colours, days, persons, animals) are others than the source's.

    A kind that the row tells elsewhere is none of them where the source names none.
    """
    if not _new_sides(source, variant, "exclusive"):
        return 0
    before, after = _placed(source, "exclusive"), _placed(variant, "exclusive")
    count = 0
    for line, sides in after.items():
        new = sides - before.get(line, frozenset())
        if new and line in before:
            count += len(new)
        elif new and row:
            count += len(new - _placed(row, "exclusive").get(line, frozenset()))
    return count


def _new_sides(source: str, variant: str, section: str) -> bool:
    """Say whether a new word of `variant` stands on any line: as a rule none does."""
    sides = _sides(section)
    return any(word in sides or stem(word) in sides for word in new_words(source, variant))


def _turned(source: str, variant: str, section: str) -> int:
    if not _new_sides(source, variant, section):
        return 0
    before, after = _placed(source, section), _placed(variant, section)
    return sum(
        bool(sides - before[line]) and not before[line] <= sides
        for line, sides in after.items()
        if line in before
    )


def comparisons(source: str, variant: str) -> int:
    """Return how many comparatives and degrees `variant` has and `source` has not."""
    return len(listed("comparative") & new_words(source, variant))


@cache
def _person_of() -> dict[str, int]:
    held = (part for line in sections()["person"] for part in line)
    return {word: at for at, part in enumerate(held) for word in part.split()}


@lru_cache(maxsize=8192)
def _persons(text: str) -> Counter[int]:
    people = _person_of()
    return Counter(people[token] for token in words(text).tokens if token in people)


def persons(source: str, variant: str) -> int:
    """Return 1 where `variant` speaks more often of a person than `source`, 2 of another one."""
    before, after = _persons(source), _persons(variant)
    if before == after or not after - before:
        return 0
    return 2 if before - after else 1


def _past(token: str, base: str) -> bool:
    return token.endswith("ed") or (
        is_irregular(token) and not token.endswith(("s", "ing")) and token != base
    )


def tenses(source: str, variant: str) -> int:
    """Return how many words of `source` are told in another time by `variant`.

    >>> tenses("My flight leaves on Sunday.", "My flight left on Sunday.")
    1
    """
    new = new_words(source, variant)
    if not new:
        return 0
    before, after = words(source).tokens, frozenset(words(variant).tokens)
    gone = {stem(token): token for token in before if token not in after}
    changed = [(token, gone[base]) for token in new if (base := stem(token)) in gone]
    return sum(_past(one, stem(one)) != _past(other, stem(other)) for one, other in changed)


@cache
def _genders() -> tuple[frozenset[str], ...]:
    return tuple(
        frozenset(w for part in line for w in part.split()) for line in sections()["gender"]
    )


def genders(text: str) -> frozenset[int]:
    """Return the genders that `text` names."""
    tokens = set(words(text).tokens)
    return frozenset(at for at, held in enumerate(_genders()) if tokens & held)
