"""An output folder: whose it is, and files that are written in one step."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textcentric.errors import RunError, StoppedError, TextCentricError, cut, quoted
from textcentric.security.disk import not_written, why_not_written
from textcentric.security.files import is_real_file, is_real_folder, read_text
from textcentric.security.secrets import hidden
from textcentric.security.yaml import parse
from textcentric.values import Json

DRAFT = ".tmp"  # how the names of files end that are not whole
LEFTOVER = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")  # the names of drafts
LONGEST_VALUE = 60  # characters of a value in a message
ORDERED = "choices"  # key of a mapping whose order says something
Change = tuple[str, object, object]  # name, before, after


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Yield where to write a file or a folder that is moved to `path` once it is whole.

    Nobody can know the name before, so that several may write the same and no link waits there;
    nothing is left of what fails.

    >>> with written(folder / "words.txt") as draft:  # doctest: +SKIP
    ...     draft.write_text("whole")
    """
    with drafted(path) as draft:
        yield draft
        os.replace(draft, path)


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Yield where to put together what belongs at `path`; it is removed at the end."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}{DRAFT}")
    try:
        yield draft
    finally:
        remove(draft)


def remove(path: Path) -> None:
    """Remove a file, a link itself, or a folder with all that is in it, where it is there."""
    if is_real_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the drafts that a killed process left in `folder`, and nothing else."""
    for path in folder.glob(f".*{DRAFT}"):
        if LEFTOVER.fullmatch(path.name) and (is_real_file(path) or is_real_folder(path)):
            remove(path)


def write_text(path: Path, text: str) -> None:
    """Write `text`, without secrets, to `path` in one step.

    Raises StoppedError where that is not possible.
    """
    with writing(path), written(path) as draft:
        draft.write_text(hidden(text), encoding="utf-8", newline="\n")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say clearly where `path` cannot be written, as StoppedError, whatever a library raises."""
    try:
        yield
    except TextCentricError:
        raise
    except Exception as error:
        why = why_not_written(error) or (isinstance(error, OSError) and error.strerror)
        if not why:
            raise
        raise StoppedError(not_written(path, why)) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping from a real file; an absent one reads as an empty one.

    Raises RunError where it cannot be read or is no mapping.
    """
    if not os.path.lexists(path):
        return {}
    try:
        values = parse(read_text(path), str(path), RunError) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    if isinstance(values, dict):
        return values
    raise RunError(f"{path} holds {quoted(values)}, expected `key: value` lines")


def fingerprint(identity: Mapping[str, object] | Sequence[Json]) -> str:
    """Return eight hex digits that stand for an identity, whatever the order of its keys."""
    text = json.dumps(_with_order(identity), sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _with_order(value: object) -> object:
    """Return `value` with choices that are not sorted as a list, so that their order counts."""
    if isinstance(value, list | tuple):
        return [_with_order(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    kept = {name: _with_order(each) for name, each in value.items()}
    choices = kept.get(ORDERED)
    if isinstance(choices, dict) and list(choices) != sorted(choices, key=_place):
        kept[ORDERED] = [list(pair) for pair in choices.items()]
    return kept


def _place(choice: object) -> tuple[int, str]:
    """Return what choices are sorted by: words by themselves, whole numbers by their size."""
    text = str(choice)
    return (int(text), "") if re.fullmatch("-?[0-9]+", text) else (0, text)


def refuse_another(
    what: str | Path, old: Mapping[str, object], new: Mapping[str, object], cure: str
) -> None:
    """Raise RunError, with a `cure`, where the identities differ: `what` is of another one."""
    if told := another(old, new):
        raise RunError(f"{what} belongs to {told}. {cure}")


def another(old: Mapping[str, object], new: Mapping[str, object]) -> str:
    """Say that one configuration is not the other, "" where it is.

    >>> another({"limit": 24, "seed": 0}, {"limit": 48, "seed": 0})
    'another configuration: limit: 24 -> 48'
    >>> another({"method": "crmt", "seed": 0}, {"method": "reward", "rank": 4})
    'another configuration: method: crmt -> reward'
    """
    if old.get("method") != new.get("method"):  # then nearly every setting differs
        old, new = {"method": old.get("method")}, {"method": new.get("method")}
    changed = differences(old, new)
    return f"another configuration: {'; '.join(changed)}" if changed else ""


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
            if key == ORDERED and before == after and list(before) != list(after):
                found.append((f"{prefix}{key}", list(before), list(after)))
            found += changes(before, after, f"{prefix}{key}.")
        elif before != after:
            found.append((f"{prefix}{key}", before, after))
    return found


def brief(value: object, longest: int) -> str:
    """Return `value` as text of at most `longest` characters.

    >>> brief("adversarial/noise", 8)
    'adversa…'
    """
    text = cut(value, most=longest)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
