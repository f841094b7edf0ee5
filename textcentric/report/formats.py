"""How the page writes values: counts, shares, durations, and text that may hide something."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from textcentric.report.run_files import number
from textcentric.values import Json

# What HTML cannot hold, what a reader cannot see, and what turns the reading direction around.
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def visible(value: object) -> object:
    """Write control characters as their codes, so that no text can hide or reorder anything.

    >>> visible("a\\x00b")
    'a[U+0000]b'
    """
    if not isinstance(value, str) or type(value) is not str:  # Markup is ours and stays as it is
        return value
    return INVISIBLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", value)


def count(value: Json) -> str:
    """Write a whole number with thousands separated."""
    return f"{number(value):,.0f}"


def share(part: Json, whole: Json) -> str:
    """Write `part` of `whole` in percent; only a true all or nothing reads 100 % or 0 %."""
    if not number(whole):
        return "\u2013"
    percent = 100 * number(part) / number(whole)
    if 0 < percent < 1 or 99 < percent < 100:
        return "<\u00a01\u00a0%" if percent < 1 else ">\u00a099\u00a0%"
    return f"{percent:.0f}\u00a0%"


def figure(value: Json) -> str:
    """Write a measured value with three digits that count, other values as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: Json) -> str:
    """Write seconds the way one says them.

    >>> duration(192).replace("\\u00a0", " ")
    '3 min 12 s'
    """
    whole = number(seconds)
    if whole < 60:
        return f"{whole:.3g}\u00a0s"
    hours, rest = divmod(round(whole), 3600)
    minutes, seconds = divmod(rest, 60)
    words = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
    return words.replace(" ", "\u00a0")


def isotime(moment: Json) -> str:
    """Write a moment, given as ISO text or as seconds since 1970, in UTC to the minute."""
    try:
        when = (
            datetime.fromtimestamp(moment, UTC)
            if isinstance(moment, int | float)
            else datetime.fromisoformat(str(moment))
        )
    except (ValueError, OverflowError, OSError):
        return str(moment)
    when = when.astimezone(UTC) if when.tzinfo else when
    return when.strftime("%Y-%m-%d %H:%M") + (" UTC" if when.tzinfo else "")
