"""Variants by rule: the damage that `evaluate` does, drawn by the seed of the variant.

The row itself is damaged and said again by its experts, so that a rule and a cell of the
robustness grid with the same kind, level and seed give the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from textcentric.augmentation.curation import Draft, Piece
from textcentric.augmentation.description import Described, Describer
from textcentric.augmentation.variants import Target
from textcentric.corruption.orders import in_another_order
from textcentric.corruption.rows import CORRUPTIONS
from textcentric.errors import DataError
from textcentric.experts.text import MOST_CHARACTERS
from textcentric.prompts.prompt import Prompt
from textcentric.rows import Record, TextRow
from textcentric.runs.shards import NOTHING


async def ruled(
    prompt: Prompt, record: Record, described: Described, describer: Describer, seed: int
) -> tuple[TextRow, Draft, Target]:
    """Return the variant that a rule makes, what changed in it, and what names the rule."""
    row, front = described.row, prompt.front
    made, pieces = await _changed(prompt, record, described, describer, seed)
    reason = "" if pieces else NOTHING
    strength = "" if front.rule == "order" else f" at {front.strength:g}"
    target = Target("row", row.text(), {}, (), (f"rule: {front.rule}{strength}",))
    return made, Draft(prompt, row.text(), pieces, described.facts, reason), target


async def _changed(
    prompt: Prompt, record: Record, described: Described, describer: Describer, seed: int
) -> tuple[TextRow, list[Piece]]:
    """Return the row that a rule makes, and each changed part beside its source."""
    row = described.row
    rule = prompt.front.rule or ""
    if rule == "order":
        parts = in_another_order(row.parts, seed, row.id)
        moved = replace(row, parts=parts)
        as_before = list(parts) == list(row.parts)
        return moved, [] if as_before else [Piece(row.text(), moved.text())]
    record = _as_read(record)
    damaged = CORRUPTIONS[rule](record, prompt.front.strength, seed)
    changed = [name for name in row.parts if _differs(name, record, damaged)]
    before = await _words(record, changed, describer)  # as no `align` prompt has told them
    after = await _words(damaged, changed, describer)
    parts = {name: after.get(name, text) for name, text in row.parts.items()}
    made = replace(row, parts={name: text for name, text in parts.items() if text})
    pieces = [
        Piece(before[name], after[name])
        for name in changed
        if after[name] not in ("", before[name])
    ]
    if not pieces and len(made.parts) < len(row.parts):
        pieces = [Piece(row.text(), made.text())]
    return made, pieces


def _as_read(record: Record) -> Record:
    """Return the row without what of a very long text no expert reads."""
    text = record.inputs.get("text", "")
    if len(text) <= MOST_CHARACTERS:
        return record
    return replace(record, inputs={**record.inputs, "text": text[:MOST_CHARACTERS]})


def _differs(name: str, record: Record, damaged: Record) -> bool:
    one, other = record.inputs.get(name), damaged.inputs.get(name)
    return one is not other and one != other


async def _words(record: Record, names: Sequence[str], describer: Describer) -> dict[str, str]:
    """Return what the experts say of some modalities of a row, nothing of one that is empty."""
    inputs = {name: record.inputs[name] for name in names if record.inputs.get(name)}
    told: Mapping[str, str] = {}
    if inputs:
        try:
            told = (await describer.describe(replace(record, inputs=inputs), warn=False)).row.parts
        except DataError:  # nothing can be said of what is left
            told = {}
    return {name: told.get(name, "") for name in names}
