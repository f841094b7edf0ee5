"""A summary in the row's own words: a fact from each third of its table, and one sentence.

Every word is the row's, so it is true by construction; what it leaves out is the model's choice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from textcentric.augmentation.picks.question import Carried, Picked, Question
from textcentric.augmentation.picks.statements import Table, leans, names_before, statement_spans
from textcentric.rows import TextRow
from textcentric.writing import STOPS, count_words, joined

MOST_WORDS, FACT_WORDS, FEWEST_WORDS = 40, 8, 4
FACTS, LEAST_FACTS = 3, 2
KEYS = ("first_fact", "second_fact", "third_fact")
# Among the marks at the end.
END = re.compile(rf"(?<!\W)(?=\W*+\Z)[^\w{STOPS}]*+[{STOPS}]")


def summary(row: TextRow, table: Table) -> list[Question]:
    """Return the one question of a summary; none where the row has nothing to choose from."""
    parts = {name: _statements(name, row.parts[name], table) for name in row.parts}
    facts = _facts(parts)
    room = MOST_WORDS - sum(_longest(choices) for choices in facts)
    if len(facts) > LEAST_FACTS and not _sentences(parts, room):
        facts = _thirds(_short(parts["table"], FACT_WORDS), LEAST_FACTS)
        room = MOST_WORDS - sum(_longest(choices) for choices in facts)
    choices = dict(zip(KEYS, facts, strict=False))
    if sentences := _sentences(parts, room):
        choices["sentence"] = sentences
    return [Question(row.text(), choices, _joined)] if choices else []


def by_rule(rule: str, row: TextRow, table: Table) -> str:
    """Return the first sentence of a row or its first two columns: summaries without a model."""
    if rule == "first-columns":
        return " ".join(_statements("table", row.parts.get("table", ""), table)[:LEAST_FACTS])
    name = "text" if "text" in row.parts else next(iter(row.parts))
    return next(iter(_statements(name, row.parts[name], table)), "")


def _statements(name: str, text: str, table: Table) -> list[str]:
    return [text[start:end] for start, end in statement_spans(name, text, table)]


def _facts(parts: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return what to choose facts from: the table, by thirds; else what was seen and heard."""
    if "table" in parts:
        return _thirds(_short(parts["table"], FACT_WORDS), FACTS)
    files = [one for name in ("image", "audio") for one in parts.get(name, ())]
    return _thirds(_short(files, MOST_WORDS // 2), 1 if "text" in parts else LEAST_FACTS)


def _short(statements: Sequence[str], most: int) -> list[str]:
    """Return the statements of at most `most` words, else the shortest two."""
    short = [one for one in statements if count_words(one) <= most]
    return short or sorted(statements, key=count_words)[:LEAST_FACTS]


def _thirds(statements: Sequence[str], most: int) -> list[list[str]]:
    """Split statements into at most `most` runs of neighbours, so that no pick meets another."""
    count = min(most, len(statements))
    ends = [round(i * len(statements) / count) for i in range(count + 1)] if count else []
    return [list(statements[a:b]) for a, b in pairwise(ends)]


def _sentences(parts: Mapping[str, Sequence[str]], room: int) -> list[str]:
    """Return the sentences of at most `room` words that can stand alone; of the text, if any."""
    names = ["text"] if "text" in parts else ["image", "audio"] if "table" in parts else []
    found = [one for name in names for one in parts.get(name, ())]
    fitting = [one for one in found if FEWEST_WORDS <= count_words(one) <= room]
    alone = [one for one in fitting if not leans(one)]
    named = [one for one in alone if not names_before(one)]
    return list(dict.fromkeys(named if len(named) > 1 else alone))


def _longest(statements: Sequence[str]) -> int:
    return max(map(count_words, statements), default=0)


def _joined(picked: Picked) -> Carried:
    return joined(one if END.search(one) else f"{one}." for one in picked.values()), ""
