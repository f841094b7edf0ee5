"""Files of folders that others may have filled: opened without following links, real files alone.

What a person names may be a link; what lies in a folder that was named may not.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from textcentric.errors import RunError

MOST_BYTES = 64 << 20  # of a file that is read whole


def open_real(path: Path, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """Return a file descriptor of the real file `path`.

    Raises RunError where a link, a pipe, a device or a folder lies there; OSError as `os.open`.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except OSError:
        if path.is_symlink():
            raise RunError(_refused(path, "a link")) from None
        raise
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(21, os.strerror(21), str(path))
    raise RunError(_refused(path, kind_of(kind)))


def reading(path: Path) -> BinaryIO:
    """Open the real file `path` for reading, or one of the hub's cache; raises as `open_real`."""
    cached = path.is_symlink() and is_cached(path)
    return os.fdopen(open_real(path.resolve() if cached else path), "rb")


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return what the real file `path` holds; raises RunError where that is more than `most`."""
    with reading(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise RunError(f"{path} holds more than {most:,} bytes; expected a file that we wrote")
    return content


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Return the text (UTF-8) that the real file `path` holds; raises as `read_bytes` does."""
    return read_bytes(path, most).decode("utf-8")


def is_real_file(path: Path) -> bool:
    """Say whether a regular file, not a link to one, lies at `path`."""
    return _is(path, stat.S_ISREG)


def is_real_folder(path: Path) -> bool:
    """Say whether a folder, not a link to one, lies at `path`."""
    return _is(path, stat.S_ISDIR)


def check_real(folder: Path) -> None:
    """Raise RunError where anything in `folder`, at any depth, is no real file or folder.

    `folder` itself may be a link: whoever named it meant where it leads. So may files in it that
    the cache of the hub keeps: see `is_cached`.
    """
    for entry in entries(folder):
        _need_real(Path(entry.path), entry.stat(follow_symlinks=False).st_mode)


def need_real(path: Path) -> None:
    """Raise RunError where a link, a pipe or a device lies at `path`; OSError where nothing does.

    For what is handed to a library that opens it by its name.
    """
    _need_real(path, os.lstat(path).st_mode)


def _need_real(path: Path, mode: int) -> None:
    real = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    if not real and not (stat.S_ISLNK(mode) and is_cached(path)):
        raise RunError(_refused(path, kind_of(mode)))


def is_cached(path: Path) -> bool:
    """Say whether a link is one of the hub's cache: from a snapshot to a real file of its `blobs`.

    `models--OWNER--NAME/snapshots/COMMIT/config.json` leads to `models--OWNER--NAME/blobs/...`.
    """
    whole = Path(os.path.abspath(path))
    at = next((place for place in whole.parents if place.parent.name == "snapshots"), None)
    if at is None:
        return False
    blobs, target = at.parent.with_name("blobs"), Path(os.path.realpath(whole))
    inside = is_real_folder(blobs) and target.parent == Path(os.path.realpath(blobs))
    return inside and is_real_file(target)


def kind_of(mode: int) -> str:
    """Return in words what is neither a file nor a folder."""
    if stat.S_ISLNK(mode):
        return "a link"
    return "a pipe" if stat.S_ISFIFO(mode) else "no regular file"


def entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what lies in `folder` at any depth; links are not followed."""
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _is(path: Path, kind: object) -> bool:
    try:
        return bool(kind(os.lstat(path).st_mode))  # type: ignore[operator]
    except (OSError, ValueError):
        return False


def _refused(path: Path, kind: str) -> str:
    return (
        f"{path} is {kind}; what lies in a folder of ours is real files and folders alone, so"
        " nothing was read or written through it: put the file itself there"
    )
