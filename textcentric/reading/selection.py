"""The rows of a run for whoever learns from them: the one place that decides which variants count.

All accepted ones, or those alone that were read and found true (as a reader mended them), or that
today's checks believe. What is left is said by split and class: what is left out of a class tilts
what is learnt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from textcentric.command_line import command
from textcentric.errors import DataError, option
from textcentric.reading.agreement import truths
from textcentric.reading.answers import Answer, read_answers
from textcentric.reading.belief import judged
from textcentric.reading.items import ACCEPTED
from textcentric.reading.sheet import sheets
from textcentric.rows import CLEAN, Example
from textcentric.runs.counters import ranked
from textcentric.runs.examples import read_examples
from textcentric.runs.manifest import read_manifest

Only = Literal["read-true", "believed"]
Parts = Mapping[str, str]
MOST_CLASSES = 12  # more targets are a quantity


@dataclass(frozen=True)
class Selection:
    """The rows of a run with the variants that count, and what is left in words: "" of all."""

    examples: list[Example]
    words: str = ""


@dataclass
class Kept:
    """The variants that are taken, with a reader's text where one was mended; and how many not.

    `refused` are read and not true, or not believed; `open` are, by reason, those of which nobody
    knows: not read, or not judged.
    """

    outputs: dict[str, Parts | None] = field(default_factory=dict)
    of: int = 0
    refused: int = 0
    open: Counter[str] = field(default_factory=Counter)

    def words(self, only: Only) -> str:
        """Say what is left, and what became of the others."""
        edited = sum(parts is not None for parts in self.outputs.values())
        mended = f", {edited} as a reader mended them" if edited else ""
        head = f"{len(self.outputs)} of {self.of} accepted variants are"
        if only == "read-true":
            taken, refused, unknown = f"read and true{mended}", "read and not true", "not read"
        else:
            taken, refused = "passed by today's checks", "not believed"
            unknown = f"not judged ({ranked(self.open)})"
        others = {refused: self.refused, unknown: self.open.total()}
        said = [f"{n} are {what}" for what, n in others.items() if n]
        return "; ".join([f"{head} {taken}", *said])


def select(
    run: Path, only: Only | None = None, *, labels: Collection[str] = ("keep",)
) -> Selection:
    """Return the rows of `run` with the variants whose label is in `labels` and `only` takes.

    Raises DataError where `only` leaves no variant.
    """
    if only is None:
        return Selection(read_examples(run, labels=labels))
    taken = kept(run, only)
    examples = read_examples(run, labels=labels, only=taken.outputs)
    return Selection(examples, f"{taken.words(only)}; left to learn from: {by_split(examples)}")


def by_split(examples: Sequence[Example]) -> str:
    """Say how many variants there are by split and class, classes without one among them.

    >>> rows = [Example("a", {}, 1, "train", variants=({},)), Example("b", {}, 0, "train")]
    >>> by_split(rows)
    '1 of train (0: 0, 1: 1)'
    """
    splits: dict[str, list[Example]] = {}
    for example in examples:
        splits.setdefault(example.split or "no split", []).append(example)
    return ", ".join(f"{_variants(of)} of {name} ({_by_class(of)})" for name, of in splits.items())


def _variants(examples: Sequence[Example]) -> int:
    return sum(len(example.variants) for example in examples)


def _by_class(examples: Sequence[Example]) -> str:
    counts = Counter[str]()
    for example in examples:
        target = example.target
        name = f"{target:g}" if isinstance(target, float) else str(target)
        counts[name] += len(example.variants)
    if len(counts) > MOST_CLASSES:
        varied = sum(bool(example.variants) for example in examples)
        return f"{varied} of {len(examples)} rows have one"
    return ", ".join(f"{name}: {n}" for name, n in sorted(counts.items()))


def kept(run: Path, only: Only) -> Kept:
    """Return the accepted variants of `run` that `only` takes; DataError where there is none."""
    taken = _read_true(run) if only == "read-true" else _believed(run)
    if not taken.outputs:
        how = (
            f"read some first: `{command('review', run)}`"
            if only == "read-true"
            else f"see `{command('runs', 'show', run)}` for what was accepted and believed"
        )
        raise DataError(
            f"{option('only', only)} leaves nothing of {run}: {taken.words(only)}; {how}"
        )
    return taken


def _believed(run: Path) -> Kept:
    taken = Kept()
    for call in judged(run):
        taken.of += 1
        if call.true:
            taken.outputs[call.output] = None
        elif call.true is None:
            taken.open[call.why] += 1
        else:
            taken.refused += 1
    return taken


def _read_true(run: Path) -> Kept:
    """Take what readers found true, and what one of them mended, from all sheets of this run."""
    manifest = read_manifest(run)
    counts = manifest.get("counts", {})
    taken = Kept(of=sum(c.get("accepted", 0) for name, c in counts.items() if name != CLEAN))
    read: set[str] = set()
    for sheet in sheets(run):
        if sheet.run != manifest.get("fingerprint", ""):
            continue
        answers = read_answers(run, sheet)
        true, mended = truths(sheet, answers), _mended(answers)
        for item in sheet.items:
            if item.kind != ACCEPTED or sheet.groups[item.group].part or item.item not in true:
                continue
            read.add(item.output)
            if item.item in mended or true[item.item]:
                taken.outputs[item.output] = mended.get(item.item)
    taken.refused = len(read - taken.outputs.keys())
    taken.open["not read"] = taken.of - len(read)
    return taken


def _mended(answers: Sequence[Answer]) -> dict[str, Parts]:
    return {answer.item: answer.edited for answer in answers if answer.edited}
