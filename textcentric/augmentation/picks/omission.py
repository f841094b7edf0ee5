"""A row with fewer facts: of each run of neighbouring statements the model drops one."""

from __future__ import annotations

import random

from textcentric.augmentation.picks.question import Carried, Picked, Question
from textcentric.augmentation.picks.statements import Table, leans, names_before, statement_spans
from textcentric.experts.sentences import Span
from textcentric.rows import DERIVED, TextRow

RUN = 3  # statements, of which one goes


def omission(row: TextRow, table: Table, take: int, rng: random.Random) -> list[Question]:
    """Return a question for at most `take` runs of statements, in the row's order."""
    found = [
        question
        for name, text in row.parts.items()
        if name not in DERIVED
        for question in _runs(name, text, statement_spans(name, text, table))
    ]
    if take < len(found):
        found = [found[i] for i in sorted(rng.sample(range(len(found)), take))]
    return found


def _runs(name: str, text: str, spans: list[Span]) -> list[Question]:
    questions = []
    for at in range(0, len(spans) - RUN + 1, RUN):
        run = spans[at : at + RUN]
        after = spans[at + 1 : at + RUN + 1]
        free = [span for i, span in enumerate(run) if i >= len(after) or _stands(text, after[i])]
        if free:
            questions.append(_question(name, text, run, free))
    return questions


def _stands(text: str, span: Span) -> bool:
    """Say whether a sentence can lose the one before it."""
    sentence = text[span[0] : span[1]]
    return not leans(sentence) and not names_before(sentence)


def _question(name: str, text: str, run: list[Span], free: list[Span]) -> Question:
    start, end = run[0][0], run[-1][1]
    drops = {text[a:b]: (a, b) for a, b in reversed(free)}

    def carry(picked: Picked) -> Carried:
        dropped = drops[picked["left_out"]]
        before, after = text[start : dropped[0]], text[dropped[1] : end]
        kept = before + after.lstrip() if after.strip() else before.rstrip()
        return kept, f"left out: {picked['left_out']}"

    choices = {"left_out": list(reversed(drops))}
    return Question(text[start:end], choices, carry, name, (start, end))
