"""Slips of the hand: a word that is one slip away from a word of the source is read as that word.

A slip is one letter too many, too few, another, or two that changed places. What is itself a word
is none ("form" for "farm"): which words there are is told by the vocabulary of the packaged
encoder, so that without that package no slip is undone.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from textcentric.checks.edit import Edit
from textcentric.checks.words import new_words, real, stem, words
from textcentric.errors import EngineError
from textcentric.models.packaged import packaged_encoder

SHORTEST = 4  # letters of a word in which a slip is told from another word
TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def without_slips(edit: Edit) -> Edit:
    """Return the edit as a reader takes it, who reads over slips."""
    meant = corrected(edit.source, edit.variant)
    return edit if meant == edit.variant else replace(edit, variant=meant)


@lru_cache(maxsize=4096)
def corrected(source: str, variant: str) -> str:
    """Return `variant` with its slips undone.

    >>> corrected("He could live under a bridge.", "He colud live unedr a bridge.")
    'He could live under a bridge.'
    """
    known = words(source).known
    new = new_words(source, variant)
    if not any(t not in known and _is_slip(t) for t in new) or not vocabulary():
        return variant
    before, after = Counter(TOKEN.findall(source)), Counter(TOKEN.findall(variant))
    missing = [word for word in before - after if len(word) >= SHORTEST and word.islower()]
    slips = [word for word in after - before if word not in before and _is_slip(word)]
    meant = {word: found for word in slips if (found := _meant(word, missing))}
    return TOKEN.sub(lambda found: meant.get(found[0], found[0]), variant) if meant else variant


def _is_slip(word: str) -> bool:
    return len(word) >= SHORTEST - 1 and word.islower() and not (real(word) or word in vocabulary())


def _meant(word: str, missing: list[str]) -> str:
    """Return the missing word that `word` is a slip of, empty where it is a form of one."""
    near = [other for other in missing if OSA.distance(word, other, score_cutoff=1) <= 1]
    return next((other for other in near if stem(other) != stem(word)), "")


@cache
def vocabulary() -> frozenset[str]:
    """Return the whole words that the packaged encoder knows, none where it is not installed."""
    try:
        file = packaged_encoder() / "tokenizer.json"
    except EngineError:
        return frozenset()
    if not file.is_file():
        return frozenset()
    tokens = json.loads(file.read_text("utf-8"))["model"]["vocab"]
    return frozenset(token for token in tokens if token.isalpha())
