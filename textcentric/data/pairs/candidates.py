"""Prompts with several responses each, of which some are right: what Best-of-N picks from.

Two layouts are read: `responses` with `correct` (booleans, or numbers: how good each is), and
RewardBench 2's lists `chosen` and `rejected` (arXiv 2506.01937).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textcentric.data.left_out import LeftOut
from textcentric.data.pairs.layouts import Row, pictures_of, said_of_picture, said_prompt
from textcentric.data.pairs.messages import plain
from textcentric.data.tables import open_table
from textcentric.errors import DataError
from textcentric.values import Cell

TRUTHS = ("correct", "scores", "labels")


@dataclass(frozen=True, slots=True)
class Candidates:
    """One prompt, its responses, and how good each truly is (1 and 0, or any numbers)."""

    id: str
    prompt: str
    responses: tuple[str, ...]
    truths: tuple[float, ...]
    descriptions: Mapping[str, str] = field(default_factory=dict)
    images: tuple[Any, ...] = ()
    subset: str | None = None


def read_candidates(
    source: str | Path, limit: int | None = None
) -> tuple[list[Candidates], Counter[str]]:
    """Return the prompts of a file, and how many were left out for which reason.

    Raises DataError where the columns are of neither layout or nothing is left.
    """
    table = open_table(Path(source))
    lists = {"chosen", "rejected"} <= set(table.columns)
    truths = next((name for name in TRUTHS if name in table.columns), None)
    if not lists and (truths is None or "responses" not in table.columns):
        raise DataError(
            f"{source} has the columns {', '.join(table.columns)}; expected prompt, responses and"
            " correct (a list each of both), or RewardBench 2's prompt, chosen and rejected"
        )
    dropped: Counter[str] = Counter()
    found: list[Candidates] = []
    left_out = LeftOut()
    for number, row in enumerate(table.rows(left_out)):
        if limit is not None and number >= limit:
            break
        responses, values = _responses(row, None if lists else truths)
        if why := _fault(responses, values):
            dropped[why] += 1
            continue
        found.append(_candidates(row, number, responses, [float(value) for value in values]))
    dropped.update(left_out.lines)
    if not found:
        why = "; ".join(f"{n:,} left out: {reason}" for reason, n in dropped.most_common())
        raise DataError(f"{source} has no prompt that can be used: {why or 'it is empty'}")
    return found, dropped


def _candidates(row: Row, number: int, responses: list[Cell], truths: list[float]) -> Candidates:
    subset = row.get("subset")
    return Candidates(
        id=str(row.get("id", number)),
        prompt=said_prompt(row),
        responses=tuple(plain(one) for one in responses),
        truths=tuple(truths),
        descriptions=said_of_picture(row),
        images=pictures_of(row),
        subset=None if subset is None else str(subset),
    )


def _responses(row: Row, truths: str | None) -> tuple[list[Any], list[Any]]:
    if truths is not None:
        return _listed(row.get("responses")), _listed(row.get(truths))
    right, wrong = _listed(row.get("chosen")), _listed(row.get("rejected"))
    return [*right, *wrong], [1.0] * len(right) + [0.0] * len(wrong)


def _listed(value: Cell) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _fault(responses: list[Cell], truths: list[Any]) -> str:
    """Return why a prompt cannot be used, "" where it can."""
    if len(responses) < 2:
        return "there are fewer than two responses"
    if len(truths) != len(responses):
        return "there is not one value a response"
    if not all(isinstance(one, int | float) and abs(one) < float("inf") for one in truths):
        return "a value is not a finite number"
    return "" if all(plain(one).strip() for one in responses) else "a response is empty"
