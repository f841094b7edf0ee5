"""Weights of the verdict fitted to what readers said, near the weights that are shipped.

A variant is true where all its edits are, so its probability is the product of those of its edits;
of a variant of one edit this is logistic regression. What is fitted is a correction of the shipped
log-odds, in units of each part's spread, with a ridge penalty: few pairs move the weights little.

Shapes: B variants, E edits of them, F parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PENALTY = 1.0  # half of it is the price of a correction by one standard deviation, in nats
FOLDS = 10
STEPS, CLOSE = 100, 1e-9  # of Fisher scoring


@dataclass(frozen=True)
class Pairs:
    """Variants that were read: parts `x` (E, F) of edits, the variant `of` (E,) each belongs to.

    Of each variant whether it is `true` (B,), of which `source` (B,) it is, and how many outputs
    of the run it stands for, `share` (B,).
    """

    x: np.ndarray
    of: np.ndarray
    true: np.ndarray
    source: np.ndarray
    share: np.ndarray

    def at(self, chosen: np.ndarray) -> Pairs:
        """Return the variants that are chosen (B,), a mask, with their edits."""
        place, edits = np.cumsum(chosen) - 1, chosen[self.of]
        of = place[self.of[edits]]
        return Pairs(self.x[edits], of, self.true[chosen], self.source[chosen], self.share[chosen])

    def folds(self) -> np.ndarray:
        """Return a fold (B,) for each variant; those of one source are in one."""
        return np.unique(self.source, return_inverse=True)[1] % FOLDS


def log_odds(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the log-odds (E,) of edits: `weights` (F + 1,) end with the intercept."""
    return np.asarray(x @ weights[:-1] + weights[-1])


def lowest_scores(odds: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Return the score (B,) of each variant: the lowest probability among its edits."""
    scores = np.ones(len(pairs.true))
    np.minimum.at(scores, pairs.of, 1 / (1 + np.exp(-odds)))
    return scores


def loss(odds: np.ndarray, pairs: Pairs) -> float:
    """Return the mean negative log-likelihood of what readers said, in nats a variant."""
    return float(_losses(odds, pairs.of, pairs.true).mean())


def fitted(pairs: Pairs, shipped: np.ndarray) -> np.ndarray:
    """Return the weights (F + 1,), intercept last, that fit `pairs` and stay near `shipped`.

    A part that is the same everywhere keeps its weight.
    """
    mean, spread = pairs.x.mean(axis=0), pairs.x.std(axis=0)
    free = spread > 1e-9
    z = np.column_stack([(pairs.x[:, free] - mean[free]) / spread[free], np.ones(len(pairs.x))])
    moved = correction(z, log_odds(shipped, pairs.x), pairs.of, pairs.true)
    weights = shipped.astype(float)
    weights[:-1][free] += moved[:-1] / spread[free]
    weights[-1] += moved[-1] - (moved[:-1] / spread[free]) @ mean[free]
    return weights


def correction(
    z: np.ndarray, offset: np.ndarray, of: np.ndarray, true: np.ndarray, penalty: float = PENALTY
) -> np.ndarray:
    """Return the u (K,) of least cost: of log-odds offset + z u, with penalty / 2 times u squared.

    Fisher scoring with halved steps; `z` is (E, K), `offset` and `of` (E,), `true` (B,).
    """

    def cost(u: np.ndarray) -> float:
        return float(_losses(offset + z @ u, of, true).sum() + penalty / 2 * u @ u)

    u = np.zeros(z.shape[1])
    for _ in range(STEPS):
        slope, curvature = _derivatives(z, offset + z @ u, of, true)
        step = np.linalg.solve(curvature + penalty * np.eye(len(u)), slope + penalty * u)
        while (size := np.abs(step).max()) > CLOSE and cost(u - step) > cost(u):
            step = step / 2
        u = u - step
        if size <= CLOSE:
            break
    return u


def held_out(pairs: Pairs, shipped: np.ndarray) -> np.ndarray:
    """Return the log-odds (E,) of each edit by weights that saw none of its source."""
    folds, odds = pairs.folds(), log_odds(shipped, pairs.x)
    for fold in np.unique(folds):
        rest = folds != fold
        if rest.any():
            test = ~rest[pairs.of]
            odds[test] = log_odds(fitted(pairs.at(rest), shipped), pairs.x[test])
    return odds


def gain(own: np.ndarray, shipped: np.ndarray, pairs: Pairs) -> tuple[float, float]:
    """Return by how much `own` log-odds (E,) lose less than `shipped` ones, and its standard error.

    Both are nats a variant; the error is over sources, whose variants are not independent.
    """
    less = _losses(shipped, pairs.of, pairs.true) - _losses(own, pairs.of, pairs.true)
    _, at = np.unique(pairs.source, return_inverse=True)
    centred = np.bincount(at, weights=less - less.mean())
    return float(less.mean()), float(np.sqrt((centred**2).sum()) / len(less))


def _log_true(odds: np.ndarray, of: np.ndarray, count: int) -> np.ndarray:
    """Return the log-probability (B,) that all edits of a variant are true."""
    return np.asarray(np.bincount(of, weights=-np.logaddexp(0, -odds), minlength=count))


def _losses(odds: np.ndarray, of: np.ndarray, true: np.ndarray) -> np.ndarray:
    said = _log_true(odds, of, len(true))
    return np.asarray(np.where(true, -said, -np.log(_not_true(said))))


def _not_true(log_true: np.ndarray) -> np.ndarray:
    """Return 1 - exp(log_true), exact where that is small and never 0."""
    return np.asarray(np.maximum(-np.expm1(log_true), 1e-12))


def _derivatives(
    z: np.ndarray, odds: np.ndarray, of: np.ndarray, true: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return slope (K,) and Fisher information (K, K) of the sum of losses."""
    said = _log_true(odds, of, len(true))
    p, q = np.exp(said), _not_true(said)
    each = np.zeros((len(true), z.shape[1]))
    np.add.at(each, of, z / (1 + np.exp(odds))[:, None])  # of each log-probability (B, K)
    return -((true - p) / q) @ each, (each * (p / q)[:, None]).T @ each
