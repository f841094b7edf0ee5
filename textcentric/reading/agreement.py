"""What follows from several readers: how far they agree, and which pairs are true.

One reader decides alone, which is said; of two both must call a pair true; of three or more most
must. Kappa is Cohen's (1960), the mean over pairs of readers where there are more than two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from textcentric.prompts.calibration import Reading
from textcentric.reading.answers import WORDS, Answer, by_reader
from textcentric.reading.items import ACCEPTED, DECOY, READ, REFUSED, REPEAT
from textcentric.reading.sheet import Sheet

# What made the variants of a prompt: a reading counts for the same alone.
MADE_WITH = ("digest", "model", "revision", "checks", "temperature", "candidates")
Words = Mapping[str, str]  # pair -> word


@dataclass(frozen=True, slots=True)
class OneReader:
    """How one reader read: how many pairs, decoys called right, repeats called the same."""

    name: str
    who: str
    read: int
    decoys: int
    decoys_right: int
    repeats: int
    repeats_same: int

    def words(self) -> str:
        """Return it as one line."""
        return (
            f"{self.name} ({self.who}): {self.read} read; decoys {self.decoys_right} of"
            f" {self.decoys} right; repeats {self.repeats_same} of {self.repeats} the same word"
        )


@dataclass(frozen=True)
class Figures:
    """What a sheet came to: a reading a prompt, agreement, and each reader's own."""

    readings: tuple[Reading, ...]
    readers: tuple[OneReader, ...]
    words: Mapping[str, Mapping[str, int]]  # prompt -> word -> how often, over all readers
    kappa_words: float | None
    kappa_true: float | None
    alone: int  # pairs that one reader alone has read


def kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return Cohen's kappa of two readers; None where nothing was read or nothing ever differs.

    >>> kappa(["same", "less", "same", "changed"], ["same", "less", "changed", "changed"])
    0.6363636363636364
    """
    if not first:
        return None
    agree = sum(a == b for a, b in zip(first, second, strict=True)) / len(first)
    ones, others = Counter(first), Counter(second)
    chance = sum(ones[word] * others[word] for word in ones) / len(first) ** 2
    return None if chance == 1 else (agree - chance) / (1 - chance)


def is_true(words: Sequence[str], true: Sequence[str]) -> bool:
    """Say whether readers who said `words` find a pair true: all of up to two, else most."""
    votes = sum(word in true for word in words)
    return votes == len(words) if len(words) <= 2 else 2 * votes > len(words)


def truths(sheet: Sheet, answers: Sequence[Answer]) -> dict[str, bool]:
    """Return {pair: whether readers find it true} of the run's own pairs that were read."""
    said = _said(answers)
    return {
        item.item: is_true(said[item.item], item.true_words)
        for item in sheet.items
        if item.kind in READ and item.item in said
    }


def figures(sheet: Sheet, answers: Sequence[Answer]) -> Figures:
    """Return what the answers to `sheet` come to; decoys and repeats enter no reading."""
    readers = by_reader(answers)
    said, true = _said(answers), truths(sheet, answers)
    read = {name: {i: a.word for i, a in of.items() if i in true} for name, of in readers.items()}
    items = sheet.by_id()
    verdicts = {
        name: {i: str(word in items[i].true_words) for i, word in of.items()}
        for name, of in read.items()
    }
    counted: dict[str, dict[str, int]] = {}
    for item in (items[number] for number in true):
        line = counted.setdefault(item.group, dict.fromkeys(WORDS, 0))
        for word in said[item.item]:
            line[word] += 1
    return Figures(
        readings=tuple(_reading(sheet, name, true, answers) for name in sorted(counted)),
        readers=tuple(_reader(sheet, name, of) for name, of in sorted(readers.items())),
        words=counted,
        kappa_words=_mean_kappa(list(read.values())),
        kappa_true=_mean_kappa(list(verdicts.values())),
        alone=sum(len(said[number]) == 1 for number in true) if len(readers) > 1 else 0,
    )


def _said(answers: Sequence[Answer]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for answer in answers:
        said.setdefault(answer.item, []).append(answer.word)
    return said


def _mean_kappa(readers: Sequence[Words]) -> float | None:
    """Return the mean over pairs of readers, each over what both have read."""
    values = []
    for one, other in combinations(readers, 2):
        both = sorted(one.keys() & other.keys())
        value = kappa([one[i] for i in both], [other[i] for i in both])
        values += [] if value is None else [value]
    return sum(values) / len(values) if values else None


def _reading(
    sheet: Sheet, name: str, true: Mapping[str, bool], answers: Sequence[Answer]
) -> Reading:
    group = sheet.groups[name]
    of = [item for item in sheet.items if item.group == name and item.item in true]
    ids = {item.item for item in of}
    readers = [answer for answer in answers if answer.item in ids]
    counts = Counter((item.kind, true[item.item]) for item in of)
    return Reading(
        prompt=name,
        **{made: getattr(group, made) for made in MADE_WITH},
        read=counts[ACCEPTED, True] + counts[ACCEPTED, False],
        true=counts[ACCEPTED, True],
        refused_read=counts[REFUSED, True] + counts[REFUSED, False],
        refused_true=counts[REFUSED, True],
        readers=min(Counter(answer.item for answer in readers).values()),
        who=tuple(sorted({answer.who for answer in readers})),
        sheet=sheet.digest,
    )


def _reader(sheet: Sheet, name: str, answers: Mapping[str, Answer]) -> OneReader:
    items = sheet.by_id()
    decoys = [items[i] for i in answers if items[i].kind == DECOY]
    repeats = [items[i] for i in answers if items[i].kind == REPEAT and items[i].of in answers]
    own = [i for i in answers if items[i].kind in READ]
    return OneReader(
        name=name,
        who=next(iter(answers.values())).who,
        read=len(own),
        decoys=len(decoys),
        decoys_right=sum(answers[item.item].word == item.expected for item in decoys),
        repeats=len(repeats),
        repeats_same=sum(answers[r.item].word == answers[r.of].word for r in repeats),
    )
