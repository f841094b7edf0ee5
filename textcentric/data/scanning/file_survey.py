"""The files of one modality over all rows: how many are there, absent, refused or broken.

A modality that a schema names and that most rows lack is taken for a mistake in names or a folder.
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from textcentric.data.balance import count_left, reasons
from textcentric.data.media.files import FileFinder
from textcentric.errors import DataError, option
from textcentric.rows import Left
from textcentric.security.foreign import foreign
from textcentric.values import Cells

EXAMPLES = 5
Opened = Callable[[Path], None]  # opens a file, and raises a DataError with a `reason` if it cannot
# Why a row lacks files.
ABSENT = "that name files that do not exist"
OUTSIDE = "that name files outside the data folder"
NONE = "that name none"
BY_ID = "whose id has none"
PARTLY = "that name some files that do not exist"


@dataclass
class FileSurvey:
    """What became of the files of one modality; `broken` counts the reasons, if `opened`.

    `lack` are rows that have no file, or not all of theirs, by reason. `place` says where the first
    absent file was looked for, `first` has the first broken file of each reason, `outside` the
    first that leaves the data folder. `other_case` counts files whose names rows have in another
    case.
    """

    rows_with: int = 0
    rows_without: int = 0
    found: int = 0
    absent: int = 0
    refused: int = 0
    opened: bool = False
    broken: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    lack: dict[str, Left] = field(default_factory=dict)
    place: str = ""
    outside: str = ""
    other_case: int = 0
    first_other_case: str = ""

    def add(self, finder: FileFinder, row_id: str, row: Cells, opened: Opened | None) -> bool:
        """Take the files of one row into account, and say whether it has one.

        With `opened` each of them is opened.
        """
        found, refused, absent, other_case = finder.look(row_id, row)
        if other_case and not self.other_case:
            shown = f"{finder.named(row_id, row)} of row {row_id!r:.40}"
            self.first_other_case = f"{shown} is {os.path.basename(other_case[0])!r:.60}"
        self.other_case += len(other_case)
        self.rows_with += bool(found)
        self.rows_without += not found
        self.found += len(found)
        self.absent += len(absent)
        self.refused += len(refused)
        self.opened = opened is not None
        self.outside = self.outside or next(iter(refused), "")
        for name in refused:
            self._note(f"row {row_id!r:.80}: {name!r:.80} leaves the data folder")
        if absent or not found:
            reason = PARTLY if found else OUTSIDE if refused else _reason(finder, absent)
            shown = "" if reason is NONE else f"{finder.named(row_id, row)} of "
            count_left(self.lack, reason, f"{shown}row {row_id!r:.40}")
        if absent and not self.place:
            self.place = f"looked for {os.path.abspath(absent[0])!r:.200}"
            self.place += _instead(Path(absent[0]), finder.root)
        if opened is not None:
            for path in found:
                self._open(path, opened)
        return bool(found)

    def _open(self, path: Path, opened: Opened) -> None:
        try:
            opened(path)
        except DataError as error:
            reason = getattr(error, "reason", "cannot be read")
            self.broken[reason] += 1
            self.first.setdefault(reason, str(error))
            self._note(str(error))

    def _note(self, message: str) -> None:
        if len(self.examples) < EXAMPLES:
            self.examples.append(message)

    def naming(self) -> int:
        """Return how many rows name a file, whether it is there or not."""
        nothing = self.lack.get(NONE)
        return self.rows_with + self.rows_without - (nothing["rows"] if nothing else 0)

    def mostly_absent(self) -> bool:
        """Say whether more than half of the rows have no file."""
        return self.rows_without > self.rows_with

    def in_words(self, modality: str) -> str:
        """Say how many rows lack files of `modality` and why, and which names are in other case."""
        return "; ".join(filter(None, (self._lack_in_words(modality), self._case_in_words())))

    def _case_in_words(self) -> str:
        if not self.other_case:
            return ""
        return (
            f"{self.other_case:,} file(s) are read whose names differ by case:"
            f" {self.first_other_case}"
        )

    def _lack_in_words(self, modality: str) -> str:
        if not self.lack:
            return ""
        lacking = sum(of["rows"] for of in self.lack.values())
        rows = self.rows_with + self.rows_without
        place = f"; {self.place}" if self.place else ""
        return f"{lacking:,} of {rows:,} rows lack {modality} files: {reasons(self.lack)}{place}"


def refusals(files: Mapping[str, FileSurvey], allowed: Collection[str]) -> Iterator[str]:
    """Yield why rows cannot be used of which most lack a modality that is not `allowed` to be."""
    for modality, survey in files.items():
        if survey.mostly_absent() and modality not in allowed:
            yield (
                f"{survey.in_words(modality)}; correct the names or the folder"
                f" ({option('data_dir')}), or go on without: {option('allow_missing', modality)},"
                f" in a schema `allow_missing: {modality}`"
            )


def _reason(finder: FileFinder, absent: Sequence[str]) -> str:
    if not finder.rule.column:
        return BY_ID
    return ABSENT if absent else NONE


def _instead(path: Path, root: Path) -> str:
    """Say what is there in the place of a file that is not."""
    if "http:/" in str(path) or "https:/" in str(path):
        return ", which is an address: fetch the files"
    with suppress(DataError), foreign("a folder"):  # names may be whatever a cell holds
        if not path.parent.is_dir():
            return f"; {str(path.parent)!r:.200} is no folder"
        named = [p for p in path.parent.iterdir() if p.stem.casefold() == path.stem.casefold()]
        found = named[0] if named else next(root.glob(f"*/{glob.escape(path.name)}"), None)
        return f"; {str(found)!r} is there" if found else ""
    return ""
