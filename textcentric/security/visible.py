"""Foreign text where people read it: what would act on a terminal or hide is shown as its code."""

from __future__ import annotations

import re

# What HTML cannot hold, what a terminal obeys, what a reader cannot see, and what turns the reading
# direction around.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def visible(text: str) -> str:
    """Write control characters as their codes, so that no text can hide, reorder or act.

    >>> visible("a\\x00b")
    'a[U+0000]b'
    """
    return INVISIBLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)
