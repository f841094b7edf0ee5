"""Gradient blending (Wang et al., CVPR 2020, eq. 4 and algorithm 2), with loops."""

from __future__ import annotations

from collections.abc import Sequence

Losses = tuple[Sequence[float], Sequence[float]]  # of each branch: of training, held out


def weights(before: Losses, now: Losses) -> list[float]:
    """Return w_k ~ G_k / O_k^2, which sum to 1.

    G = L^V_before - L^V_now, O = (L^V_now - L^T_now) - (L^V_before - L^T_before).
    """
    told = []
    for branch in range(len(before[0])):
        g = before[1][branch] - now[1][branch]
        o = (now[1][branch] - now[0][branch]) - (before[1][branch] - before[0][branch])
        told.append(g / o**2)
    return [one / sum(told) for one in told]
