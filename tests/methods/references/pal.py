"""PAL's head: ridge regression of all rows at once, solved by elimination, with loops."""

from __future__ import annotations

from collections.abc import Sequence

Matrix = Sequence[Sequence[float]]


def ridge(x: Matrix, y: Matrix, penalty: float) -> list[list[float]]:
    """Return W = (X'X + g I)^-1 X'Y of rows x, with one-hot classes y."""
    width, classes = len(x[0]), len(y[0])
    left = [
        [sum(row[i] * row[j] for row in x) + penalty * (i == j) for j in range(width)]
        for i in range(width)
    ]
    right = [
        [sum(row[i] * told[k] for row, told in zip(x, y, strict=True)) for k in range(classes)]
        for i in range(width)
    ]
    return solved(left, right)


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


def layer(features: Sequence[Sequence[float]], present: Sequence[float], p: Matrix) -> list[float]:
    """Return relu([phi_1; ..; phi_M] P) of a row; features of absent modalities are zeros."""
    joined = [value * there for one, there in zip(features, present, strict=True) for value in one]
    return [max(0.0, sum(v * p[i][k] for i, v in enumerate(joined))) for k in range(len(p[0]))]
