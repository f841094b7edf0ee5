"""The table expert: {column: value} as one short statement a column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from textcentric.data.media.digests import digest_value
from textcentric.errors import check_known
from textcentric.experts.clean import clean_line
from textcentric.experts.protocol import Description
from textcentric.values import Cell, Cells

Missing = Literal["skip", "name"]


class TableExpert:
    """Say every column of a row; `missing` columns are skipped or named "not stated".

    >>> TableExpert().describe([{"Type": "cat", "Age": "3 months", "Fee": None}])[0].text
    'Type: cat. Age: 3 months.'
    """

    modality = "table"
    name = "table"

    def __init__(self, missing: Missing = "skip", longest: int = 300):
        check_known("way to treat missing values", missing, ("skip", "name"))
        self.missing = missing
        self.longest = longest
        self.version = f"1-{missing}-{longest}"

    def describe(self, values: Sequence[Cells]) -> list[Description]:
        """Return one description a row; a row without any value gets an empty text."""
        return [self._describe(row) for row in values]

    def digest(self, value: Cells) -> str:
        """Return a digest of the columns and their values, in order."""
        return digest_value(value)

    def _describe(self, row: Cells) -> Description:
        words = {label: _words(value, self.longest) for label, value in row.items()}
        absent = sum(not value for value in words.values())
        notes = (f"missing columns: {absent} of {len(words)}",) if absent else ()
        if absent == len(words):
            return Description("", notes=notes or ("the row has no columns",))
        shown = words.items() if self.missing == "name" else [w for w in words.items() if w[1]]
        return Description(
            " ".join(_statement(label, value or "not stated") for label, value in shown),
            notes=notes,
        )


def statements(row: Cells, longest: int = 300) -> dict[str, str]:
    """Return {column: statement} of the columns that have a value, as the expert says them.

    >>> statements({"Type": "cat", "Fee": None})
    {'Type': 'Type: cat.'}
    """
    return {label: _statement(label, value) for label, value in in_words(row, longest).items()}


def in_words(row: Cells, longest: int = 300) -> dict[str, str]:
    """Return {column: value in words} of the columns that have a value, as the expert says it.

    >>> in_words({"Fee": 20.0, "Tags": ["calm", "old"], "Age": None})
    {'Fee': '20', 'Tags': 'calm, old'}
    """
    words = {label: _words(value, longest) for label, value in row.items()}
    return {label: value for label, value in words.items() if value}


def is_missing(value: Cell) -> bool:
    """Say whether `value` stands for nothing: None, NaN, NaT, NA or an empty string or list."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, str | list | tuple | set | dict):
        return len(value) == 0
    return isinstance(value, float) and value != value


def _words(value: Any, longest: int) -> str:
    """Return `value` as one harmless line, empty where it is missing."""
    value = value.item() if hasattr(value, "item") else value  # a numpy scalar
    if is_missing(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(value, ".12g")
    if isinstance(value, list | tuple | set):
        return clean_line(", ".join(filter(None, (_words(v, longest) for v in value))), longest)
    return clean_line(str(value), longest)


def _statement(label: str, value: str) -> str:
    end = "" if value[-1] in ".!?…" else "."
    return f"{_label(label)}: {value}{end}"


@lru_cache(maxsize=1024)
def _label(column: str) -> str:
    label = clean_line(column.replace("_", " "), longest=60)
    return label[:1].upper() + label[1:]
