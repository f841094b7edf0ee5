"""What rows are for, by their columns: a table to predict from, captions, preferences, variants."""

from __future__ import annotations

from typing import Literal

from textcentric.data.pairs.candidates import TRUTHS
from textcentric.data.pairs.columns import find_layout
from textcentric.data.pairs.messages import is_conversation
from textcentric.data.tables.table import Table
from textcentric.errors import DataError
from textcentric.values import Cells

Form = Literal["table", "captions", "pairs", "candidates", "variants"]


def form_of(table: Table, row: Cells) -> tuple[Form, str]:
    """Return the form of rows that need no schema and its layout; "table" for all others.

    `row` is the first of them.
    """
    names = set(table.columns)
    if _are_candidates(names, row):
        return "candidates", "chosen and rejected" if "chosen" in names else "responses"
    if {"source", "variant"} <= names:
        return "variants", "source and variant"
    try:
        return "pairs", find_layout(table.columns, row, table.path)
    except DataError:
        return "table", ""


def _are_candidates(names: set[str], row: Cells) -> bool:
    if "responses" in names and names & {*TRUTHS}:
        return True
    both = [row.get("chosen"), row.get("rejected")]
    return all(isinstance(value, list) and not is_conversation(value) for value in both)
