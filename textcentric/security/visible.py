"""Foreign text where people read it: what would act on a terminal or hide is shown as its code."""

from __future__ import annotations

import re

from textcentric.security.secrets import hidden

# What HTML cannot hold, what a terminal obeys, what a reader cannot see, and what turns the reading
# direction around.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
BREAKS = re.compile("[\t\n\u2028\u2029]")


def visible(text: str) -> str:
    """Write control characters as their codes, so that no text can hide, reorder or act.

    >>> visible("a\\x00b")
    'a[U+0000]b'
    """
    return INVISIBLE.sub(_code, text)


def in_line(value: object) -> str:
    """Write a value that stands in a line of ours so that it cannot begin another one.

    >>> in_line("r1\\n12 rows accepted")
    'r1[U+000A]12 rows accepted'
    """
    return visible(BREAKS.sub(_code, str(value)))


def printable(text: str) -> str:
    """Return text as a terminal may have it: nothing acts, nothing is secret, lines stay lines."""
    return visible(hidden(text.replace("\r\n", "\n")))


def _code(match: re.Match[str]) -> str:
    return f"[U+{ord(match[0]):04X}]"
