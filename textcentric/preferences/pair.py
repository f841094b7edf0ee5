"""A preference: two responses to one prompt, of which one is better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair of responses, and what there is to know of their subject.

    `descriptions` say in words what else was given with the prompt ({"image": "two red balls"});
    `images` are the files, or the data, behind them. `margin` is in units of reward. Pairs of one
    `group` (one picture, say) belong into one split.
    """

    id: str
    prompt: str
    chosen: str
    rejected: str
    descriptions: Mapping[str, str] = field(default_factory=dict)
    images: tuple[Any, ...] = ()
    margin: float | None = None
    group: str | None = None
    subset: str | None = None
    split: str | None = None


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
