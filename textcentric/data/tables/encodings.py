"""The encoding of a text file: told from its first bytes, or refused with the readings there are.

UTF-8, and UTF-16 by its mark or its zeros, are sure. No other encoding is: those of western and of
central Europe, say, read the same bytes as different words, so the schema has to name it.
"""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import IO

from textcentric.data.tables.compression import open_bytes
from textcentric.errors import DataError, unknown
from textcentric.security.foreign import foreign

HEAD = 2**18  # bytes that the encoding is told from
FEW = 0.01  # share of lines that may have stray bytes
UTF8 = "utf-8-sig"  # reads a byte order mark, too, where there is one
_MARKS = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
COMMON = ("utf-8", "utf-16", "cp1252", "latin-1", "cp1250", "cp1251", "shift_jis", "gb18030")
WIDE = ("utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7")
SAMPLE = 2**15  # bytes that a likely encoding is looked for in
SHOWN = 60  # characters of a reading in a message


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open a text file, compressed or not; bytes that do not fit become U+FFFD.

    Line ends stay as they are, except where all of them are the carriage returns of old Macs.
    """
    with open_bytes(path) as file:
        head = file.read(HEAD)
    newline = None if b"\r" in head and b"\n" not in head else ""
    return io.TextIOWrapper(open_bytes(path), encoding, errors="replace", newline=newline)


def encoding_of(path: Path, named: str | None = None) -> str:
    """Return the encoding of a text file, as `named` or told from its first bytes.

    Raises DataError where it is unknown to Python, or where several read the bytes differently:
    then the message shows the likeliest readings.
    """
    if named is not None:
        return _known(named)
    with open_bytes(path) as file:
        head = file.read(HEAD)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    if head.count(0) * 4 > len(head):
        return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
    if not _is_utf8(head):
        raise DataError(f"table {str(path)!r} is not UTF-8: {_readings(head)}")
    return UTF8


def name_of(encoding: str) -> str:
    """Return an encoding as people call it: UTF-8, cp1252."""
    return encoding.removesuffix("-sig").upper() if encoding.startswith("utf") else encoding


def _known(named: str) -> str:
    try:
        name = codecs.lookup(named).name
    except LookupError:
        raise DataError(f"schema: {unknown('encoding', named, COMMON)}") from None
    return UTF8 if name == "utf-8" else name


def _is_utf8(head: bytes) -> bool:
    """Say whether all but a few lines of `head` are UTF-8; its last letter may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        lines = head.split(b"\n")
        return sum(map(_is_broken, lines[:-1] or lines)) <= max(1, FEW * len(lines))
    return True


def _is_broken(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return True
    return False


def likeliest(path: Path) -> dict[str, str]:
    """Return {encoding: how a line of the file reads}, the likeliest first; empty where it is sure.

    Raises DataError where the file cannot be opened.
    """
    with foreign(f"table {str(path)!r}"), open_bytes(path) as file:
        head = file.read(HEAD)
    try:
        encoding_of(path)
    except DataError:
        return {name: text for text, name in _reading_of(_foreign(head)).items()}
    return {}


def _foreign(head: bytes) -> list[bytes]:
    """Return the lines that are not ASCII."""
    return [line for line in head.split(b"\n") if not line.isascii()]


def _reading_of(foreign: list[bytes]) -> dict[str, str]:
    """Return {how the first line may read: the usual name of the encoding}."""
    from charset_normalizer import from_bytes

    readings: dict[str, str] = {}
    for match in from_bytes(b"\n".join(foreign)[:SAMPLE], cp_exclusion=list(WIDE)):
        usual = (name for name in COMMON if name in match.could_be_from_charset)
        text = str(match).splitlines()[0][:SHOWN]
        readings.setdefault(text, next(usual, match.encoding))
    return readings


def _readings(head: bytes) -> str:
    """Say how the first line that is not ASCII may read, and what to do."""
    foreign = _foreign(head)
    shown = [f"{text!r} ({name})" for text, name in _reading_of(foreign).items()][:3]
    number = head[: head.index(foreign[0])].count(b"\n") + 1
    told = f"its line {number} may read {' or '.join(shown)}" if shown else "nothing reads it"
    return (
        f"{told}; say which encoding it is, such as `encoding: cp1252` in the schema, or write the"
        " table as UTF-8 (`encoding: utf-8` reads each such byte as \ufffd)"
    )
