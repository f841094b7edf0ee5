"""A fault of our own, or of a library, that one row brings out: it costs that row, not the run.

The outputs of the row fail, with the traceback as their message; people are told of the first.
Where no row comes through, the fault is no row's: it ends the run, and the rows stay to be done.
"""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import replace

from textcentric.augmentation.written import failure_of
from textcentric.errors import TextCentricError
from textcentric.rows import Record
from textcentric.runs.columns import Failure
from textcentric.security.disk import why_not_written
from textcentric.security.foreign import reason
from textcentric.security.secrets import hidden

STAGE = "fault"
MOST = 20  # rows in which a fault is waited for one that comes through
LONGEST = 4000  # characters of a traceback, its end, that are kept
Failed = tuple[Record, list[Failure]]
log = logging.getLogger(__name__)


class RowFaults:
    """Rows that failed in a way that nobody foresaw, until a row has come through."""

    def __init__(self) -> None:
        self._held: list[Failed] = []
        self._error: Exception | None = None

    def hold(self, record: Record, owed: Sequence[tuple[str, int]], error: Exception) -> None:
        """Fail the outputs that a row owes.

        Raises the error where it says itself what to do, where the disk took no more, and where
        too many rows are held.
        """
        known = isinstance(error, TextCentricError) or why_not_written(error)
        if known or len(self._held) == MOST:
            raise error
        if self._error is None:
            warnings.warn(
                f"row {record.id!r} brings out a fault ({reason(error)}), so its outputs fail;"
                " errors/ keeps the traceback, and -v shows it",
                stacklevel=2,
            )
        self._error = error
        log.debug("row %r", record.id, exc_info=error)
        told = hidden("".join(traceback.format_exception(error)))[-LONGEST:]
        failed = [failure_of(record, *output, STAGE, error) for output in owed]
        self._held.append((record, [replace(one, message=told) for one in failed]))

    def released(self) -> list[Failed]:
        """Return the rows that are held, now that one came through."""
        held, self._held = self._held, []
        return held

    def check(self) -> None:
        """Raise the last fault where no row came through after it."""
        if self._held and self._error is not None:
            raise self._error
