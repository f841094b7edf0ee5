"""A file of verdicts, told from other files by how it begins."""

from __future__ import annotations

from pathlib import Path

from textcentric.security.outputs import head

VERDICTS = "a file of verdicts"


def is_verdicts(path: Path) -> bool:
    """Say whether a file begins with a verdict, or with why there is none."""
    line = head(path).partition(b"\n")[0]
    return line.startswith(b'{"id": ') and (b', "verdict": ' in line or b', "error": ' in line)
