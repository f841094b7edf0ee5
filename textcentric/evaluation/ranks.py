"""Ordered classes in words as whole numbers, the lowest 0: what kappa and baselines compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from textcentric.data.memory import InHand
from textcentric.data.rows import Rows
from textcentric.data.schema import Schema
from textcentric.rows import Record, Target

Ranks = Mapping[str, int]


def ranks_of(schema: Schema) -> dict[str, int]:
    """Return the rank of each ordered class in words, nothing where classes are none.

    >>> ranks_of(Schema(task="ordinal", choices={"low": "low", "high": "high"}))
    {'low': 0, 'high': 1}
    """
    words = schema.task == "ordinal" and schema.choices and not schema.counts()
    return {str(name): rank for rank, name in enumerate(schema.choices or {})} if words else {}


def in_ranks(value: Target, ranks: Ranks) -> Target:
    """Return the rank of an ordered class in words, other values as they are."""
    return ranks.get(value, value) if isinstance(value, str) else value


def _with_ranks(schema: Schema, ranks: Ranks) -> Schema:
    """Return the schema of targets that are ranks, which keep the words of their classes."""
    if not ranks:
        return schema
    words = schema.choices or {}
    return schema.model_copy(update={"choices": {n: words[name] for name, n in ranks.items()}})


def ranked(rows: Rows, records: Sequence[Record]) -> InHand:
    """Return `records` of `rows` with ranks in place of ordered classes in words."""
    ranks = ranks_of(rows.schema)
    return InHand(
        [replace(record, target=in_ranks(record.target, ranks)) for record in records],
        _with_ranks(rows.schema, ranks),
        name=rows.name,
        path=rows.path,
        notes=(*rows.notes, *ranks_in_words(ranks)),
    )


def ranks_in_words(ranks: Ranks) -> list[str]:
    """Say in a note which rank each class has; nothing where there are none."""
    shown = ", ".join(f"{name} {rank}" for name, rank in ranks.items())
    return [f"classes are scored as ranks: {shown}"] if ranks else []
