"""Another value of a column, taken exactly as another row of the data has it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import islice

from textcentric.augmentation.picks.question import Carried, Picked, Question
from textcentric.augmentation.picks.statements import Table, spans_of
from textcentric.augmentation.plan import Plan
from textcentric.experts.sentences import Span
from textcentric.experts.table import statements
from textcentric.rows import Record, TextRow
from textcentric.values import Cells

READ, KEPT = 2000, 64  # rows that are read, and values of a column that are kept
OFFERED = 4  # other values that the model chooses from


def values(row: TextRow, table: Table, take: int, rng: random.Random) -> list[Question]:
    """Return a question for at most `take` columns that have other values."""
    text = row.parts.get("table", "")
    spans = spans_of(list(table.lines.values()), text)
    placed = dict(zip(table.lines, spans, strict=False))
    offers = {label: _others(table, label) for label in placed}
    labels = [label for label in placed if offers[label]]
    if take < len(labels):
        labels = [labels[i] for i in sorted(rng.sample(range(len(labels)), take))]
    questions = []
    for label in labels:
        lines = offers[label]
        choices = sorted(rng.sample(lines, min(OFFERED, len(lines))))
        questions.append(_question(table.lines[label], choices, placed[label]))
    return questions


def _question(line: str, choices: list[str], span: Span) -> Question:
    def carry(picked: Picked) -> Carried:
        return picked["instead"], f"changed: {line} -> {picked['instead']}"

    return Question(line, {"instead": choices}, carry, "table", span)


def plan_columns(plan: Plan, records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Return the statements of the columns of `records`, where a prompt of `plan` picks values."""
    picks = {prompt.front.pick for prompt in plan.variants}
    return column_statements(records) if "value" in picks else {}


def column_statements(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Return {label: statements} of the tables of the first rows, each statement once."""
    seen: dict[str, dict[str, None]] = {}
    for record in islice(records, READ):
        cells: Cells = record.inputs.get("table") or {}
        for label, line in statements(cells).items():
            known = seen.setdefault(label, {})
            if len(known) < KEPT:
                known[line] = None
    return {label: tuple(lines) for label, lines in seen.items()}


def _others(table: Table, label: str) -> list[str]:
    own = table.lines[label].casefold()
    return [line for line in table.others.get(label, ()) if line.casefold() != own]
