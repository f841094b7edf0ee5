"""Linear equations, line by line."""

from __future__ import annotations

from collections.abc import Sequence

Matrix = Sequence[Sequence[float]]


def solved(left: Matrix, right: Matrix) -> list[list[float]]:
    """Return the solution W of left W = right, by Gauss and Jordan with pivots."""
    lines = [[*a, *b] for a, b in zip(left, right, strict=True)]
    size = len(lines)
    for at in range(size):
        best = max(range(at, size), key=lambda i: abs(lines[i][at]))
        lines[at], lines[best] = lines[best], lines[at]
        lines[at] = [value / lines[at][at] for value in lines[at]]
        for i in range(size):
            if i != at:
                factor = lines[i][at]
                lines[i] = [v - factor * w for v, w in zip(lines[i], lines[at], strict=True)]
    return [line[size:] for line in lines]
