"""The loss of UmURL (arXiv 2311.03106), by loops over rows, modalities and features."""

from __future__ import annotations

import math
from collections.abc import Sequence

Matrix = Sequence[Sequence[float]]


def variance_and_covariance(projected: Matrix) -> float:
    """Return 5 mean_d relu(1 - sqrt(var_d + 1e-4)) + (1/P) sum_{i != j} cov_ij^2, by B - 1."""
    rows, width = len(projected), len(projected[0])
    means = [sum(row[d] for row in projected) / rows for d in range(width)]

    def covariance(i: int, j: int) -> float:
        return sum((r[i] - means[i]) * (r[j] - means[j]) for r in projected) / (rows - 1)

    spread = sum(max(0.0, 1 - math.sqrt(covariance(d, d) + 1e-4)) for d in range(width)) / width
    different = sum(covariance(i, j) ** 2 for i in range(width) for j in range(width) if i != j)
    return 5 * spread + different / width


def mean_square(one: Sequence[float], other: Sequence[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / len(one)


def loss_of_complete_rows(alone: Sequence[Matrix], together: Sequence[Matrix]) -> list[float]:
    """Return the loss of each row: consistency times 5, and the variances of all 2 M projections.

    `alone` and `together` are, by modality, the projections (B, P) of its own features, and of the
    mean of all modalities' by its projector.
    """
    shared = sum(variance_and_covariance(one) for one in [*alone, *together])
    losses = []
    for row in range(len(alone[0])):
        own = [one[row] for one in alone]
        centre = [sum(values) / len(own) for values in zip(*own, strict=True)]
        apart = sum(mean_square(a, t[row]) for a, t in zip(own, together, strict=True))
        apart += sum(mean_square(a, centre) for a in own)
        losses.append(5 * apart + shared)
    return losses
