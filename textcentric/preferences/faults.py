"""What makes a pair useless to learn from."""

from __future__ import annotations

import math

from textcentric.rows import Pair


def fault(pair: Pair) -> str:
    """Return why nothing can be learnt from `pair`, in a few words; "" where something can.

    >>> fault(Pair("1", "Is it red?", "Yes.", "Yes. "))
    'chosen and rejected are equal'
    """
    if not pair.chosen.strip() or not pair.rejected.strip():
        return "a response is empty"
    if pair.chosen.strip() == pair.rejected.strip():
        return "chosen and rejected are equal"
    if pair.margin is not None and not math.isfinite(pair.margin):
        return "the margin is not a finite number"
    return ""
