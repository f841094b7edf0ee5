"""Files as they are or compressed: gzip, bzip2, xz, Zstandard, and a zip archive of one file.

Which of them a file is, its first bytes say; endings are often wrong.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from textcentric.data.media.signatures import kind_of
from textcentric.errors import DataError
from textcentric.security.foreign import foreign

ENDINGS = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".zip")
_LITTER = ("__MACOSX/", ".DS_Store")  # what macOS puts into archives
_BOOKS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")  # zip archives of their own kind


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, compressed or not, for reading."""
    file: IO[bytes] = _OPENERS.get(kind_of(path), _open_plain)(path)
    return file


def is_compressed(path: Path) -> bool:
    """Say whether a file is compressed as a whole; a workbook is not, though it is an archive."""
    kind = kind_of(path)
    return kind in _OPENERS and not (kind == "a zip archive" and is_book(path))


def is_book(path: Path) -> bool:
    """Say whether a zip archive is a workbook."""
    return any(name in members(path) for name in _BOOKS)


def inner_name(path: Path) -> str:
    """Return the name, in lower case, that a file has when unpacked.

    >>> inner_name(Path("Rows.CSV"))
    'rows.csv'
    """
    if path.is_file() and kind_of(path) == "a zip archive" and not is_book(path):
        return _only_member(path).lower()
    name = path.name.lower()
    return next((name.removesuffix(end) for end in ENDINGS if name.endswith(end)), name)


def members(path: Path) -> list[str]:
    """Return the names of the files in a zip archive."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    return [name for name in names if not any(litter in name for litter in _LITTER)]


def _only_member(path: Path) -> str:
    names = members(path)
    if len(names) != 1:
        shown = ", ".join(names[:5]) + (", ..." if names[5:] else "")
        raise DataError(
            f"archive {str(path)!r} holds {len(names)} files"
            f"{f' ({shown:.200})' if names else ''}; unpack it and give one of them"
        )
    return names[0]


def _open_member(path: Path) -> IO[bytes]:
    with foreign(f"archive {str(path)!r}", cure="; unpack it"):  # a password, an unknown method
        return zipfile.ZipFile(path).open(_only_member(path))


def _open_zstandard(path: Path) -> IO[bytes]:
    import pyarrow as pa

    return cast(IO[bytes], pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))


def _open_plain(path: Path) -> IO[bytes]:
    return path.open("rb")


_OPENERS: dict[str, Callable[..., Any]] = {
    "gzip": gzip.open,
    "bzip2": bz2.open,
    "xz": lzma.open,
    "Zstandard": _open_zstandard,
    "a zip archive": _open_member,
}
