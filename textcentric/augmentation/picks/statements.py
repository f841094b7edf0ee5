"""The statements of a row: the lines of its table, and whole sentences of its other parts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from textcentric.experts.sentences import Span, sentence_spans

# A sentence that begins or ends so leans on the one before it; lists are English, and a sentence
# of another language passes.
LEANS = re.compile(
    r"^\W*(?:and|but|so|or|nor|yet|also|then|this|that|these|those|such|both|either|neither"
    r"|otherwise|however|therefore|instead|besides|too|same|there(?! (?:is|are|was|were)\b)"
    r"|what|which|who|why|how|when|where|because|if|as for|one more|the thing is|ok|please|pls"
    r"|yes|no|not|thanks?|thank you)\b"
    r"|\b(?:that|this|those|these|it|too|either|so)\W*$"
    r"|(?<!\W)(?=\W*+\Z)[^\w:?,;]*+[:?,;]",  # the marks at the end are read once
    re.IGNORECASE,
)
NAMED_BEFORE = re.compile(
    r"^\W*(?:he|she|it|they|his|her|hers|its|their|him|them)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Table:
    """The table of a row as statements by label, and the statements that other rows have."""

    lines: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)


def spans_of(lines: Sequence[str], text: str) -> list[Span]:
    """Return where the statements `lines` stand in `text`, none where they do not all stand there.

    >>> spans_of(["Age: 3.", "Fee: 5."], "Age: 3. Fee: 5.")
    [(0, 7), (8, 15)]
    """
    spans, at = [], 0
    for line in lines:
        start = text.find(line, at)
        if start < 0:
            return []
        at = start + len(line)
        spans.append((start, at))
    return spans


def statement_spans(name: str, text: str, table: Table) -> list[Span]:
    """Return where the statements of the part `name` stand: lines of the table, or sentences."""
    found = spans_of(list(table.lines.values()), text) if name == "table" else []
    return found or sentence_spans(text, whole=True)


@lru_cache(maxsize=4096)
def leans(sentence: str) -> bool:
    """Say whether a sentence means little without the one before it."""
    return LEANS.search(sentence) is not None


def names_before(sentence: str) -> bool:
    """Say whether a sentence begins with a word for somebody who was named before."""
    return NAMED_BEFORE.search(sentence) is not None
