"""What a prompt rewrites of a row, and the row that comes of what the model wrote.

A variant keeps the row's own words wherever the model wrote none: the other parts, and the
sentences that were not asked for or whose rewriting was dropped.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from textcentric.curate import Draft, Piece, trim
from textcentric.engines.protocol import Response
from textcentric.prompts import Prompt
from textcentric.rows import TextRow
from textcentric.sentences import Span, sentence_spans, splice

MODALITIES = ("text", "table", "image", "audio")
CONTRADICTED = ("table", "image", "audio")
SENTENCE_WORDS = (2, 40)


@dataclass(frozen=True, slots=True)
class Unit:
    """One request of a variant: the text it stands for, and where that lies in its part."""

    source: str
    variables: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a prompt aims at in one row; `reason` says why where there is nothing to write on."""

    part: str
    row_text: str
    variables: Mapping[str, Any]
    units: Sequence[Unit]
    notes: tuple[str, ...] = ()
    reason: str = ""


def aim(prompt: Prompt, row: TextRow, rng: random.Random, modality: str | None = None) -> Target:
    """Choose modality (unless given), part and sentences for `prompt` by `rng`."""
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
    if front.each:
        units = _sentences(prompt, text, rng)
        return Target(part, row_text, variables, units, notes, "" if units else "no sentence")
    return Target(part, row_text, variables, [Unit(rest if "rest" in front.reads else text)], notes)


def draft_pieces(
    prompt: Prompt,
    target: Target,
    answers: Sequence[tuple[str, Response]],
    facts: Sequence[str] = (),
) -> Draft:
    """Cut the answers of a variant into pieces; each comes with the words it was begun with."""
    pieces = []
    for unit, (begin, answer) in zip(target.units, answers, strict=True):
        count = max(1, len(sentence_spans(unit.source))) if unit.span else None
        gap = "" if not begin or answer.text[:1].isspace() or begin[-1:].isspace() else " "
        text, cuts = trim(f"{begin}{gap}{answer.text}", answer.finish, sentences=count)
        pieces.append(Piece(unit.source, text, cuts=cuts))
    return Draft(prompt, target.row_text, pieces, facts)


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
    if target.part == "row":
        return replace(row, parts={"text": written[0][1].text})
    if written[0][0].span is None:
        return row.with_part(target.part, written[0][1].text)
    changes = [(unit.span, piece.text) for unit, piece in written if unit.span]
    return row.with_part(target.part, splice(row.parts[target.part], changes))


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


def _sentences(prompt: Prompt, text: str, rng: random.Random) -> list[Unit]:
    low, high = SENTENCE_WORDS
    spans = [s for s in sentence_spans(text) if low <= len(text[s[0] : s[1]].split()) <= high]
    take = prompt.front.take
    if take is not None and take < len(spans):
        spans = sorted(rng.sample(spans, take))
    return [
        Unit(text[start:end], {"sentence": text[start:end]}, (start, end)) for start, end in spans
    ]
