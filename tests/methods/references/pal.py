"""PAL's head: ridge regression of all rows at once, solved by elimination, with loops."""

from __future__ import annotations

from collections.abc import Sequence

from tests.methods.references.linear import Matrix, solved


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


def layer(features: Sequence[Sequence[float]], present: Sequence[float], p: Matrix) -> list[float]:
    """Return relu([phi_1; ..; phi_M] P) of a row; features of absent modalities are zeros."""
    joined = [value * there for one, there in zip(features, present, strict=True) for value in one]
    return [max(0.0, sum(v * p[i][k] for i, v in enumerate(joined))) for k in range(len(p[0]))]
