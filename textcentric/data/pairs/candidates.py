"""Prompts with several responses each, of which some are right: what Best-of-N picks from.

Two layouts are read: `responses` with `correct` (booleans, or numbers: how good each is), and
RewardBench 2's lists `chosen` and `rejected` (arXiv 2506.01937).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from textcentric.data.pairs.layouts import Row, said_of_picture
from textcentric.data.pairs.loading import reasons
from textcentric.data.pairs.messages import is_conversation, plain
from textcentric.data.pairs.notation import as_list, opened
from textcentric.data.pairs.pictures import pictures_of
from textcentric.data.pairs.questions import asked
from textcentric.data.readings import as_float
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError
from textcentric.security.foreign import foreign

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
) -> tuple[list[Candidates], LeftOut]:
    """Return the prompts of a file, and the lines that give none: both together are all lines.

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
    prompts: list[Candidates] = []
    left_out = LeftOut()
    for number, row in enumerate(islice(table.rows(left_out), limit)):
        name = str(row.get("id", number))
        try:
            with foreign("the row"):
                prompts.append(_candidates(name, opened(row), None if lists else truths))
        except DataError as error:
            left_out.add(str(error), text=f"prompt {name}")
    if not prompts:
        why = "; ".join(reasons(left_out))
        raise DataError(f"{source} has no prompt that can be used: {why or 'it is empty'}")
    return prompts, left_out


def _candidates(name: str, row: Row, truths: str | None) -> Candidates:
    """Return the prompt of a row; raises DataError, saying why, for one that cannot be used."""
    responses, values = _responses(row, truths)
    if why := _fault(responses, values):
        raise DataError(why)
    subset = row.get("subset")
    return Candidates(
        id=name,
        prompt=asked(row),
        responses=tuple(responses),
        truths=tuple(float(value) for value in values),
        descriptions=said_of_picture(row),
        images=pictures_of(row),
        subset=None if subset is None else str(subset),
    )


def _responses(row: Row, truths: str | None) -> tuple[list[str], list[Any]]:
    """Return the responses of a row, and how good each is."""
    if truths is not None:
        return [plain(one) for one in as_list(row.get("responses"))], as_list(row.get(truths))
    right, wrong = (as_list(row.get(name)) for name in ("chosen", "rejected"))
    if is_conversation(right) or is_conversation(wrong):
        raise DataError("chosen and rejected are conversations, not lists of responses: a pair")
    values = [1.0] * len(right) + [0.0] * len(wrong)
    return [plain(one) for one in (*right, *wrong)], values


def _is_finite(truth: float) -> bool:
    amount = as_float(truth)
    return amount is not None and isfinite(amount)


def _fault(responses: list[str], truths: list[Any]) -> str:
    """Return why a prompt cannot be used, "" where it can."""
    if len(responses) < 2:
        return "there are fewer than two responses"
    if len(truths) != len(responses):
        return "there is not one value a response"
    if not all(isinstance(one, int | float) and _is_finite(one) for one in truths):
        return "a value is not a finite number"
    return "" if all(one.strip() for one in responses) else "a response is empty"
