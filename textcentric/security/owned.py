"""Folders that a command writes: its own of before, new or empty ones, and no others."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from textcentric.errors import RunError, option

UNSAID = re.compile(r"run\.lock|\..*")  # names that say nothing of whose a folder is


def check_owned(
    folder: Path, marks: Collection[str], what: str, begun: Collection[str] = ()
) -> None:
    """Raise RunError, before anything is written, where `folder` holds what is no `what` of ours.

    Each of `marks` is a name that only such a folder has; those `begun` may lie there alone.
    """
    if not folder.is_dir():
        return
    names = sorted(path.name for path in folder.iterdir() if not UNSAID.fullmatch(path.name))
    if set(names) - set(begun) and not set(marks) & set(names):
        raise RunError(
            f"{folder} holds {names[0]} and is no {what}, so nothing was written there; choose"
            f" another {option('output_dir')}, one that is new or empty"
        )
