"""Content digests: what an expert's answer is filed under in the journal.

A file counts with its bytes, not with its name, so a replaced photo is described again and a
moved one is not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from textcentric.data.media.pictures import is_inside
from textcentric.values import Cell


def digest_value(value: Cell) -> str:
    """Return a digest (32 hex digits) of a string, number, list or mapping.

    >>> digest_value({"Age": 3}) == digest_value({"Age": 3.0})
    False
    """
    words = value if isinstance(value, str) else json.dumps(_plain(value), default=str)
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def digest_files(paths: Iterable[str | Path], root: str | Path | None = None) -> str:
    """Return a digest (32 hex digits) of the files' bytes, in order.

    A file that is absent or lies outside `root` is never read; it counts as "absent", so the
    digest changes when it appears.
    """
    whole = hashlib.blake2b(digest_size=16)
    for path in paths:
        whole.update(_digest_file(Path(path), root))
    return whole.hexdigest()


def _digest_file(path: Path, root: str | Path | None) -> bytes:
    inside = root is None or is_inside(path, (os.path.realpath(root),))
    if not (inside and path.is_file()):
        return hashlib.blake2b(b"absent", digest_size=16).digest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()


def _plain(value: Cell) -> Cell:
    """Keep the order of a mapping's keys: the words of a table follow it."""
    if isinstance(value, Mapping):
        return [[str(key), _plain(inner)] for key, inner in value.items()]
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
