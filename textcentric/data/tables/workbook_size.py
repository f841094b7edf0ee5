"""How large a workbook is before a library reads it whole: in bytes, cells and characters.

A file of a few kilobytes may hold gigabytes of zeros, two cells at the ends of the widest sheet, or
one long text in every cell; the reader would make all of them, or end the process.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from textcentric.data.tables.bounds import MOST_UNPACKED, PIECE
from textcentric.errors import DataError

MOST_CELLS = 2**24  # of the smallest rectangle that holds the cells of a sheet
MOST_TEXT = 2**29  # characters of a sheet, each text counted wherever it stands
_SHARED = re.compile(r"sharedstrings\.xml", re.IGNORECASE)
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,9})([0-9]{1,9})["'][^>]*(?<!/)>""", re.IGNORECASE)
_REFERENCE = re.compile(rb"""\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v>\s*([0-9]{1,9})""")
_ITEM = re.compile(rb"</(?:\w+:)?si\s*>")
_OVERLAP = 300  # bytes that a cell's beginning fits into


def refuse_large(file: Path | IO[bytes], name: str) -> None:
    """Raise DataError for a workbook that would not fit into memory; `name` is for the message."""
    with zipfile.ZipFile(file) as book:
        size = sum(member.file_size for member in book.infolist())
        if size > MOST_UNPACKED // 2:
            raise DataError(f"workbook {name!r} holds {size:,} bytes unpacked; {_INSTEAD}")
        shared = [m for m in book.namelist() if _SHARED.search(m)]
        lengths = _lengths_of_texts(_pieces(book, shared[0])) if shared else []
        for member in book.namelist():  # a sheet may have any name
            _refuse_sheet(_pieces(book, member), lengths, f"{member} of workbook {name!r}")


_INSTEAD = "save the table as CSV or Parquet"


def _refuse_sheet(pieces: Iterator[tuple[int, bytes]], lengths: list[int], name: str) -> None:
    longest, texts, rows, columns = max(lengths, default=0), 0, 0, 0
    for _, piece in pieces:
        places = _PLACE.findall(piece)
        rows = max(rows, *map(int, {row for _, row in places}), 0, 0)
        columns = max(columns, *map(_number, {column for column, _ in places}), 0, 0)
        if rows * columns > MOST_CELLS:
            raise DataError(f"{name} spans {rows:,} rows and {columns:,} columns; {_INSTEAD}")
        if longest * len(places) > PIECE:  # few texts are that long
            known = (int(at) for at in _REFERENCE.findall(piece))
            texts += sum(lengths[at] for at in known if at < len(lengths))
        if texts > MOST_TEXT:
            raise DataError(f"{name} has more than {MOST_TEXT:,} characters; {_INSTEAD}")


def _number(letters: bytes) -> int:
    """Return the number of a column.

    >>> _number(b"A"), _number(b"XFD")
    (1, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _lengths_of_texts(pieces: Iterator[tuple[int, bytes]]) -> list[int]:
    """Return how many bytes each text takes that cells refer to, its marks among them."""
    lengths, last = [], 0
    for at, piece in pieces:
        for end in _ITEM.finditer(piece):
            if (place := at + end.end()) > last:
                lengths.append(place - last)
                last = place
    return lengths


def _pieces(book: zipfile.ZipFile, member: str) -> Iterator[tuple[int, bytes]]:
    """Yield what a member holds, each piece with the end of the one before, and where it begins."""
    with book.open(member) as file:
        at, before = 0, b""
        while piece := file.read(PIECE):
            yield at - len(before), before + piece
            at, before = at + len(piece), piece[-_OVERLAP:]
