"""Lines of a text, and items of a list in JSON, one at a time and of bounded length.

A line without end, or a list of gigabytes, is never held as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO

from textcentric.data.printed import too_many
from textcentric.data.tables.bounds import LONGEST, PIECE
from textcentric.errors import DataError

_BLANK = re.compile(r"[ \t\r\n]*")


def bounded_lines(text: IO[str], longest: int = LONGEST) -> Iterator[str | None]:
    """Yield the lines of a text with their ends, None for one of more than `longest` characters."""
    while line := text.readline(longest):
        if len(line) < longest or line.endswith("\n"):
            yield line
        elif pass_line(text):
            yield None
        else:
            yield line


def pass_line(text: IO[str]) -> bool:
    """Read up to the end of a line, and say whether there was anything."""
    passed = False
    while piece := text.readline(PIECE):
        passed = True
        if piece.endswith(("\n", "\r")):
            break
    return passed


def items_of(text: IO[str], longest: int = LONGEST) -> Iterator[str]:
    """Yield the items of a list in JSON, as they are written.

    Raises DataError where the text is no list, or an item has more than `longest` characters.

    >>> import io
    >>> list(items_of(io.StringIO('[{"a": 1}, 2]')))
    ['{"a": 1}', '2']
    """
    window = _Window(text, longest)
    window.take("[")
    if window.next_sign() == "]":
        return
    while True:
        yield window.value()
        if window.next_sign() == "]":
            return
        window.take(",")


class _Window:
    """The part of a text that is looked at, from `_at` on."""

    def __init__(self, text: IO[str], longest: int) -> None:
        self._text, self._longest = text, longest
        self._held, self._at, self._passed = "", 0, 0
        self._decoder = json.JSONDecoder(parse_int=str)  # of however many digits

    def next_sign(self) -> str:
        """Return the next sign that is no blank, "" at the end."""
        while True:
            blanks = _BLANK.match(self._held, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._held) or not self._more():
                return self._held[self._at : self._at + 1]

    def take(self, sign: str) -> None:
        """Go past `sign`, which has to be next."""
        if (there := self.next_sign()) != sign:
            raise DataError(f"{self._place()}: expected {sign!r}, not {there or 'its end'!r}")
        self._at += 1

    def value(self) -> str:
        """Return the next value as it is written, and go past it."""
        self.next_sign()
        while True:
            try:
                _, end = self._decoder.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise DataError(f"{self._place()}: {error.msg}") from None
            except RecursionError:
                raise DataError(f"{self._place()}: lists in it are nested without end") from None
            else:
                if end < len(self._held) or not self._more():  # a number may go on
                    written, self._at = self._held[self._at : end], end
                    return written

    def _more(self) -> bool:
        """Read on, as much as is held, and say whether there was anything."""
        rest = self._held[self._at :]
        if len(rest) > self._longest:
            raise DataError(f"{self._place()}: it has more than {self._longest:,} characters")
        more = self._text.read(max(PIECE, len(rest)))
        self._passed += self._at
        self._held, self._at = rest + more, 0
        if rest and too_many(self._held):
            raise DataError(f"{self._place()}: it holds more values than fit into memory")
        return bool(more)

    def _place(self) -> str:
        return f"the list breaks off at character {self._passed + self._at + 1:,}"
