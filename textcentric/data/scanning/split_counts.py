"""The rows and classes of each split: how many, how the splits were made, what they cannot show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import sqrt

from textcentric.data.scanning.scan import Scan
from textcentric.data.schema import Schema

ORDER = ("train", "validation", "test")
FEW = 100  # rows of a test: a share of them is known to within 10 points


@dataclass(frozen=True)
class SplitCount:
    """The usable rows of a split, and those of each class where there are few classes."""

    rows: int
    classes: dict[str, int] = field(default_factory=dict)


def split_counts(schema: Schema, result: Scan) -> dict[str, SplitCount]:
    """Return the rows of each split, "" for rows in none, and its classes, where there are any."""
    classes = {} if schema.task == "regression" else result.classes
    names = [name for name in (*ORDER, *result.splits) if name in result.splits]
    counts: dict[str, SplitCount] = {}
    for name in dict.fromkeys(names):
        found = {_said(label, schema): n for (split, label), n in classes.items() if split == name}
        counts[name] = SplitCount(result.splits[name], dict(sorted(found.items())))
    return counts


def _said(label: str, schema: Schema) -> str:
    """Return a class with its word: 0 (owl)."""
    words = {str(choice): word for choice, word in (schema.choices or {}).items()}
    word = words.get(label, label)
    return label if word == label else f"{label} ({word})"


def how_made(schema: Schema) -> str:
    """Say where the splits come from."""
    if schema.split is not None:
        return f"by column {schema.split!r}"
    key = f"group {schema.group!r}" if schema.group else f"id {schema.id!r}"
    return f"80/10/10 by a hash of {key}; a column of splits is named with `split:`"


def doubts(counts: Mapping[str, SplitCount]) -> Iterator[str]:
    """Yield what the splits cannot show, a line each."""
    test = counts.get("test")
    if test is not None and test.rows < FEW:
        yield f"split test has {test.rows} row(s): {_blur(test)}"
    known = counts["train"].classes if "train" in counts else {}
    for name, count in counts.items() if known else ():
        for label in sorted(set(count.classes) - set(known)) if name else ():
            yield f"class {label!r:.60} has {count.classes[label]} row(s) in {name}, none in train"


def _blur(test: SplitCount) -> str:
    """Say what so few rows leave open; the error of a share is widest at one half."""
    if not test.classes:
        return "too few to tell models apart that are nearly as good"
    points = round(98 / sqrt(test.rows))
    return (
        f"a share of them is known to within {points} points only, so smaller differences show"
        " nothing"
    )
