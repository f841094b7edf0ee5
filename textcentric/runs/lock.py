"""The lock of a folder that is written to: one process holds it, the others are told which."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from textcentric.errors import RunError, StoppedError, option
from textcentric.security.files import check_real, open_real, reading

LOCK = "run.lock"
LONGEST_ID = 20  # digits of a process's id, and more than any has
HELD = (errno.EAGAIN, errno.EACCES)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process, after a look that it holds real files and folders alone.

    The kernel frees the lock when the process ends, however it ends. Raises RunError with the other
    process's id where it is taken, and where a link or a pipe lies in the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_real(folder)
        file = os.fdopen(open_real(folder / LOCK, os.O_RDWR | os.O_CREAT), "r+b")
    except OSError as error:
        raise StoppedError(
            f"cannot write to {folder} ({error.strerror}); choose another {option('output_dir')}"
        ) from error
    with file:
        _hold(file, folder)
        _sign(file, folder)
        yield


def holder(folder: Path) -> str:
    """Return the id of the process that holds `folder`, "" where none does."""
    try:
        file = reading(folder / LOCK)
    except (OSError, RunError):
        return ""  # nobody has run here
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return _signed(file) if error.errno in HELD else ""
    return ""


def _hold(file: BinaryIO, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        other = f"choose another {option('output_dir')}"
        if error.errno in HELD:
            raise RunError(
                f"{folder} is in use by process {_signed(file)}; wait for it or {other}"
            ) from error
        raise RunError(
            f"the file system of {folder} has no locks ({error.strerror}), and without one two"
            f" processes could write there at once; {other} on a disk that has them"
        ) from error


def _sign(file: BinaryIO, folder: Path) -> None:
    """Write who holds the folder; a file that holds more than an id is not ours to write over."""
    if len(file.read(LONGEST_ID + 1)) > LONGEST_ID:
        raise RunError(
            f"{folder / LOCK} holds more than the id of a process, so it is no lock of ours;"
            " move it away"
        )
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()).encode())
    file.flush()


def _signed(file: BinaryIO) -> str:
    """Return the id that the holder wrote."""
    file.seek(0)
    text = file.read(LONGEST_ID).decode("ascii", "replace").strip()
    return text if text.isdigit() else "unknown"
