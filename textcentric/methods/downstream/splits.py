"""The rows of a training by split: which are learnt from, which are evaluated, which neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from textcentric.data.balance import balance_of, count_left, reasons
from textcentric.rows import Balance, Example, Left
from textcentric.runs.examples import labelled, of_split

TRAIN, HELD_OUT = "train", "validation"
SHOWN = 3  # ids of rows in a message


@dataclass(frozen=True)
class Parted:
    """Rows to learn from and rows to evaluate; `others` have targets and are of another split.

    `left` counts the rows that are neither, by reason, and `notes` say what else to know.
    """

    train: list[Example]
    held_out: list[Example]
    others: list[Example] = field(default_factory=list)
    left: dict[str, Left] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def in_words(self, parts: Mapping[str, Mapping[str, str]]) -> Parted:
        """Return the rows with their `parts`; those without any are left out."""
        left = dict(self.left)
        for example in (*self.train, *self.held_out):
            if example.id in parts and not parts[example.id]:
                count_left(left, "row(s) without words in any part", repr(example.id))
        train, held_out = (
            [replace(e, parts=parts[e.id]) for e in examples if parts.get(e.id)]
            for examples in (self.train, self.held_out)
        )
        return replace(self, train=train, held_out=held_out, left=left)

    def told(self) -> list[str]:
        """Say which rows are neither learnt from nor evaluated."""
        left = sum(of["rows"] for of in self.left.values())
        lines = [f"neither trained on nor held out: {reasons(self.left)}"] if left else []
        return [*self.notes, *lines]

    def balance(self, source: Balance) -> Balance:
        """Return how many rows of the source are used, and why the others are not."""
        given = source["given"] - sum(of["rows"] for of in self.left.values())
        return balance_of(given, {**source["left_out"], **self.left})


def parted(examples: Sequence[Example], most: int | None, most_held_out: int | None) -> Parted:
    """Part the rows with a target by their split, at most so many of each.

    Raises DataError where no row has a target, or none is in the split train.
    """
    usable = labelled(examples)
    left: dict[str, Left] = {}
    for example in examples:
        if example.target is None:
            count_left(left, "row(s) without a target", repr(example.id))
    if all(example.split is None for example in usable):
        notes = (f"no row says its split, so all {len(usable)} are trained on",)
        return Parted(_first(usable, most, left), [], left=left, notes=notes)
    others = [e for e in usable if e.split not in (TRAIN, HELD_OUT)]
    for example in others:
        what = "without a split" if example.split is None else f"of the split {example.split}"
        count_left(left, f"row(s) {what}", repr(example.id))
    train = _first(of_split(usable, TRAIN), most, left, f" of the split {TRAIN}")
    held_out = [example for example in usable if example.split == HELD_OUT]
    held_out = _first(held_out, most_held_out, left, f" of the split {HELD_OUT}")
    return Parted(train, held_out, [e for e in others if e.split is not None], left)


def _first(
    examples: Sequence[Example], most: int | None, left: dict[str, Left], which: str = ""
) -> list[Example]:
    if most is not None:
        for example in examples[most:]:
            count_left(left, f"row(s){which} beyond the first {most}", repr(example.id))
    return list(examples[:most])


def classes_in_words(rows: Mapping[int | str, Sequence[str]]) -> str:
    """Say classes with how many rows are of each, and the first of them.

    >>> classes_in_words({7: ["a", "b", "c", "d"]})
    "7 (4: 'a', 'b', 'c' ...)"
    """
    told = []
    for name, ids in rows.items():
        more = " ..." if len(ids) > SHOWN else ""
        told.append(f"{name!r} ({len(ids):,}: {', '.join(map(repr, ids[:SHOWN]))}{more})")
    return ", ".join(told)
