"""Other words in a sentence: the model picks which are exchanged, and what stands for them.

Choices are whole sentences, so the model reads each word where it would stand. Code proposes them
from the list of equivalents; names and values of the table are never exchanged.
"""

from __future__ import annotations

import random
from itertools import combinations, islice, product

from textcentric.augmentation.picks.question import Carried, Picked, Question
from textcentric.augmentation.picks.statements import Table
from textcentric.experts.sentences import Span, sentence_spans
from textcentric.prompts.equivalents import WORD, Exchange, exchanged, exchanges
from textcentric.rows import TextRow

LEAST = 2  # words that a variant exchanges, or it is none
TOGETHER, OFFERED = 2, 40  # words of one sentence, and sentences that the model chooses from
LONGEST = 40  # words of a sentence


def words(row: TextRow, part: str, table: Table, take: int, rng: random.Random) -> list[Question]:
    """Return a question for at most `take` sentences of `part`; none where too few can change."""
    text = row.parts.get(part, "")
    kept = frozenset(word.lower() for line in table.lines.values() for word in WORD.findall(line))
    found: list[tuple[Span, list[Exchange]]] = []
    for start, end in sentence_spans(text):
        known = exchanges(text[start:end], kept)
        if known and len(text[start:end].split()) <= LONGEST:
            found.append(((start, end), known))
    if sum(min(TOGETHER, len(known)) for _, known in found) < LEAST:
        return []
    found = _drawn(found, take, rng)
    return [_question(part, text[span[0] : span[1]], span, known, rng) for span, known in found]


def _drawn(
    found: list[tuple[Span, list[Exchange]]], take: int, rng: random.Random
) -> list[tuple[Span, list[Exchange]]]:
    """Draw sentences, those with several exchanges first, and give them in their order."""
    rng.shuffle(found)
    return sorted(sorted(found, key=lambda one: -min(TOGETHER, len(one[1])))[:take])


def _question(
    part: str, sentence: str, span: Span, known: list[Exchange], rng: random.Random
) -> Question:
    ways = _ways(sentence, known)
    offered = sorted(rng.sample(list(ways), min(OFFERED, len(ways))))

    def carry(picked: Picked) -> Carried:
        return picked["other_words"], f"other words: {ways[picked['other_words']]}"

    return Question(sentence, {"other_words": offered}, carry, part, span)


def _ways(sentence: str, known: list[Exchange]) -> dict[str, str]:
    """Return {sentence: what was exchanged} for `TOGETHER` exchanges at a time, if there are."""
    ways: dict[str, str] = {}
    for group in combinations(known, min(TOGETHER, len(known))):
        for chosen in islice(product(*(one.instead for one in group)), OFFERED):
            new = exchanged(sentence, dict(zip(group, chosen, strict=True)))
            pairs = zip(group, chosen, strict=True)
            ways[new] = ", ".join(f"{one.old} -> {other}" for one, other in pairs)
    ways.pop(sentence, None)
    return ways
