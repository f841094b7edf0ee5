"""The identity of the checks: another one where they say something else of any text.

Lists and weights count by what they hold, the code by VERSION, which people raise: code that is
only written in other words judges as before, and what was read under it still holds.
`tests/checks/behaviour.jsonl` says whether it does.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from textcentric.checks.verdict import WEIGHTS
from textcentric.checks.words import FOLDER
from textcentric.prompts.equivalents import LIST

VERSION = 1  # raise it where the checks say something else of a text than before
LISTS = (*sorted(FOLDER.glob("*.txt")), LIST)
FITTED = ("intercept", "weights", "threshold", "thresholds")  # what of the weights decides


@cache
def checks_identity() -> str:
    """Return sixteen hex digits for the version of the checks, their lists and their weights."""
    held = hashlib.blake2b(f"{VERSION}\n".encode(), digest_size=8)
    for path in LISTS:
        held.update(f"[{path.name}]\n{_entries(path)}\n".encode())
    held.update(_weights(WEIGHTS).encode())
    return held.hexdigest()


def _entries(path: Path) -> str:
    """Return the lines of a list without its comments."""
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.startswith("#"))


def _weights(path: Path) -> str:
    """Return what decides of the weights; the figures of their training say nothing of a text."""
    questions = json.loads(path.read_text("utf-8"))["questions"]
    fitted = {name: {key: one[key] for key in FITTED} for name, one in questions.items()}
    return json.dumps(fitted, sort_keys=True)
