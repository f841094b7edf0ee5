"""Files that a command writes where a person said: by one command at a time, over its own alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from textcentric.errors import RunError, StoppedError
from textcentric.security.disk import not_written
from textcentric.security.files import is_real_file, open_real, reading

HEAD = 64 << 10  # bytes by which a file is recognised
Recognise = Callable[[Path], bool]  # a real file that is not empty


@contextmanager
def only_writer(path: Path, what: str, ours: Recognise) -> Iterator[None]:
    """Hold `path` for this command; raises RunError where another holds it or it is not ours.

    A lock lies beside it until the end. Where a file system has no locks, nobody is kept out: what
    is held here is written in one step, so that the worst is the same work done twice.
    """
    check_ours(path, what, ours)
    place = path.with_name(f".{path.name}.lock")
    descriptor = _locked(place, path)
    try:
        yield
    finally:
        place.unlink(missing_ok=True)
        os.close(descriptor)


def check_ours(path: Path, what: str, ours: Recognise) -> None:
    """Raise RunError where anything but a file of this kind lies at `path`.

    `what` is the kind, such as "a file of predictions"; an empty file is nobody's.
    """
    if not os.path.lexists(path):
        return
    if is_real_file(path) and (not path.stat().st_size or ours(path)):
        return
    raise RunError(not_ours(path, what))


def head(path: Path) -> bytes:
    """Return the beginning of a file."""
    with reading(path) as file:
        return file.read(HEAD)


def not_ours(path: Path, what: str) -> str:
    """Say that something else lies at `path`, and what to do."""
    return (
        f"{path} is there and is not {what} that textcentric wrote, so it stays as it is; give"
        " another name to write to, or remove it"
    )


def take_lock(descriptor: int, path: Path) -> bool:
    """Lock an open file for this process, until it ends; False where its disk has no locks.

    Raises RunError where another process holds it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunError(
            f"{path} is being written by another command; wait for it, or give another name to"
            " write to"
        ) from error
    except OSError:
        return False
    return True


def _locked(place: Path, path: Path) -> int:
    """Return the lock file, open and held; one that its holder has removed is made anew."""
    while True:
        try:
            descriptor = open_real(place, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoppedError(not_written(path, error.strerror or str(error))) from error
        try:
            if not take_lock(descriptor, path) or _is_at(descriptor, place):
                return descriptor
        except RunError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(place))
    except FileNotFoundError:
        return False
