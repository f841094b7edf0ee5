"""The files of one modality over all rows: how many are there, absent, refused or broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from textcentric.data.files import FileFinder
from textcentric.errors import DataError
from textcentric.values import Cells

EXAMPLES = 5
Opened = Callable[[Path], None]  # opens a file, and raises a DataError with a `reason` if it cannot


@dataclass
class FileSurvey:
    """What became of the files of one modality; `broken` counts the reasons.

    `looked_for` is the first file that was named and is not there, `outside` the first that leaves
    the data folder.
    """

    rows_with: int = 0
    rows_without: int = 0
    found: int = 0
    absent: int = 0
    refused: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    looked_for: str = ""
    outside: str = ""

    def add(self, finder: FileFinder, row_id: str, row: Cells, opened: Opened | None) -> None:
        """Take the files of one row into account; with `opened` each of them is opened."""
        found, refused, absent = finder.find(row_id, row)
        self.rows_with += bool(found)
        self.rows_without += not found
        self.found += len(found)
        self.absent += len(absent)
        self.refused += len(refused)
        self.looked_for = self.looked_for or next(iter(absent), "")
        self.outside = self.outside or next(iter(refused), "")
        for name in refused:
            self._note(f"row {row_id!r:.80}: {name!r:.80} leaves the data folder")
        if opened is not None:
            for path in found:
                self._open(path, opened)

    def _open(self, path: Path, opened: Opened) -> None:
        try:
            opened(path)
        except DataError as error:
            self.broken[getattr(error, "reason", "cannot be read")] += 1
            self._note(str(error))

    def _note(self, message: str) -> None:
        if len(self.examples) < EXAMPLES:
            self.examples.append(message)
