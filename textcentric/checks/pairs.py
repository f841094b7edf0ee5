"""Pairs of any tool or of people, judged one by one: a table in, a line for each pair out.

Of a variant of several sentences only those are compared that are not the source's as they stand:
what the others say is the row around them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

from textcentric.checks.config import FACTS, CheckConfig
from textcentric.checks.edit import Edit, Embed, Facts
from textcentric.checks.verdict import Verdict, judge
from textcentric.data.tables.table import Row, Table
from textcentric.errors import DataError, option, quoted, unknown
from textcentric.experts.sentences import sentence_spans
from textcentric.values import Cell, Json
from textcentric.writing import count_words, joined

MOST_WORDS = 1000  # of a text that can be judged
TRUE, EMPTY, TOO_LONG = "true", "empty source", "too long"
Line = dict[str, Json]
BackRead = Callable[[Sequence[Edit]], Sequence[Edit]]  # the same edits with their likelihoods
Judge = Callable[[Sequence[Edit], Facts], list[Verdict]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and a variant of one line; `why` says what is wrong with the line."""

    name: Json
    edit: Edit | None = None
    facts: Facts = "same"
    why: str = ""


@dataclass
class Checking:
    """A check under way: how many pairs came to which end is counted as they come."""

    lines: Iterator[Line]
    reasons: Counter[str] = field(default_factory=Counter)  # of what is judged false, or not at all
    true: int = 0
    false: int = 0
    unjudged: int = 0
    broken: int = 0

    def __iter__(self) -> Iterator[Line]:
        """Yield a line for each pair, in the order of the input."""
        for line in self.lines:
            verdict = line.get("verdict")
            self.broken += "error" in line
            self.true += verdict is True
            self.false += verdict is False
            self.unjudged += "verdict" in line and verdict is None
            if verdict is not True:
                self.reasons[_end(line)] += 1
            yield line

    @property
    def true_share(self) -> float:
        """Return the share of true variants among what was judged and the broken lines."""
        counted = self.true + self.false + self.broken
        return self.true / counted if counted else 0.0

    @property
    def table(self) -> list[list[str | int]]:
        """Return how many pairs came to which end, the true ones first, the others by number."""
        rows: list[list[str | int]] = [[TRUE, self.true]]
        return rows + [[reason, count] for reason, count in self.reasons.most_common()]


def _end(line: Line) -> str:
    if "error" in line:
        return "broken line"
    said = str(line["reason"] or "unlikely")
    return f"not judged: {said}" if line["verdict"] is None else said


def check_pairs(
    table: Table, config: CheckConfig, judge_: Judge, back_read: BackRead | None = None
) -> Checking:
    """Open the check of a table; `back_read` adds likelihoods where the verdict is undecided.

    Raises DataError where the table has no column of sources or of variants.
    """
    for role, column in (("source", config.source), ("variant", config.variant)):
        if column not in table.columns:
            raise DataError(
                f"{table.path} has no column {column!r} for the {role}, but"
                f" {', '.join(table.columns)}; name it by {option(role)}"
            )
    judging = Judging(judge_, back_read)
    return Checking(_lines(read_pairs(table, config), judging, config.batch_size))


def judge_by(config: CheckConfig, encoder: Embed | None) -> Judge:
    """Return the judge that the settings ask for; `encoder` compares by meaning."""

    def judge_edits(edits: Sequence[Edit], facts: Facts) -> list[Verdict]:
        return judge(edits, facts, config.legible, encoder=encoder, strict=config.strict)

    return judge_edits


def read_pairs(table: Table, config: CheckConfig) -> Iterator[Pair]:
    """Yield the pairs of a table in their order, those of lines that cannot be read among them."""
    unreadable: Counter[str] = Counter()
    number = broken = 0
    for row in table.rows(unreadable):
        for _ in range(unreadable.total() - broken):
            yield Pair(number, why=_why(unreadable))
            number += 1
        broken = unreadable.total()
        yield _pair(row, number, config)
        number += 1
    for _ in range(unreadable.total() - broken):
        yield Pair(number, why=_why(unreadable))
        number += 1


def _why(unreadable: Counter[str]) -> str:
    return "; ".join(unreadable).replace("line(s)", "a line").replace("that are", "that is")


def _pair(row: Row, number: int, config: CheckConfig) -> Pair:
    """Return the pair of a row, or what is wrong with it."""
    given = row.get("id")
    name: Json = given if isinstance(given, str | int) else number
    texts = {}
    for role, column in (("source", config.source), ("variant", config.variant)):
        value = row.get(column)
        if not isinstance(value, str):
            held = "nothing" if value is None else quoted(value, 40)
            return Pair(name, why=f"no {role}: {column!r} holds {held}, expected a text")
        texts[role] = value
    facts = row.get("facts") or config.facts
    if facts not in FACTS:
        return Pair(name, why=unknown("facts", str(facts), FACTS))
    edit = narrowed(texts["source"], texts["variant"], _text(row.get("row")))
    return Pair(name, edit, cast(Facts, facts))


def _text(value: Cell) -> str:
    return value if isinstance(value, str) else ""


def narrowed(source: str, variant: str, row: str = "") -> Edit:
    """Return what differs between two texts; `row` is the text around the source.

    >>> narrowed("He is calm. He is old.", "He is calm. He is very old.").variant
    'He is very old.'
    """
    before, after = _sentences(source), _sentences(variant)
    shared = Counter(before) & Counter(after)
    rest = _without(before, shared), _without(after, shared)
    if shared and rest[0] and rest[1]:
        return Edit(joined(rest[0]), joined(rest[1]), row or source)
    return Edit(source, variant, row or source)


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, whole=True)]


def _without(texts: Iterable[str], gone: Counter[str]) -> list[str]:
    left = Counter(gone)
    kept = []
    for text in texts:
        if left[text]:
            left[text] -= 1
        else:
            kept.append(text)
    return kept


@dataclass(frozen=True)
class Judging:
    """Who judges, and who is asked where a verdict is undecided."""

    judge: Judge
    back_read: BackRead | None = None

    def __call__(self, pairs: Sequence[Pair]) -> list[Verdict | None]:
        """Return a verdict of each pair, None of those whose line is broken."""
        verdicts: list[Verdict | None] = [_unjudged(pair) for pair in pairs]
        places: dict[Facts, list[tuple[int, Edit]]] = {}
        for place, pair in enumerate(pairs):
            if pair.edit is not None and verdicts[place] is None:
                places.setdefault(pair.facts, []).append((place, pair.edit))
        for facts, held in places.items():
            found = self._judged([edit for _, edit in held], facts)
            for (place, _), verdict in zip(held, found, strict=True):
                verdicts[place] = verdict
        return verdicts

    def _judged(self, edits: Sequence[Edit], facts: Facts) -> list[Verdict]:
        verdicts = self.judge(edits, facts)
        asked = [place for place, verdict in enumerate(verdicts) if undecided(verdict)]
        if self.back_read is None or not asked:
            return verdicts
        again = self.back_read([edits[place] for place in asked])
        for place, verdict in zip(asked, self.judge(again, facts), strict=True):
            verdicts[place] = verdict
        return verdicts


def undecided(verdict: Verdict) -> bool:
    """Say whether likelihoods could change a verdict: no check refused it by itself."""
    return verdict.score is not None and 0.05 < verdict.score < 0.95


def _unjudged(pair: Pair) -> Verdict | None:
    """Return the verdict of a pair that no check can judge."""
    if pair.edit is None:
        return None
    if not pair.edit.source.strip():
        return Verdict(None, reason=EMPTY)
    longest = max(count_words(pair.edit.source), count_words(pair.edit.variant))
    return Verdict(None, reason=TOO_LONG) if longest > MOST_WORDS else None


def _lines(pairs: Iterator[Pair], judged: Judging, size: int) -> Iterator[Line]:
    while batch := list(islice(pairs, size)):
        for pair, verdict in zip(batch, judged(batch), strict=True):
            yield _line(pair, verdict)


def _line(pair: Pair, verdict: Verdict | None) -> Line:
    if verdict is None:
        return {"id": pair.name, "error": pair.why}
    score = None if verdict.score is None else round(verdict.score, 4)
    parts = {name: round(float(value), 4) for name, value in verdict.parts.items()}
    said = {"verdict": verdict.true, "score": score, "parts": parts, "reason": verdict.reason}
    return {"id": pair.name, **said}
