"""Correlation information bottleneck (arXiv 2209.06954), one row and one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Vector = Sequence[float]


def density(value: float, mean: float, spread: float) -> float:
    """Return the log-density of a normal distribution."""
    return -math.log(spread * math.sqrt(2 * math.pi)) - 0.5 * ((value - mean) / spread) ** 2


def divergence(mean: Vector, spread: Vector, other_mean: Vector, other_spread: Vector) -> float:
    """Return KL(p || q) of two diagonal normal distributions: the sum of one number's at a time.

    KL(N(a, s^2) || N(b, t^2)) = log(t / s) + (s^2 + (a - b)^2) / (2 t^2) - 1/2.
    """
    total = 0.0
    for a, s, b, t in zip(mean, spread, other_mean, other_spread, strict=True):
        total += math.log(t / s) + (s * s + (a - b) ** 2) / (2 * t * t) - 0.5
    return total


def shared_information(
    critic: Callable[[Vector, Vector], float], first: Sequence[Vector], second: Sequence[Vector]
) -> list[float]:
    """Return -softplus(-T(x, y)) - softplus(T(x', y)) of each row, x' that of the row before."""
    bounds = []
    for row in range(len(first)):
        paired, apart = critic(first[row], second[row]), critic(first[row - 1], second[row])
        bounds.append(-math.log1p(math.exp(-paired)) - math.log1p(math.exp(apart)))
    return bounds
