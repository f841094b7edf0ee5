"""Weights near the shipped ones: against the definition, term by term, and a general optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from textcentric.reading import fitting
from textcentric.reading.fitting import Pairs, correction, fitted, gain, held_out, log_odds, loss

SHIPPED = np.array([-3.0, 1.0, 0.5])  # of two parts, and the intercept


def drawn(count: int, truth: np.ndarray, seed: int = 0) -> Pairs:
    """Return variants of one to three edits, true by chance as `truth` says."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(count), rng.integers(1, 4, count))
    x = np.column_stack([rng.beta(1, 3, len(of)), rng.normal(5, 2, len(of))])
    odds = log_odds(truth, x)
    each = 1 / (1 + np.exp(-odds))
    true = np.array([rng.random() < np.prod(each[of == v]) for v in range(count)])
    return Pairs(x, of, true, np.arange(count) // 3, np.ones(count))


def slow_loss(weights: np.ndarray, pairs: Pairs) -> float:
    """Return the sum of losses as the definition has it."""
    total = 0.0
    for variant, true in enumerate(pairs.true):
        p = 1.0
        for part, of in zip(pairs.x, pairs.of, strict=True):
            if of == variant:
                p *= 1 / (1 + math.exp(-(part @ weights[:-1] + weights[-1])))
        total -= math.log(p if true else 1 - p)
    return total


def test_the_loss_is_that_of_the_definition() -> None:
    pairs = drawn(30, SHIPPED)
    assert loss(log_odds(SHIPPED, pairs.x), pairs) == pytest.approx(slow_loss(SHIPPED, pairs) / 30)


def test_the_fit_is_the_least_cost_that_a_general_optimiser_finds() -> None:
    pairs = drawn(60, np.array([-6.0, 0.2, 2.0]))
    mean, spread = pairs.x.mean(axis=0), pairs.x.std(axis=0)

    def cost(u: np.ndarray) -> float:
        odds_at_mean = u[2] - u[:2] @ (mean / spread)
        weights = SHIPPED + np.array([*(u[:2] / spread), odds_at_mean])
        return slow_loss(weights, pairs) + fitting.PENALTY / 2 * float(u @ u)

    best = minimize(cost, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    u = best.x
    expected = SHIPPED + np.array([*(u[:2] / spread), u[2] - u[:2] @ (mean / spread)])
    assert fitted(pairs, SHIPPED) == pytest.approx(expected, abs=1e-3)


def test_variants_of_one_edit_are_fitted_as_scikit_learn_fits_them() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3))
    x -= x.mean(axis=0)
    true = rng.random(200) < 1 / (1 + np.exp(-x @ [2.0, -1.0, 0.0]))
    z = np.column_stack([x, np.ones(200)])
    ours = correction(z, np.zeros(200), np.arange(200), true)
    theirs = LogisticRegression(C=1 / fitting.PENALTY, fit_intercept=False, tol=1e-10).fit(z, true)
    assert ours == pytest.approx(theirs.coef_[0], abs=1e-4)


def test_a_dear_correction_stays_at_the_shipped_weights() -> None:
    pairs = drawn(60, np.array([-6.0, 0.2, 2.0]))
    z = np.column_stack([pairs.x, np.ones(len(pairs.x))])
    held = correction(z, log_odds(SHIPPED, pairs.x), pairs.of, pairs.true, penalty=1e9)
    assert np.abs(held).max() < 1e-5


def test_many_pairs_find_the_weights_they_were_drawn_by() -> None:
    truth = np.array([-6.0, 0.2, 2.0])
    found = fitted(drawn(6000, truth), SHIPPED)
    assert found == pytest.approx(truth, abs=0.6)


def test_a_part_that_never_varies_keeps_its_weight() -> None:
    pairs = drawn(60, SHIPPED)
    pairs.x[:, 1] = 4.0
    found = fitted(pairs, SHIPPED)
    assert found[1] == SHIPPED[1]
    assert np.isfinite(found).all()


def test_what_is_held_out_was_never_seen() -> None:
    pairs = drawn(60, np.array([-6.0, 0.2, 2.0]))
    odds, folds = held_out(pairs, SHIPPED), pairs.folds()
    assert len(set(folds)) == fitting.FOLDS
    for source in range(20):
        assert len(set(folds[pairs.source == source])) == 1
    rest = folds != folds[0]
    expected = log_odds(fitted(pairs.at(rest), SHIPPED), pairs.x[pairs.of == 0])
    assert odds[pairs.of == 0] == pytest.approx(expected)


def test_the_gain_is_a_mean_over_variants_with_the_spread_of_their_sources() -> None:
    pairs = drawn(12, SHIPPED)
    own, shipped = log_odds(np.array([-6.0, 0.2, 2.0]), pairs.x), log_odds(SHIPPED, pairs.x)
    less = [
        loss(shipped[pairs.of == v], one) - loss(own[pairs.of == v], one)
        for v in range(12)
        for one in [pairs.at(np.arange(12) == v)]
    ]
    mean = sum(less) / 12
    sums = [sum(less[v] - mean for v in range(12) if pairs.source[v] == s) for s in range(4)]
    assert gain(own, shipped, pairs) == pytest.approx(
        (mean, math.sqrt(sum(one**2 for one in sums)) / 12)
    )


def test_weights_that_fit_already_are_seldom_beaten_and_wrong_ones_always() -> None:
    def taken(truth: np.ndarray) -> int:
        drawings = [drawn(300, truth, seed) for seed in range(10)]
        gains = [gain(held_out(p, SHIPPED), log_odds(SHIPPED, p.x), p) for p in drawings]
        return sum(mean > error for mean, error in gains)

    assert taken(SHIPPED) <= 2
    assert taken(np.array([-6.0, 0.2, 2.0])) == 10


def test_chosen_variants_keep_their_edits() -> None:
    pairs = drawn(10, SHIPPED)
    chosen = np.arange(10) % 2 == 0
    half = pairs.at(chosen)
    for new, old in enumerate(np.flatnonzero(chosen)):
        assert (half.x[half.of == new] == pairs.x[pairs.of == old]).all()
    assert (half.true == pairs.true[chosen]).all()
