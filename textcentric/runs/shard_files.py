"""The shards of a run as they lie in its folder: real files in real folders, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from textcentric.errors import RunError
from textcentric.folders import LEFTOVER
from textcentric.security.files import is_real_file, need_real

SHARD = re.compile(r"part-[0-9]{5,}\.parquet")  # the names of shards
FORMER_DRAFT = re.compile(r"\.part-[0-9]{5,}\.tmp")  # of versions before


def shard_files(run: Path, name: str) -> list[Path]:
    """Return the shards in the folder `name` of `run`, in order; none where there is no folder.

    Raises RunError where the folder or one of them is a link or a pipe.
    """
    try:
        need_real(run / name)
    except FileNotFoundError:
        return []
    paths = _named(run / name)
    for path in paths:
        need_real(path)
    return paths


def readable_shards(run: Path, name: str, notices: list[str]) -> list[Path]:
    """Return those of `shard_files` that are real files; `notices` are told of the others."""
    try:
        need_real(run / name)
    except FileNotFoundError:
        return []
    except RunError as error:
        notices.append(f"{name}/ was not read: {error}")
        return []
    paths = _named(run / name)
    notices += [
        f"{name}/{path.name} is a link or no file, so it was not read."
        for path in paths
        if not is_real_file(path)
    ]
    return [path for path in paths if is_real_file(path)]


def _named(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def remove_unknown(run: Path, name: str, known: set[str]) -> None:
    """Remove shards in the folder `name` that are not `known`, and drafts of them; nothing else."""
    for path in (run / name).glob("*part-*"):
        ours = SHARD.fullmatch(path.name) or FORMER_DRAFT.fullmatch(path.name)
        ours = ours or LEFTOVER.fullmatch(path.name)
        if ours and path.name not in known and is_real_file(path):
            path.unlink()
