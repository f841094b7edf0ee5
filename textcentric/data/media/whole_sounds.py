"""Whether a sound file is whole: the bytes that it says it has, against those that are there.

libsndfile reads what is left of a file without a word. Streams that were written before their
length was known say none, and count as whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

_UNKNOWN = 0x7FFF_F000  # lengths from here up stand for one that is not known
_PAGE = 65_307 + 27  # bytes: the longest page of an Ogg stream and the head of another


def missing_bytes(path: Path) -> int:
    """Return how many bytes a WAV, AIFF, AU or Ogg file lacks of those that it announces."""
    size = path.stat().st_size
    with path.open("rb") as file:
        end = _ENDS.get(file.read(4), _unknown)(file, size)
    return max(0, end - size)


def _chunks(file: BinaryIO, order: Literal["little", "big"], wanted: bytes) -> int:
    """Return where the chunk `wanted` ends, 0 where there is none or it does not say."""
    file.seek(12)
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[4:], order)
        if head[:4] == wanted:
            return file.tell() + length if length < _UNKNOWN else 0
        file.seek(length + length % 2, os.SEEK_CUR)
    return 0


def _wav(file: BinaryIO, size: int) -> int:
    return _chunks(file, "little", b"data")


def _aiff(file: BinaryIO, size: int) -> int:
    return _chunks(file, "big", b"SSND")


def _au(file: BinaryIO, size: int) -> int:
    head = file.read(8)
    length = int.from_bytes(head[4:], "big")
    return int.from_bytes(head[:4], "big") + length if length < _UNKNOWN else 0


def _ogg(file: BinaryIO, size: int) -> int:
    """Return where the last page ends, by its table of segments."""
    start = max(0, size - _PAGE)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return 0
    head = tail[at : at + 27]
    table = tail[at + 27 : at + 27 + head[26]] if len(head) == 27 else b""
    return start + at + 27 + (head[26] if len(head) == 27 else 1) + sum(table)


def _unknown(file: BinaryIO, size: int) -> int:
    return 0


_ENDS: dict[bytes, Callable[[BinaryIO, int], int]] = {
    b"RIFF": _wav,
    b"FORM": _aiff,
    b".snd": _au,
    b"OggS": _ogg,
}
