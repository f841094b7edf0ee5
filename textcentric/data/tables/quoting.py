"""The records of a delimited text in pieces that end where a record ends, safe to parse alone.

A parser that meets a stray quotation mark takes the lines after it into one value, in silence. Here
all marks of a piece are looked at: where every mark opens a field, closes one or is doubled, the
piece goes on as it is. Else it is read record by record, and only the line whose marks do not pair
is taken as it stands, or cut out and noted.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import numpy as np

from textcentric.data.tables.bounds import LONGEST
from textcentric.data.tables.long_texts import pass_line

PIECE = 2**18  # characters read at once
UNPAIRED = "line(s) with a quotation mark that is not closed"
BLANK = "empty line(s)"
TOO_LONG = f"line(s) of more than {LONGEST:,} bytes"
_EMPTY_LINE = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Cut:
    """A line of a text that was cut out or is read as it stands, its number (from 1), and why."""

    reason: str
    number: int
    text: str


class Records(io.RawIOBase):
    """A text file as a stream of whole records in UTF-8, some of them with each `read`.

    `columns` is the number of fields of a record, `line` the number of the first line. A line that
    is cut out leaves `marker` in its place, a record with one field too many, and an entry in
    `cuts`; one that is read although its marks do not pair is in `as_it_stands`.
    """

    def __init__(
        self, text: IO[str], delimiter: str, quote: str | None, columns: int, line: int = 1
    ) -> None:
        self.cuts: deque[Cut] = deque()
        self.as_it_stands: list[Cut] = []
        self._line = line
        self.marker = "\x00cut" + delimiter * columns
        self._text, self._delimiter, self._quote, self._columns = text, delimiter, quote, columns
        self._rest, self._stopped = b"", False
        self._edges = np.zeros(256, bool)  # bytes that a field may begin and end beside
        self._edges[list(f"{delimiter}\r\n".encode())] = True

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next records, nothing at the end, whatever `size` the protocol asks for."""
        while not self._stopped:
            more = self._text.read(max(PIECE, len(self._rest)))
            piece = self._rest + more.encode("utf-8", "replace")
            if not more and piece and not piece.endswith(b"\n"):
                piece += b"\n"
            if len(piece) > LONGEST and b"\n" not in piece[:LONGEST]:
                self._rest = self._without_first(piece)
                continue
            whole, self._rest = self._split(piece, at_end=not more)
            self._line += piece.count(b"\n") - self._rest.count(b"\n")
            if whole or not more:
                return whole
        return b""

    def _without_first(self, piece: bytes) -> bytes:
        """Return a piece with a mark in place of its first line, which is too long."""
        begun, end, after = piece[:PIECE], *piece.partition(b"\n")[1:]
        if not end:
            pass_line(self._text)
        self.cuts.append(Cut(TOO_LONG, self._line, begun.decode("utf-8", "ignore")))
        return self.marker.encode() + b"\n" + after

    def stop(self) -> None:
        """Give no more records."""
        self._stopped = True

    def _split(self, piece: bytes, at_end: bool) -> tuple[bytes, bytes]:
        """Return the whole records of `piece`, and what is left of it."""
        data = np.frombuffer(piece, np.uint8)
        marks = np.flatnonzero(data == ord(self._quote)) if self._quote else np.arange(0)
        never_closed = len(marks) % 2 == 1 and (at_end or len(piece) > LONGEST)
        if never_closed or not self._paired(data, marks) or _has_empty_line(piece, marks):
            return self._record_by_record(piece, at_end)
        end = len(piece) if at_end else _last_end(piece, marks)
        return piece[:end], piece[end:]

    def _paired(self, data: np.ndarray, marks: np.ndarray) -> bool:
        """Say whether every mark opens a field, closes one, or is doubled inside of one."""
        opens, closes = marks[0::2], marks[1::2]
        doubled = (np.diff(marks) == 1)[1::2]  # a mark that would close and one that would open
        opened = (opens == 0) | self._edges[data[opens - 1]]
        opened[1:] |= doubled
        closed = self._edges[data[np.minimum(closes + 1, len(data) - 1)]] | (
            closes == len(data) - 1
        )
        closed[: len(doubled)] |= doubled
        return bool(opened.all() and closed.all())

    def _record_by_record(self, piece: bytes, at_end: bool) -> tuple[bytes, bytes]:
        """Read `piece` with a strict parser, which goes on behind each line that it refuses."""
        lines = list(io.StringIO(piece.decode(), newline=""))
        unfinished = "" if at_end or lines[-1].endswith("\n") else lines.pop()
        out = io.StringIO(newline="")
        writer: Any = csv.writer(out, **self._notation(), lineterminator="\n")
        at = 0
        while at < len(lines):
            reader = csv.reader(islice(lines, at, None), strict=True, **self._notation())
            begin = at
            try:
                for fields in reader:
                    if fields:
                        writer.writerow(fields)
                    else:
                        self._cut(Cut(BLANK, self._line + begin, ""), writer)
                    begin = at + reader.line_num
                at = begin
            except csv.Error as error:
                if "unexpected end" in str(error) and not at_end and len(piece) <= LONGEST:
                    return out.getvalue().encode(), "".join([*lines[begin:], unfinished]).encode()
                line = lines[begin].rstrip("\r\n")
                self._write_as_it_stands(Cut(UNPAIRED, self._line + begin, line), writer)
                at = begin + 1
        return out.getvalue().encode(), unfinished.encode()

    def _notation(self) -> dict[str, Any]:
        csv.field_size_limit(LONGEST)
        if self._quote is None:
            return {"delimiter": self._delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None}
        return {"delimiter": self._delimiter, "quotechar": self._quote}

    def _write_as_it_stands(self, line: Cut, writer: Any) -> None:
        fields = line.text.split(self._delimiter)
        if len(fields) == self._columns:
            self.as_it_stands.append(line)
            writer.writerow(fields)
        else:
            self._cut(line, writer)

    def _cut(self, line: Cut, writer: Any) -> None:
        self.cuts.append(line)
        writer.writerow(self.marker.split(self._delimiter))


def _has_empty_line(piece: bytes, marks: np.ndarray) -> bool:
    """Say whether a line that is not part of a value is empty."""
    if piece.startswith((b"\n", b"\r\n")):
        return True
    starts = [found.start() for found in _EMPTY_LINE.finditer(piece)]
    return bool((np.searchsorted(marks, starts) % 2 == 0).any())


def _last_end(piece: bytes, marks: np.ndarray) -> int:
    """Return where the last whole record of `piece` ends, 0 if there is none."""
    end = len(piece)
    while (place := piece.rfind(b"\n", 0, end)) >= 0:
        before = int(np.searchsorted(marks, place))
        if before % 2 == 0:
            return place + 1
        end = int(marks[before - 1])
    return 0
