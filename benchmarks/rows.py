"""A synthetic table of listings, as long as wanted: about 120 words of text and six columns a row.

Every sentence is drawn by the row's number, so that the same number is the same row everywhere.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = {
    "id": "id",
    "target": "speed",
    "task": "classification",
    "text": ["description"],
    "split": "split",
}
KINDS = "bicycle sofa guitar lamp camera bookcase tent kettle carpet mirror".split()
COLOURS = "red green blue grey white yellow brown silver".split()
PLACES = "harbour station market library orchard bridge theatre mill school garden".split()
PEOPLE = "aunt neighbour cousin teacher flatmate grandfather colleague".split()
STATES = "scratched polished repaired faded spotless dusty sturdy wobbly".split()
MONTHS = "January March April June July September October December".split()
SENTENCES = (
    "This {colour} {kind} stood for {number} years in the hall of my {person} near the {place}.",
    "The {place} is only {number} minutes away on foot, so you can come and look at it any day.",
    "My {person} bought it in {month} and used it with great care until we moved house.",
    "It looks {state} from the front, but the back was painted {colour} by somebody in {month}.",
    "We would like {number} dollars for it, and we are happy to talk about the price by phone.",
    "Please bring a friend, because the {kind} is heavy and our stairs by the {place} are narrow.",
    "One corner is {state}, which nobody notices once it has a quiet place by the window.",
    "My {person} says that a {kind} of this kind was never sold again after {month}.",
    "I keep the bill from the shop at the {place} and can send you a picture of it.",
    "Write to us about the {colour} {kind} in the evening, we answer within {number} hours.",
)
TEXT_SENTENCES = 7


def values(number: int) -> dict[str, str]:
    """Return the row of that number as the table holds it."""
    rng = random.Random(number)
    kind, colour = rng.choice(KINDS), rng.choice(COLOURS)
    sentences = [_sentence(rng, text) for text in rng.sample(SENTENCES, TEXT_SENTENCES)]
    return {
        "id": f"row-{number:07d}",
        "kind": kind,
        "colour": colour,
        "condition": rng.choice(STATES),
        "place": f"{rng.choice(PLACES)} quarter",
        "price": str(rng.randrange(10, 900)),
        "description": " ".join(sentences),
        "speed": str(rng.randrange(5)),
        "split": "train",
    }


def _sentence(rng: random.Random, text: str) -> str:
    return text.format(
        kind=rng.choice(KINDS),
        colour=rng.choice(COLOURS),
        place=rng.choice(PLACES),
        person=rng.choice(PEOPLE),
        state=rng.choice(STATES),
        month=rng.choice(MONTHS),
        number=rng.randrange(2, 300),
    )


def write_table(path: Path, count: int) -> Path:
    """Write `count` rows as CSV to `path`, unless a table of that name lies there."""
    if not path.exists():
        draft = path.with_suffix(".tmp")
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(values(0)))
            writer.writeheader()
            writer.writerows(_all(count))
        draft.replace(path)
    return path


def _all(count: int) -> Iterator[dict[str, str]]:
    return (values(number) for number in range(count))
