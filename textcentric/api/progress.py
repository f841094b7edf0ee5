"""Progress for programs: off, a line on stderr, or a function of the caller."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from textcentric.errors import Caution, Say
from textcentric.runs.counters import Steps
from textcentric.security.visible import printable

Progress = bool | Steps | None  # what a caller gives
SECONDS = 0.25  # between two states of the line
log = logging.getLogger("textcentric")


class Line:
    """One line on stderr that is written over, on a terminal as in a notebook."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write or sys.stderr.write
        self._shown = 0.0
        self._width = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` steps of `what` are done."""
        now = time.monotonic()
        if done < total and now - self._shown < SECONDS:
            return
        self._shown = now
        text = printable(f"{what}: {done:,} of {total:,}")
        self._write(f"\r{text.ljust(self._width)}")
        self._width = len(text)

    def say(self, line: str) -> None:
        """Print a message on a line of its own."""
        self.end()
        self._write(f"{printable(line)}\n")

    def end(self) -> None:
        """Leave the line as it stands."""
        if self._width:
            self._write("\n")
        self._width = 0


def logged(line: str) -> None:
    """Pass a line on to the log `textcentric`, one that must be read as a warning."""
    log.log(logging.WARNING if isinstance(line, Caution) else logging.INFO, printable(line))


@contextmanager
def watched(progress: Progress) -> Iterator[tuple[Steps | None, Say]]:
    """Yield who is told of steps, None for nobody, and who is told in words.

    Where nothing is printed, words go to the log `textcentric`, which shows warnings alone unless
    the program asks for more.
    """
    if progress is True:
        line = Line()
        try:
            yield line, line.say
        finally:
            line.end()
    else:
        yield progress or None, logged
