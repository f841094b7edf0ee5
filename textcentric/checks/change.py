"""Which content words of a variant are new beside its source, by where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from textcentric.checks.thesaurus import alike
from textcentric.checks.words import Words, listed, near, real, stem, stems_of, synonyms, words
from textcentric.prompts.equivalents import exchanges

ORIGINS = ("forms", "altered", "fillers", "alike", "far")
Phrase: TypeAlias = tuple[str, frozenset[str]]
FEW = 6  # new words of unknown origin up to which lists of words near in meaning are asked


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the content words: those of the variant that are new, by where from.

    `forms` are other forms or synonyms of missing words, `altered` near spellings, `fillers` say
    nothing, `alike` are near in meaning to missing words, `borrowed` stand elsewhere in the row,
    `far` come from nowhere.
    """

    new: tuple[str, ...]
    forms: tuple[str, ...]
    altered: tuple[str, ...]
    fillers: tuple[str, ...]
    alike: tuple[str, ...]
    borrowed: tuple[str, ...]
    far: tuple[str, ...]
    missing: tuple[str, ...]


@lru_cache(maxsize=4096)
def compare(source: str, variant: str, row: str = "") -> Change:
    """Tell the content words of `variant` from those of `source`."""
    before, after = words(source), words(variant)
    known = before.known
    if known == after.known:
        return Change((), (), (), (), (), (), (), ())
    new = tuple(dict.fromkeys([w for w in after.content if w not in known]))
    left = [w for w in dict.fromkeys(before.content) if w not in after.known]
    kinds: dict[str, list[str]] = {name: [] for name in ORIGINS}
    gone: list[str] = []
    for word in new:
        kind, of = _origin(word, left, before)
        kinds[kind].append(word)
        if of in left:
            left.remove(of)
            gone.append(of)
    if kinds["far"] and len(kinds["far"]) <= FEW:
        if left:
            _exchange(source, variant, kinds, left)
        kinds["alike"] = _take_alike(kinds["far"], left, before, after)
    whole = words(row).known if row and kinds["far"] else frozenset[str]()
    borrowed = tuple(word for word in kinds["far"] if word in whole)
    far = tuple(word for word in kinds["far"] if word not in whole)
    return Change(
        new,
        tuple(kinds["forms"]),
        tuple(kinds["altered"]),
        tuple(kinds["fillers"]),
        tuple(kinds["alike"]),
        borrowed,
        far,
        tuple(word for word in left if word not in stems_of("filler")),
    )


def _exchange(source: str, variant: str, kinds: dict[str, list[str]], left: list[str]) -> None:
    """Count words as other forms that stand for words of the source by the list of equivalents."""
    text, known = f" {' '.join(words(variant).tokens)} ", words(variant).known
    for old, instead in _exchanges(source):
        if old <= known:
            continue
        for phrase, new in instead:
            if phrase not in text:
                continue
            moved = [word for word in kinds["far"] if word in new]
            kinds["forms"] += moved
            kinds["far"] = [word for word in kinds["far"] if word not in moved]
            left[:] = [word for word in left if word not in old]


def _take_alike(far: list[str], left: list[str], before: Words, after: Words) -> list[str]:
    """Return the words of `far` that are near in meaning to a missing word; take both away."""
    function = listed("function")
    empty = [word for word in before.tokens if word in function and word not in after.known]
    held = []
    for word in list(far):
        if of := next((other for other in [*left, *empty] if alike(word, stem(other))), None):
            far.remove(word)
            (left if of in left else empty).remove(of)
            held.append(word)
    return held


@lru_cache(maxsize=4096)
def _exchanges(source: str) -> tuple[tuple[frozenset[str], tuple[Phrase, ...]], ...]:
    """Return the words of `source` that others may stand for, with those others."""
    return tuple(
        (words(one.old).known, tuple(map(_phrase, one.instead))) for one in exchanges(source)
    )


@lru_cache(maxsize=4096)
def _phrase(text: str) -> Phrase:
    """Return the words of a phrase, between blanks, and all that it is known by."""
    return f" {' '.join(words(text).tokens)} ", words(text).known


def _origin(word: str, left: list[str], before: Words) -> tuple[str, str]:
    """Return the kind of a new word, and the missing word that it may stand for."""
    for other in left:
        if synonyms(word, other):
            return "forms", other
    if word in stems_of("filler"):
        return "fillers", ""
    if not real(word):
        for other in left:
            if near(word, other):
                return "altered", other
        for other in before.content:
            if near(word, other):
                return "altered", other
    return "far", ""
