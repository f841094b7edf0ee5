"""OGM-GE (Peng et al., CVPR 2022, eq. 9 to 12, and GeWu-Lab/OGM-GE_CVPR2022), with loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.methods.references.mcr import softmax


def coefficients(
    scores: Sequence[Sequence[Sequence[float]]],
    bias: Sequence[float],
    labels: Sequence[int],
    alpha: float,
) -> list[float]:
    """Return k of each of two modalities; `scores[m][i]` is W^m phi^m of row i.

    s_i^m = softmax(W^m phi^m + b / 2)_y, rho^m = sum_i s_i^m / sum_i s_i^n, and
    k^m = 1 - tanh(alpha rho^m) where rho^m > 1, else 1.
    """
    strength = []
    for of in scores:
        rows = [softmax([s + b / 2 for s, b in zip(one, bias, strict=True)]) for one in of]
        strength.append(sum(row[y] for row, y in zip(rows, labels, strict=True)))
    rho = [strength[0] / strength[1], strength[1] / strength[0]]
    return [1 - math.tanh(alpha * one) if one > 1 else 1.0 for one in rho]
