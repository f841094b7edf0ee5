"""What is remembered of texts, so that several checks of a row read each once.

Thousands of short texts take little memory; long ones are let go with their row.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

LONG = 50_000  # bytes of a row that is long
ROOMS = (
    "textcentric.checks.",
    "textcentric.experts.sentences",
    "textcentric.augmentation.picks.",
)


def let_go(size: int) -> None:
    """Forget all texts after a row of `size` bytes, if it is long."""
    if size > LONG:
        for remembered in _caches():
            remembered.cache_clear()


@cache
def _caches() -> tuple[Any, ...]:
    """Return what remembers texts: functions that keep so many results, not lists read once."""
    held = [
        value
        for name, module in [*sys.modules.items()]
        if name.startswith(ROOMS)
        for value in vars(module).values()
        if hasattr(value, "cache_parameters") and value.cache_parameters()["maxsize"] is not None
    ]
    return tuple(held)
