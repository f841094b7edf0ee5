"""Sentences for edits of known truth: of freshly made sample rows, and of real rows where they lie.

Real rows are read when a benchmark runs and nothing of them is kept.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.edits import Passage
from textcentric.data.sample import airbnb, petfinder

SHARED = Path(__file__).parents[2] / "shared"
REAL = SHARED / "data"
SEED, PETS, HOMES, REAL_ROWS = 4711, 1200, 500, 6000  # a seed of no shipped sample
ENGLISH = frozenset(
    "the a an is are was were be been he she it they we i you his her our my and or of to in on for"
    " with at from this that not has have will can who very as by but if so".split()
)
SENTENCE = re.compile(r"[^.!?\n]+[.!?]")
PLAIN = re.compile(r"[A-Za-z0-9 ,.;:'’!?()-]+")
WORDS = 5, 28


def passages(data: Path | None = None) -> list[Passage]:
    """Return sentences of sample rows, and of the real rows in `data` (default: where they lie)."""
    return [*sample_passages(), *real_passages(REAL if data is None else data)]


def sample_passages(pets: int = PETS, homes: int = HOMES, seed: int = SEED) -> Iterator[Passage]:
    """Yield sentences of sample rows that are made now."""
    for row, _ in petfinder.pets(pets, seed):
        yield from sentences(row["Description"], (row["Name"],), "sample")
    for row, _ in airbnb.homes(homes, seed):
        yield from sentences(_told(row["Description"]), (), "sample")


def real_passages(data: Path) -> Iterator[Passage]:
    """Yield sentences of real rows; none where `data` does not hold them."""
    for number, row in enumerate(_rows(data / "petfinder" / "train" / "train.csv")):
        if number < REAL_ROWS:
            yield from sentences(row["Description"], (row["Name"],), "real")
    for row in _rows(data / "airbnb" / "listings.csv"):
        yield from sentences(_told(row["Description"]), (), "real")


def sentences(text: str, facts: tuple[str, ...], origin: str) -> Iterator[Passage]:
    """Yield the plain English sentences of a text."""
    facts = tuple(fact for fact in facts if fact)
    for found in SENTENCE.finditer(text):
        sentence = found[0].strip()
        if WORDS[0] <= len(sentence.split()) <= WORDS[1] and _plain(sentence):
            yield Passage(sentence, text, facts, origin)


def _plain(sentence: str) -> bool:
    words = sentence.lower().split()
    english = sum(word in ENGLISH for word in words) / len(words)
    return english >= 0.25 and sentence[0].isupper() and PLAIN.fullmatch(sentence) is not None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _told(printed: str) -> str:
    """Return the paragraphs of a listing without their headings."""
    try:
        parts = ast.literal_eval(printed)
    except (SyntaxError, ValueError):
        return printed
    return "\n".join(part.partition("\n")[2] or part for part in map(str, parts))
