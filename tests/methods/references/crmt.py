"""CRMT (Yang et al., ICLR 2024): both steps with loops over rows, modalities m and classes k.

`scores[m][k]` are s^m_k of one row, `weights[m][k]` are a^m_k, `bias[k]` b_k, `tau[m][k]` the
Lipschitz constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tests.methods.references.linear import Matrix, solved

STEP = 1e-6  # of numerical gradients


def logit(scores: Matrix, weights: Matrix, bias: Sequence[float], k: int) -> float:
    """Return h_k = sum_m a^m_k s^m_k + b_k."""
    return sum(a[k] * s[k] for a, s in zip(weights, scores, strict=True)) + bias[k]


def margin_loss(scores: Matrix, y: int, eps: float) -> float:
    """Return log(eps + sum_m sum_{k != y} exp(s^m_k - s^m_y)), eq. 12."""
    total = eps
    for of in scores:
        for k, score in enumerate(of):
            if k != y:
                total += math.exp(score - of[y])
    return math.log(total)


def hinge_loss(scores: Matrix, y: int) -> float:
    """Return sum_m max(0, 1 - (s^m_y - max_{k != y} s^m_k)), of the ablation."""
    return sum(max(0.0, 1 - of[y] + max(s for k, s in enumerate(of) if k != y)) for of in scores)


def bound(
    scores: Matrix, weights: Matrix, bias: Sequence[float], tau: Matrix, y: int, only: int | None
) -> float:
    """Return min_{k != y} (h_y - h_k) / sqrt(sum_m (|a^m_y| tau^m_y + |a^m_k| tau^m_k)^2), eq. 10.

    With `only` one modality is attacked, and the sum has its term alone.
    """
    found = []
    for k in [one for one in range(len(bias)) if one != y]:
        gap = logit(scores, weights, bias, y) - logit(scores, weights, bias, k)
        terms = [abs(a[y]) * t[y] + abs(a[k]) * t[k] for a, t in zip(weights, tau, strict=True)]
        found.append(gap / (math.hypot(*terms) if only is None else terms[only]))
    return min(found)


def lipschitz(scores: Callable[[list[float]], Sequence[float]], rows: Matrix) -> list[float]:
    """Return tau_k of a modality: the largest ||grad s_k(x)|| of any row x, by differences."""
    classes = len(scores(list(rows[0])))
    tau = [0.0] * classes
    for x in rows:
        for k in range(classes):
            gradient = []
            for i in range(len(x)):
                up, down = list(x), list(x)
                up[i] += STEP
                down[i] -= STEP
                gradient.append((scores(up)[k] - scores(down)[k]) / (2 * STEP))
            tau[k] = max(tau[k], math.hypot(*gradient))
    return tau


def second_step(
    rows: Sequence[Matrix],
    labels: Sequence[int],
    weights: Matrix,
    bias: Sequence[float],
    tau: Matrix,
    steps: int,
    rate: float,
) -> tuple[list[list[float]], float]:
    """Return a after steps of Adam (arXiv 1412.6980) up the mean bound, and the bound there.

    Gradients are differences; the rate is a share of the mean of |a|.
    """
    a = [list(of) for of in weights]
    size = sum(abs(one) for of in a for one in of) / sum(map(len, a))
    first, second = ([[0.0] * len(bias) for _ in a] for _ in range(2))

    def mean() -> float:
        found = [bound(s, a, bias, tau, y, None) for s, y in zip(rows, labels, strict=True)]
        return sum(found) / len(found)

    for step in range(1, steps + 1):
        gradient = [[0.0] * len(bias) for _ in a]
        for m, of in enumerate(a):
            for k, value in enumerate(list(of)):
                of[k] = value + STEP
                up = mean()
                of[k] = value - STEP
                gradient[m][k] = (up - mean()) / (2 * STEP)
                of[k] = value
        for m, of in enumerate(a):
            for k in range(len(of)):
                first[m][k] = 0.9 * first[m][k] + 0.1 * gradient[m][k]
                second[m][k] = 0.999 * second[m][k] + 0.001 * gradient[m][k] ** 2
                slope = first[m][k] / (1 - 0.9**step)
                length = math.sqrt(second[m][k] / (1 - 0.999**step)) + 1e-8
                of[k] += rate * size * slope / length
    return a, mean()


def orthogonal(rows: Matrix) -> list[list[float]]:
    """Return (V V')^(-1/2) V of centred rows V (arXiv 1709.06079).

    The root is found as Denman and Beavers do: Y and Z begin as the matrix and one, and each
    becomes the mean of itself and the other's inverse; Z ends as the inverse root.
    """
    centred = [[value - sum(row) / len(row) for value in row] for row in rows]
    y = [[sum(a * b for a, b in zip(p, q, strict=True)) for q in centred] for p in centred]
    z = [[float(i == j) for j in range(len(y))] for i in range(len(y))]
    for _ in range(40):
        y, z = mean_of(y, inverse(z)), mean_of(z, inverse(y))
    return [
        [sum(z[i][k] * centred[k][j] for k in range(len(z))) for j in range(len(rows[0]))]
        for i in range(len(z))
    ]


def mean_of(one: Matrix, other: Matrix) -> list[list[float]]:
    size = range(len(one))
    return [[(one[i][j] + other[i][j]) / 2 for j in size] for i in size]


def inverse(matrix: Matrix) -> list[list[float]]:
    """Return the inverse: what solves matrix X = identity."""
    size = len(matrix)
    return solved(matrix, [[float(i == j) for j in range(size)] for i in range(size)])
