"""What is recorded of a shard when it is in place: its files, and what was counted of it.

By its size and digest a file that was lost, cut or changed since is noticed; by its counts it can
be forgotten alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from textcentric.security.files import reading

FILE = re.compile(r"(?:data|rejected|errors)/part-[0-9]{5,}\.parquet")
PIECE = 1 << 20  # bytes that are read at once
Counted = tuple[tuple[str, str, str, int], ...]


class Written(NamedTuple):
    """A file as it was written: its bytes, and a digest of them."""

    size: int
    digest: str


class Shard(NamedTuple):
    """What is recorded of a shard: {path below the run: file}, and what was counted."""

    files: Mapping[str, Written]
    counts: Counted
    details: Counted


def as_text(
    files: Mapping[str, Written],
    counts: Mapping[tuple[str, str, str], int],
    details: Mapping[tuple[str, str, str], int],
) -> str:
    """Return what is recorded as one line of JSON."""
    numbers = [[(*name, n) for name, n in of.items()] for of in (counts, details)]
    return json.dumps([files, *numbers], ensure_ascii=False, separators=(",", ":"))


def parsed(text: object) -> Shard | None:
    """Return what `as_text` wrote; None for anything else."""
    try:
        files, counts, details = json.loads(str(text))
        if not all(FILE.fullmatch(path) for path in files):
            return None
        return Shard(
            {path: Written(int(size), str(digest)) for path, (size, digest) in files.items()},
            _counted(counts),
            _counted(details),
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _counted(lines: Any) -> Counted:
    return tuple((str(one), str(two), str(three), int(n)) for one, two, three, n in lines)


def measured(path: Path) -> Written:
    """Return size and digest of the real file `path`, which is read a piece at a time."""
    digest, size = hashlib.blake2b(digest_size=16), 0
    with reading(path) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return Written(size, digest.hexdigest())


def put_on_disk(path: Path) -> None:
    """Have the disk itself hold a file or the names in a folder, where it can say so."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():  # not every file system can with a folder
            raise
    finally:
        os.close(descriptor)
