"""Whole numbers that stand for words, and the tables beside a table that have the words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from textcentric.data.inspection.columns import SURE, ColumnProfile, TableProfile
from textcentric.data.inspection.folders import tables_in
from textcentric.data.inspection.names import words_of
from textcentric.data.tables.table import open_table
from textcentric.errors import TextCentricError
from textcentric.security.files import is_real_file

LARGEST = 200_000  # bytes of a table of words
MOST = 8  # tables that are looked into
MOST_COLUMNS = 4
NOTHING = "0"  # a code that a table of words may leave out


@dataclass(frozen=True)
class Words:
    """What a table beside another says of the codes of some columns."""

    source: str
    words: Mapping[str, str]

    def of(self, column: ColumnProfile, *, whole: bool) -> dict[str, str | None]:
        """Return the word of every code of `column`, None for one that means nothing.

        Where not the `whole` column was looked at, all the words that there are.
        """
        seen = {*column.counts} if whole else {*column.counts, *self.words}
        codes = sorted(seen, key=lambda code: int(code) if code.isdigit() else -1)
        return {code: self.words.get(code) for code in codes}


def words_beside(profile: TableProfile, root: Path) -> dict[str, Words]:
    """Return {column: words for its codes} of the columns that a table beside has words for."""
    coded = [column for column in profile.columns.values() if column.codes]
    found: dict[str, Words] = {}
    for table in _small_tables(root, Path(profile.table.path)) if coded else ():
        for keys, words in _keyed(table):
            source = Words(f"{table.relative_to(root)} ({keys.name})", words)
            called = {*words_of(keys.name), *words_of(table.name.split(".")[0])}
            for column in coded:
                if called & _stem(column) and _covers(words, column):
                    found.setdefault(column.name, source)
    return found


def _small_tables(root: Path, own: Path) -> Iterable[Path]:
    """Return the small tables in a folder and in the one above it; links lead elsewhere."""
    beside = [table for place in (root, root / "..") for table in tables_in(place, deep=0)]
    real = [table for table in beside if is_real_file(table) and table.name != own.name]
    return [table for table in real if table.stat().st_size <= LARGEST][:MOST]


def _keyed(path: Path) -> Iterator[tuple[ColumnProfile, dict[str, str]]]:
    """Yield the column of codes of a table that has one, with the word of each code."""
    try:
        profile = TableProfile.of(open_table(path))
    except TextCentricError:
        return
    columns = list(profile.columns.values())
    keys = next((column for column in columns if column.unique and column.codes), None)
    words = next((column for column in reversed(columns) if not column.codes), None)
    if keys and words and len(columns) <= MOST_COLUMNS:
        both = zip(keys.cells, words.cells, strict=True)
        yield keys, {code: word for code, word in both if code and word}


def _stem(column: ColumnProfile) -> set[str]:
    """Return the words of a column's name that say what it is of: "breed" of "Breed2"."""
    return {word for word in words_of(column.name) if not word.isdigit()} - {"id", "type"}


def _covers(words: Mapping[str, str], column: ColumnProfile) -> bool:
    codes = [code for code in column.counts if code != NOTHING]
    return len(codes) > 1 and sum(code in words for code in codes) >= SURE * len(codes)
