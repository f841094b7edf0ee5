"""How the page writes values: counts, shares, durations, and text that may hide something."""

from __future__ import annotations

from datetime import UTC, datetime

from textcentric.report.run_files import number
from textcentric.security.visible import visible as controls_as_codes
from textcentric.values import Json


def visible(value: object) -> object:
    """Write control characters of a text as their codes; what is our own markup stays as it is."""
    return controls_as_codes(value) if type(value) is str else value


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
