"""The lock of a folder that is written to: one process holds it, the others are told which."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textcentric.errors import RunError, StoppedError, option

LOCK = "run.lock"


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; raises RunError with the other one's id if it is taken.

    The kernel frees the lock when the process ends, however it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise StoppedError(
            f"cannot write to {folder} ({error.strerror}); choose another {option('output_dir')}"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise RunError(
                f"{folder} is in use by process {file.read().strip() or 'unknown'};"
                f" wait for it or choose another {option('output_dir')}"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(folder: Path) -> str:
    """Return the id of the process that holds `folder`, "" where none does."""
    try:
        file = (folder / LOCK).open()
    except OSError:
        return ""  # nobody has run here
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read().strip() or "unknown"
    return ""
