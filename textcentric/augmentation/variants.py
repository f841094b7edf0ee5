"""What a prompt rewrites of a row, and the row that comes of what the model wrote.

A variant keeps the row's own words wherever the model wrote none: the other parts, and the
sentences that were not asked for or whose rewriting was dropped.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

from textcentric.augmentation.curation import Draft, Piece, trim
from textcentric.augmentation.picks.kinds import questions
from textcentric.augmentation.picks.question import OUTSIDE, Question
from textcentric.augmentation.picks.statements import Table
from textcentric.engines.protocol import Response
from textcentric.engines.reasoning import SPENT
from textcentric.errors import PromptError
from textcentric.experts.sentences import Span, sentence_spans, splice
from textcentric.experts.table import in_words
from textcentric.prompts.columns import column_variables, columns_read
from textcentric.prompts.prompt import Prompt
from textcentric.rows import MODALITIES, TextRow
from textcentric.values import Cells, JsonSchema
from textcentric.writing import count_words, gap

NO_TABLE = Table()
CONTRADICTED = ("table", "image", "audio")
SENTENCE_WORDS, FEWEST_WORDS = (4, 40), 2
FEWEST_IN_PASSAGE, MOST_IN_PASSAGE = 3, 5  # sentences; the orders of more are too many


@dataclass(frozen=True, slots=True)
class Unit:
    """One request of a variant: the text it stands for, and where that lies in its part.

    The part is the target's, unless `part` names another one; a `question` is to be picked from.
    """

    source: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None
    part: str = ""
    question: Question | None = None

    def choices(self) -> JsonSchema | None:
        """Return the schema of what may be picked, None where the model writes freely."""
        return None if self.question is None else self.question.schema()


@dataclass(frozen=True, slots=True)
class Target:
    """What a prompt aims at in one row; `reason` says why where there is nothing to write on."""

    part: str
    row_text: str
    variables: Mapping[str, Any]
    units: Sequence[Unit]
    notes: tuple[str, ...] = ()
    reason: str = ""


def aim(
    prompt: Prompt,
    row: TextRow,
    rng: random.Random,
    modality: str | None = None,
    table: Table = NO_TABLE,
) -> Target:
    """Choose modality (unless given), part and sentences for `prompt` by `rng`.

    `table` is what picks of facts and values read besides.
    """
    front = prompt.front
    row_text = row.text()
    modality = modality or rng.choice(_modalities(prompt, row))
    rest = "\n\n".join(text for name, text in row.parts.items() if name != modality)
    part = _part(front.writes, modality, row)
    text = row_text if part == "row" else row.parts.get(part, row_text)
    variables = {
        "row": row_text,
        "rest": rest,
        "parts": dict(row.parts),
        "part": text,
        "modality": modality,
    }
    drawn = front.writes == "modality" or not {"modality", "rest"}.isdisjoint(front.reads)
    notes = (f"modality: {modality}",) if drawn else ()
    if "rest" in front.reads and not rest:
        return Target(part, row_text, variables, (), notes, "only one modality")
    if front.pick:
        units = _picked(prompt, row, part, table, rng)
        return Target(part, row_text, variables, units, notes, "" if units else "nothing to pick")
    if front.each == "passage":
        part, text = _passage_part(part, row)
    if front.each:
        cut = _sentences if front.each == "sentence" else _passage
        units = cut(prompt, text, rng)
        return Target(part, row_text, variables, units, notes, "" if units else "no sentence")
    return Target(part, row_text, variables, [Unit(rest if "rest" in front.reads else text)], notes)


def with_cells(target: Target, prompt: Prompt, cells: Cells, labels: Mapping[str, str]) -> Target:
    """Return `target` with the columns that `prompt` reads, of the table as the row has it."""
    if not columns_read(prompt.front.reads):
        return target
    columns = column_variables(prompt.front, labels, in_words(cells), cells)
    return replace(target, variables={**columns, **target.variables})


def draft_pieces(
    prompt: Prompt,
    target: Target,
    answers: Sequence[tuple[str, Response]],
    facts: Sequence[str] = (),
) -> Draft:
    """Cut the answers of a variant into pieces; each comes with the words it was begun with."""
    pieces = []
    for unit, (begin, answer) in zip(target.units, answers, strict=True):
        if answer.only_reasoned:
            pieces.append(Piece(unit.source, "", begin, reason=SPENT))
            continue
        if unit.question is not None:
            text, note = unit.question.carried(answer.text)
            reason = "" if answer.text else OUTSIDE
            pieces.append(Piece(unit.source, text, reason=reason, note=note))
            continue
        _check_begin(prompt, unit.source, begin)
        count = max(1, len(sentence_spans(unit.source))) if unit.span else None
        whole = f"{begin}{gap(begin, answer.text)}{answer.text}"
        text, cuts = trim(whole, answer.finish, sentences=count)
        pieces.append(Piece(unit.source, text, begin, cuts=cuts, logprob=answer.logprob))
    return Draft(prompt, target.row_text, pieces, facts)


def explained(prompt: Prompt, target: Target, text: str, facts: Sequence[str]) -> Draft:
    """Return an explanation beside the row that it is to come from."""
    return Draft(prompt, target.row_text, [Piece(target.row_text, text)], facts)


def assemble(row: TextRow, target: Target, draft: Draft, *, rejected: bool = False) -> TextRow:
    """Return the variant: the row with what the model wrote in place of what it stands for.

    A `rejected` one shows everything that was written, so that a reader sees what was wrong.
    """
    written = [
        (unit, piece)
        for unit, piece in zip(target.units, draft.pieces, strict=False)
        if (rejected or not piece.reason) and piece.text
    ]
    if not written:
        return row
    text = written[0][1].text
    if written[0][0].part:
        return _spliced(row, written)
    if written[0][0].span is not None:
        changes = [(unit.span, piece.text) for unit, piece in written if unit.span]
        text = splice(row.parts.get(target.part, target.row_text), changes)
    if target.part == "row":
        return replace(row, parts={"text": text})
    return row.with_part(target.part, text)


def _spliced(row: TextRow, written: Sequence[tuple[Unit, Piece]]) -> TextRow:
    """Return the row with each piece in its own part."""
    for part in row.parts:
        changes = [
            (unit.span, one.text) for unit, one in written if unit.span and unit.part == part
        ]
        row = row.with_part(part, splice(row.parts[part], changes))
    return row


def _picked(
    prompt: Prompt, row: TextRow, part: str, table: Table, rng: random.Random
) -> list[Unit]:
    """Return a unit for each question that `prompt` puts to the model."""
    return [
        Unit(one.source, {"sentence": one.shown or one.source}, one.span, one.part, one)
        for one in questions(prompt, row, part, table, rng)
    ]


def _check_begin(prompt: Prompt, source: str, begin: str) -> None:
    """Refuse an opening that is not the source's own: a template may not write a variant."""
    if begin and not " ".join(source.split()).startswith(" ".join(begin.split())):
        raise PromptError(
            f"prompt {prompt.id}: the answer begins with {begin!r}, which is not how its source"
            f" begins ({source[:60]!r}); {{% block begin %}} may only repeat the first words",
            prompt=prompt.id,
        )


def _modalities(prompt: Prompt, row: TextRow) -> list[str]:
    names = list(row.parts)
    if prompt.front.writes == "modality":
        return [name for name in names if name in CONTRADICTED] or names
    return names


def _part(writes: str, modality: str, row: TextRow) -> str:
    """Return the part to write; a modality that the row lacks gives way to its longest part."""
    if writes == "modality":
        return modality
    if writes in row.parts or writes not in MODALITIES:
        return writes
    return max(row.parts, key=lambda name: len(row.parts[name]))


def _passage_part(part: str, row: TextRow) -> tuple[str, str]:
    """Return `part`, or the row's first part that has enough sentences for another order."""
    for name in (part, *row.parts):
        if len(sentence_spans(row.parts.get(name, ""))) >= FEWEST_IN_PASSAGE:
            return name, row.parts[name]
    return part, row.parts.get(part, "")


def _passage(prompt: Prompt, text: str, rng: random.Random) -> list[Unit]:
    """Draw one run of neighbouring sentences, with every order in which none keeps its place."""
    spans = sentence_spans(text)
    take = min(prompt.front.take or len(spans), MOST_IN_PASSAGE)
    if len(spans) < FEWEST_IN_PASSAGE:
        return []
    first = rng.randrange(max(1, len(spans) - take + 1))
    chosen = spans[first : first + take]
    sentences = [text[start:end] for start, end in chosen]
    orders = [
        list(order)
        for order in permutations(sentences)
        if not any(a == b for a, b in zip(order, sentences, strict=True))
    ]
    span = (chosen[0][0], chosen[-1][1])
    source = text[span[0] : span[1]]
    return [Unit(source, {"sentences": sentences, "orders": orders}, span)] if orders else []


def _sentences(prompt: Prompt, text: str, rng: random.Random) -> list[Unit]:
    low, high = SENTENCE_WORDS
    sized = [(span, count_words(text[slice(*span)])) for span in sentence_spans(text)]
    spans = [span for span, words in sized if low <= words <= high]
    spans = spans or [span for span, words in sized if FEWEST_WORDS <= words <= high]
    take = prompt.front.take
    if take is not None and take < len(spans):
        spans = sorted(rng.sample(spans, take))
    return [
        Unit(text[start:end], {"sentence": text[start:end]}, (start, end)) for start, end in spans
    ]
