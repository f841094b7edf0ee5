"""The verdict: whether a variant says what its source says, from the parts of all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from textcentric.checks.edit import Edit, Embed, Facts

DIGEST = "none"  # of the checks and their weights


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a variant is true (None: not judged), how surely in [0, 1], and why not."""

    true: bool | None
    score: float | None = None
    parts: dict[str, float] = field(default_factory=dict)
    reason: str = ""


def judge(
    edits: Sequence[Edit],
    facts: Facts,
    legible: bool = True,
    *,
    encoder: Embed | None = None,
    strict: float | None = None,
) -> list[Verdict]:
    """Judge each edit by what it may do with `facts`.

    `encoder` turns texts into unit vectors; `strict` asks for a precision (0.8 to 0.99) in place
    of the threshold of the weights.
    """
    return [Verdict(None, reason="not judged") for _ in edits]
