"""Summaries and retellings: every word, number and relation of them comes from the row.

A source of a hundred words is no sentence: shares of words and cosines say little there. So a
summary is held to rules alone. It may join what the table says of the thing itself, and what one
sentence of the row says; words of two sentences that come side by side relate what the row does
not relate.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from textcentric.checks.comparatives import genders
from textcentric.checks.edit import Edit, Facts
from textcentric.checks.form import garbled
from textcentric.checks.names import names
from textcentric.checks.negation import bound, first_bound
from textcentric.checks.numbers import numbers
from textcentric.checks.words import Words, groups, listed, stems_of, words

# (?<=[.!?…;])\s+|\n+, written so that it begins with a sign: the search passes over all others.
SENTENCE = re.compile(r"\s(?:(?<=[.!?…;]\s)\s*|(?<=\n)\n*)")
PIECE = re.compile(r"[,;:.!?…()–—]\s*|\s-\s|\b(?:and|but|or|who|which|that|is|are|was|were|with)\b")
STATEMENT = re.compile(r"^[A-Z][\w ()/-]{0,40}: \S")  # how a table's column reads
AGED = re.compile(r"(?:month|year|week|day)s?[ -]old", re.IGNORECASE)
LOST = 0.1  # share of the row's words that a retelling of all of it may lack
HEDGES = frozenset("only almost nearly may might could would should if unless".split())


@lru_cache(maxsize=1024)
def _read(row: str) -> tuple[tuple[Words, ...], frozenset[str], frozenset[str]]:
    """Return the sentences of a row, the values of its statements, and the words of their keys."""
    sentences = [part for part in SENTENCE.split(row) if part.strip()]
    values: set[str] = set()
    keys: set[str] = set()
    for sentence in sentences:
        if STATEMENT.match(sentence):
            key, _, value = sentence.partition(": ")
            keys |= words(key).stems
            values |= words(value).stems
    return tuple(words(sentence) for sentence in sentences), frozenset(values), frozenset(keys)


def extracted(edit: Edit) -> bool:
    """Say whether every sentence of a variant stands in its source as it is.

    Whole sentences and statements alone say nothing that the source does not.
    """
    parts = [part.strip(" .") for part in SENTENCE.split(edit.variant)]
    if not any(parts) or any(part not in edit.source for part in parts):
        return False
    known = _parts(edit.source)
    return all(part in known for part in parts)


@lru_cache(maxsize=1024)
def _parts(text: str) -> frozenset[str]:
    return frozenset(part.strip(" .") for part in SENTENCE.split(text))


def document_reason(edit: Edit, facts: Facts) -> str:
    """Return why a summary or retelling of a long source is not true; empty where it is."""
    row = f"{edit.source}\n{edit.row}" if facts == "fewer" else edit.source
    source, text = words(row), words(edit.variant)
    if not text.tokens:
        return "empty"
    if not numbers(edit.variant).keys() <= _loose_numbers(row):
        return "number changed"
    if [name for name in names(edit.variant) if name not in source.known]:
        return "name changed"
    aged = AGED.search(edit.variant) is not None
    if unknown := [
        word for word in text.stems if not _in(word, source) and not (aged and word == "old")
    ]:
        return "a word that the row lacks" if len(unknown) == 1 else "words that the row lacks"
    if genders(edit.variant) - genders(row) and genders(row):
        return "another kind"
    if _denies_otherwise(edit.variant, row):
        return "negation changed"
    if _relates(edit.variant, row):
        return "a relation that the row lacks"
    if garbled(row, edit.variant) or _stops(edit.variant):
        return "unfinished"
    if facts == "same":
        lost = [word for word in source.stems if word not in text.known]
        if len(lost) > LOST * len(source.stems) or not numbers(row).keys() <= _loose_numbers(
            edit.variant
        ):
            return "says less"
    return ""


def _loose_numbers(row: str) -> set[tuple[float, str]]:
    held = numbers(row)
    return set(held) | {(value, "") for value, _ in held}


def _in(word: str, source: Words) -> bool:
    return word in stems_of("filler") or _holds(source, word)


def _stops(text: str) -> bool:
    """Say whether `text` ends with a word that calls for another."""
    return words(text).tokens[-1] in listed("join")


def _denies_otherwise(text: str, row: str) -> bool:
    """Say whether `text` denies or bounds what no sentence of the row does, or the other way."""
    denied, said = first_bound(row, "negation"), first_bound(text, "negation")
    if said - {word for held in bound(row, "negation").values() for word in held}:
        return True
    if _always(denied & words(text).stems - said, row, "negation"):
        return True
    hedged = {
        held[0] for key, held in bound(row, "scope").items() if key.split()[0] in HEDGES and held
    }
    return _always(hedged & words(text).stems - first_bound(text, "scope"), row, "scope")


def _always(chosen: set[str], row: str, section: str) -> bool:
    """Say whether one of the words is bounded wherever the row has it."""
    sentences = [one for one in _read(row)[0] if not chosen.isdisjoint(one.known)]
    return any(
        all(word in first_bound(one.text, section) for one in sentences if word in one.known)
        for word in chosen
    )


def _relates(text: str, row: str) -> bool:
    """Say whether two words side by side in `text` stand together nowhere in the row."""
    sentences, values, keys = _read(row)
    empty = stems_of("filler") | {"old"}
    for part in PIECE.split(text):
        content = [word for word in words(part).content if word not in empty]
        for one, other in pairwise(content):
            if one == other or any(_holds(s, one) and _holds(s, other) for s in sentences):
                continue
            if one in values and other in values and not {one, other} & keys:
                continue
            return True
    return False


def _holds(text: Words, word: str) -> bool:
    """Say whether `text` has a word or a synonym of it."""
    if word in text.known:
        return True
    own = groups("synonym").get(word)
    return own is not None and not own.isdisjoint(_groups_in(text.text))


@lru_cache(maxsize=8192)
def _groups_in(text: str) -> frozenset[int]:
    """Return the groups of synonyms that the words of `text` belong to."""
    held = groups("synonym")
    return frozenset(group for word in words(text).stems for group in held.get(word, ()))
