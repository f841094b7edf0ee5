"""The bootstrap against a plain loop, and its coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from textcentric.errors import ConfigError, DataError
from textcentric.metrics.intervals import FEW, Estimate, Resampled, wilson
from textcentric.metrics.scores import SCORES, score

RNG = np.random.default_rng(5)
TARGETS = RNG.integers(4, size=40)
BY_SEED = [np.clip(TARGETS + RNG.integers(-1, 2, size=40), 0, 3) for _ in range(3)]
GROUPS = [None if n % 7 == 0 else f"g{n % 11}" for n in range(40)]


def slow_draws(metric: str, rows: list[list[int]]) -> np.ndarray:
    """Score each resample by indexing, one at a time: obvious and slow."""
    return np.array(
        [np.mean([score(metric, TARGETS[drawn], p[drawn]) for p in BY_SEED]) for drawn in rows]
    )


def slow_rows(units: list[list[int]], resamples: int, seed: int) -> list[list[int]]:
    """Return the rows of each resample: units (groups of rows) drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(len(units), size=(resamples, len(units)))
    return [[row for unit in draw for row in units[unit]] for draw in drawn]


@pytest.mark.parametrize("metric", SCORES)
def test_the_matrix_product_is_the_plain_loop(metric: str) -> None:
    estimate = Resampled(40, resamples=50, seed=3).estimate(metric, TARGETS, BY_SEED)
    slow = slow_draws(metric, slow_rows([[n] for n in range(40)], 50, seed=3))
    assert estimate.draws == pytest.approx(slow, abs=1e-10)
    assert estimate.value == pytest.approx(np.mean([score(metric, TARGETS, p) for p in BY_SEED]))


@pytest.mark.parametrize("metric", SCORES)
def test_with_groups_whole_groups_are_drawn(metric: str) -> None:
    names = [f"row {n}" if group is None else group for n, group in enumerate(GROUPS)]
    units = [[n for n in range(40) if names[n] == name] for name in dict.fromkeys(names)]
    drawn = Resampled(40, groups=GROUPS, resamples=50, seed=4)
    slow = slow_draws(metric, slow_rows(units, 50, seed=4))
    assert drawn.estimate(metric, TARGETS, BY_SEED).draws == pytest.approx(slow, abs=1e-10)


def test_repeated_rows_of_one_group_add_no_certainty() -> None:
    rng = np.random.default_rng(0)
    true, told = rng.normal(size=50), rng.normal(size=50)
    once = Resampled(50, resamples=200).estimate("rmse", true, [told])
    groups = [str(n) for n in range(50) for _ in range(4)]
    grouped = Resampled(200, groups=groups, resamples=200)
    alone = Resampled(200, resamples=200).estimate("rmse", true.repeat(4), [told.repeat(4)])
    assert grouped.estimate("rmse", true.repeat(4), [told.repeat(4)]).draws == pytest.approx(
        once.draws
    )
    assert alone.standard_error == pytest.approx(once.standard_error / 2, rel=0.2)


def test_rows_without_a_group_are_drawn_as_if_there_were_no_groups() -> None:
    alone = Resampled(40, groups=[None] * 40, resamples=20).estimate("rmse", TARGETS, BY_SEED)
    assert (
        alone.draws.tolist()
        == Resampled(40, resamples=20).estimate("rmse", TARGETS, BY_SEED).draws.tolist()
    )


def test_the_interval_holds_the_truth_about_95_times_in_100() -> None:
    held = 0
    for trial in range(300):
        true = np.random.default_rng(trial).normal(size=120)
        drawn = Resampled(120, resamples=300, seed=trial)
        low, high = drawn.estimate("rmse", true, [np.zeros(120)]).interval
        held += low <= 1.0 <= high
    assert 0.91 <= held / 300 <= 0.98


def test_the_same_predictions_differ_by_exactly_0() -> None:
    drawn = Resampled(40)
    same = drawn.estimate("r2", TARGETS, BY_SEED) - drawn.estimate("r2", TARGETS, BY_SEED)
    assert (same.value, same.interval, same.p_positive) == (0.0, (0.0, 0.0), 0.5)


def test_a_paired_difference_is_surer_than_an_unpaired_one() -> None:
    first = Resampled(40, seed=0).estimate("r2", TARGETS, BY_SEED[:1])
    second = Resampled(40, seed=0).estimate("r2", TARGETS, [np.where(BY_SEED[0] > 1, 2, 1)])
    stranger = Resampled(40, seed=1).estimate("r2", TARGETS, [np.where(BY_SEED[0] > 1, 2, 1)])
    assert (first - second).standard_error < (first - stranger).standard_error


@pytest.mark.parametrize("metric", SCORES)
def test_fewer_rows_are_scored_on_the_same_draws(metric: str) -> None:
    few = [n for n in range(40) if n % 5]
    found = Resampled(40, groups=GROUPS, resamples=50).among(few)
    estimate = found.estimate(metric, TARGETS[few], [p[few] for p in BY_SEED])
    names = [f"row {n}" if group is None else group for n, group in enumerate(GROUPS)]
    units = [[n for n in range(40) if names[n] == name] for name in dict.fromkeys(names)]
    drawn = [[row for row in rows if row % 5] for rows in slow_rows(units, 50, seed=0)]
    assert estimate.draws == pytest.approx(slow_draws(metric, drawn), abs=1e-10)


@pytest.mark.parametrize("metric", SCORES)
def test_a_resample_that_holds_none_of_the_rows_counts_for_nothing(metric: str) -> None:
    estimate = Resampled(40, resamples=200).among([3]).estimate(metric, TARGETS[3:4], [[0]])
    empty = np.isnan(estimate.draws)
    assert 0.2 < empty.mean() < 0.55  # (1 - 1/40)^40 = 0.36
    assert estimate.interval == (estimate.value, estimate.value)
    assert (estimate - estimate).p_positive == 0.5


def test_figures_of_an_estimate() -> None:
    estimate = Estimate(0.5, np.arange(-1.0, 100.0))  # -1, 0, 1, ... 99
    assert estimate.interval == (1.5, 96.5)
    assert estimate.p_positive == pytest.approx(99.5 / 101)
    assert estimate.standard_error == pytest.approx(np.arange(101).std(ddof=1))


def test_what_cannot_be_resampled_is_refused() -> None:
    drawn = Resampled(3, resamples=2)
    flat: Any = [0, 1, 1]
    with pytest.raises(DataError, match="2 groups for 3 rows"):
        Resampled(3, groups=["a", "b"])
    with pytest.raises(ConfigError, match="1 resamples of 3 rows"):
        Resampled(3, resamples=1)
    with pytest.raises(DataError, match="2 predictions, but 3 rows were drawn"):
        drawn.estimate("accuracy", [0, 1], [[0, 1]])
    with pytest.raises(DataError, match="one list of predictions a seed"):
        drawn.estimate("accuracy", [0, 1, 1], flat)
    with pytest.raises(DataError, match="no row is left"):
        drawn.among([])
    with pytest.raises(DataError, match="2 and 3 resamples cannot be paired"):
        Estimate(0, np.zeros(2)) - Estimate(0, np.zeros(3))


def test_a_share_of_few_rows_has_a_width_where_all_are_alike() -> None:
    assert wilson(0, 3) == pytest.approx((0.0, 0.5615), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)  # Wilson's formula by hand


def test_a_share_is_the_mean_with_an_interval_that_never_closes() -> None:
    drawn = Resampled(6, groups=["a", "a", "b", "b", "c", "c"])
    some = [1, 1, 0, 0.5, 0, 1]
    assert drawn.share(some) == drawn.mean(some).figure()
    for value in (0, 1):
        figure = drawn.share([value] * 6)
        assert figure == {"value": value, "interval": list(wilson(3 * value, 3))}  # three groups
        assert figure["interval"][1] - figure["interval"][0] > 0.5


def test_what_is_drawn_is_counted_in_groups_where_there_are_any() -> None:
    assert Resampled(5).units == 5
    drawn = Resampled(5, groups=["a", "a", "b", None, None])
    assert (drawn.units, drawn.among([0, 1, 3]).units) == (4, 2)


def test_an_accuracy_of_few_rows_is_in_its_interval_too_rarely() -> None:
    """What `FEW` stands on: 95 % intervals of an accuracy of 0.9, on 10 rows and on 30."""
    rng, held = np.random.default_rng(0), {}
    for rows in (10, FEW):
        drawn, times = Resampled(rows, resamples=400), 0
        for _ in range(400):
            right = rng.random(rows) < 0.9
            low, high = drawn.mean(right).interval
            times += low <= 0.9 <= high
        held[rows] = times / 400
    assert held[10] < 0.75
    assert held[FEW] > 0.9
