"""PMR (Fan et al., CVPR 2023, eq. 7 to 13), with loops, for two modalities."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.methods.references.mcr import softmax

Features = Sequence[Sequence[Sequence[float]]]  # [m][i] of row i, or [m][c] of class c


def prototypes(
    features: Sequence[Sequence[float]], labels: Sequence[int], classes: int
) -> list[list[float]]:
    """Return c_k, the mean features of each class."""
    told = []
    for k in range(classes):
        of = [one for one, y in zip(features, labels, strict=True) if y == k]
        told.append([sum(column) / len(of) for column in zip(*of, strict=True)])
    return told


def balance(
    features: Features, centres: Features, labels: Sequence[int], alpha: float, mu: float
) -> list[float]:
    """Return what PMR adds to the cross-entropy of each row.

    alpha (beta PCE^0 + gamma PCE^1) - mu (gamma H^0 + beta H^1), with rho the ratio of the sums of
    p(y), beta = clip(0, 1 / rho - 1, 1) where rho < 1, gamma = clip(0, rho - 1, 1) where it is not.
    """
    p = [[near(one, centres[m]) for one in of] for m, of in enumerate(features)]
    sums = [sum(row[y] for row, y in zip(of, labels, strict=True)) for of in p]
    rho = sums[0] / sums[1]
    beta = min(1.0, 1 / rho - 1) if rho < 1 else 0.0
    gamma = min(1.0, rho - 1) if rho >= 1 else 0.0
    return [
        alpha * (beta * -math.log(p[0][i][y]) + gamma * -math.log(p[1][i][y]))
        - mu * (gamma * entropy(p[0][i]) + beta * entropy(p[1][i]))
        for i, y in enumerate(labels)
    ]


def near(one: Sequence[float], centres: Sequence[Sequence[float]]) -> list[float]:
    """Return the softmax of negative Euclidean distances to the prototypes."""
    return softmax([-math.dist(one, centre) for centre in centres])


def entropy(p: Sequence[float]) -> float:
    return -sum(one * math.log(one) for one in p)
