"""An output folder: whose it is, who holds it, and files that are written in one step."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from textcentric.errors import RunError, StoppedError
from textcentric.values import Json

LONGEST_VALUE = 60  # characters of a value in a message
Change = tuple[str, object, object]  # name, before, after


def replace_text(path: Path, text: str) -> None:
    """Write `text` to `path` under a name of this process's own, then move it into place."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; raises RunError with the other one's id if it is taken.

    The kernel frees the lock when the process ends, however it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "run.lock").open("a+")
    except OSError as error:
        raise StoppedError(
            f"cannot write to {folder} ({error.strerror}); choose another -o"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise RunError(
                f"{folder} is in use by process {file.read().strip() or 'unknown'};"
                " wait for it or choose another -o"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(folder: Path) -> str:
    """Return the id of the process that holds `folder`, "" where none does."""
    try:
        file = (folder / "run.lock").open()
    except OSError:
        return ""  # nobody has run here
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read().strip() or "unknown"
    return ""


def write_text(path: Path, text: str) -> None:
    """Write `text` under a temporary name and move it into place."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with writing(path):
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say clearly where `path` cannot be written, as StoppedError."""
    try:
        yield
    except OSError as error:
        raise StoppedError(
            f"cannot write {path} ({error.strerror}); free space on the disk or check the folder's"
            " permissions, then run the same command again to go on"
        ) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; an absent file reads as an empty one."""
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def fingerprint(identity: Mapping[str, object] | Sequence[Json]) -> str:
    """Return eight hex digits that stand for an identity."""
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Return one line for each value that differs, nested keys joined by dots, long values cut.

    >>> differences({"limit": 24, "seed": 0}, {"limit": 48, "seed": 0})
    ['limit: 24 -> 48']
    """
    return [
        f"{name}: {brief(before, LONGEST_VALUE)} -> {brief(after, LONGEST_VALUE)}"
        for name, before, after in changes(old, new)
    ]


def changes(old: Mapping[str, object], new: Mapping[str, object], prefix: str = "") -> list[Change]:
    """Return the name of each value that differs, with both values, None where there is none.

    >>> changes({"data": {"rows": 3}}, {"data": {"rows": 4}})
    [('data.rows', 3, 4)]
    """
    found: list[Change] = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            found += changes(before, after, f"{prefix}{key}.")
        elif before != after:
            found.append((f"{prefix}{key}", before, after))
    return found


def brief(value: object, longest: int) -> str:
    """Return `value` as text of at most `longest` characters.

    >>> brief("adversarial/noise", 8)
    'adversa…'
    """
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
