"""Columns of text for people: aligned, cut to the terminal's width nowhere."""

from __future__ import annotations

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[object]], header: Sequence[str] = ()) -> str:
    """Return `rows` as aligned columns; numbers stand to the right.

    >>> print(columns([["noise", 12], ["style", 3]], ["prompt", "n"]))
    prompt   n
    noise   12
    style    3
    """
    numeric = [
        all(isinstance(cell, int | float) for cell in column) for column in zip(*rows, strict=True)
    ]
    lines = [list(header)] * bool(header) + [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = numeric or [False] * len(widths)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )
