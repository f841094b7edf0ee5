"""Columns whose values repeat and name what rows have in common: a person, a picture, a session."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from textcentric.data.inspection.columns import ColumnProfile, TableProfile
from textcentric.data.inspection.names import AMOUNTS, GROUPS, words_of

SEVERAL = 10  # groups: fewer leave splits empty
MOST_ROWS = 50  # of a value, on average: those of more are kinds of things
REPEATS = 1.1  # rows of a value, on average
FILE, NAMED, ID = 3, 2, 2  # what says that values are groups, and how much


@dataclass(frozen=True)
class Repeated:
    """A column whose values are of several rows each, and how much says that they are groups."""

    column: ColumnProfile
    says: int

    @property
    def few(self) -> bool:
        """Say whether there are too few groups to part the rows by."""
        return self.column.different < SEVERAL

    @property
    def reason(self) -> str:
        """Why the column is taken."""
        return f"{self.column.different:,} values in {self.column.values:,} rows"

    def too_few(self) -> str:
        """Say what is to be feared of few groups."""
        return (
            f"{self.column.name} repeats ({self.column.different} values): rows of one are alike,"
            " and lie in training and in test; too few to part by"
        )

    def straddles(self) -> str:
        """Say what is to be feared of groups that lie in several splits."""
        return (
            f"{self.column.name} repeats ({self.reason}) and lies in several splits: what is learnt"
            " of it is tested on too"
        )


def repeated(
    profile: TableProfile, free: Collection[str], files: Collection[str]
) -> list[Repeated]:
    """Return the columns that may be groups, the likeliest first.

    They are among the `free` ones, or name `files`.
    """
    columns = [c for name, c in profile.columns.items() if name in files or name in free]
    found = [Repeated(column, _says(column, column.name in files)) for column in columns]
    return sorted((each for each in found if each.says), key=lambda each: -each.says)


def _says(column: ColumnProfile, is_file: bool) -> int:
    words = words_of(column.name)
    if column.different < 2 or column.values < REPEATS * column.different or AMOUNTS & {*words}:
        return 0
    is_id = words[-1:] == ["id"]
    named = words[-1:] != [] and (words[-1] in GROUPS or (is_id and bool(GROUPS & {*words})))
    small = column.values <= MOST_ROWS * column.different
    return FILE * is_file + NAMED * named + ID * (is_id and small)
