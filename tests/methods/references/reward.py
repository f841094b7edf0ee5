"""Reward objectives pair by pair, written from the papers, with derivatives worked out by hand.

Shortcut-aware learning of multimodal reward models (Li et al. 2025, PMLR 267:36281-36297), with
r the model's reward and q that of the proxy, which lacks the picture:

    L  = -log sigmoid(r+ - r- - m)           the model's loss of a pair, m its margin or 0
    Lt = -log sigmoid(q+ - q- - m)           the proxy's
    s  = e/2 + Lt / (e + L + Lt)             the shortcut-failure coefficient, a constant
    J  = s L + Lt + c (r+ + r-)^2            c centres rewards (arXiv 2312.09244, eq. 4)

The paper has neither a margin nor centring. Centring is no part of L, so s neither multiplies it
nor is made from it.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Scored(NamedTuple):
    """The four rewards of a pair, and its margin."""

    chosen: float
    rejected: float
    proxy_chosen: float
    proxy_rejected: float
    margin: float = 0.0


class Derivatives(NamedTuple):
    """Of an objective by each of the four rewards of a pair."""

    chosen: float
    rejected: float
    proxy_chosen: float
    proxy_rejected: float


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def bradley_terry(chosen: float, rejected: float, margin: float = 0.0) -> float:
    return -math.log(sigmoid(chosen - rejected - margin))


def coefficient(pair: Scored, epsilon: float = 1e-7) -> float:
    main = bradley_terry(pair.chosen, pair.rejected, pair.margin)
    proxy = bradley_terry(pair.proxy_chosen, pair.proxy_rejected, pair.margin)
    return epsilon / 2 + proxy / (epsilon + main + proxy)


def shortcut_aware(pairs: list[Scored], centering: float = 0.0) -> list[float]:
    """Return J of each pair."""
    found = []
    for pair in pairs:
        main = bradley_terry(pair.chosen, pair.rejected, pair.margin)
        proxy = bradley_terry(pair.proxy_chosen, pair.proxy_rejected, pair.margin)
        off_centre = (pair.chosen + pair.rejected) ** 2
        found.append(coefficient(pair) * main + proxy + centering * off_centre)
    return found


def derivatives(pairs: list[Scored], centering: float = 0.0) -> list[Derivatives]:
    """Return how J of each pair changes with its rewards; nothing passes through s."""
    found = []
    for pair in pairs:
        pull = coefficient(pair) * sigmoid(-(pair.chosen - pair.rejected - pair.margin))
        of_proxy = sigmoid(-(pair.proxy_chosen - pair.proxy_rejected - pair.margin))
        to_centre = 2 * centering * (pair.chosen + pair.rejected)
        found.append(Derivatives(to_centre - pull, to_centre + pull, -of_proxy, of_proxy))
    return found
