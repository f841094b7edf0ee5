"""The figures of a robustness curve, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from textcentric.errors import DataError
from textcentric.metrics.drop_ratio import (
    area,
    area_estimate,
    drop_estimate,
    drop_ratio,
    smallest_detectable,
    why_undefined,
)
from textcentric.metrics.intervals import Estimate, Resampled


def test_drop_ratios_by_hand() -> None:
    assert drop_ratio(0.4, 0.3, True, constant=0.0) == pytest.approx(0.25)
    assert drop_ratio(0.4, 0.5, True, constant=0.0) == pytest.approx(-0.25)  # it helped
    assert drop_ratio(2.0, 3.0, False, constant=4.0) == pytest.approx(0.5)
    assert drop_ratio(2.0, 1.0, False, constant=4.0) == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("clean", "higher", "constant", "why"),
    [
        (0.05, True, 0.0, "not better than the constant prediction's 0.000 by more than 0.05"),
        (0.3, True, 0.33, "not better"),  # worse than the constant
        (0.98, False, 1.0, "not better"),
        (1.2, False, 1.0, "not better"),
        (95.1, False, 100.0, "100.000 by more than 5 %"),  # an error, in whatever unit
        (-0.1, True, -0.3, "too near 0"),
        (0.04, True, -0.3, "too near 0"),
        (0.0, False, 1.0, "too near 0"),
    ],
)
def test_near_the_constant_there_is_no_drop_ratio(
    clean: float, higher: bool, constant: float, why: str
) -> None:
    assert why in why_undefined(clean, higher, constant)
    assert drop_ratio(clean, 0.1, higher, constant) is None


def test_just_beyond_the_constant_there_is_a_drop_ratio() -> None:
    assert why_undefined(0.06, True, 0.0) == ""
    assert drop_ratio(0.06, 0.03, True, 0.0) == pytest.approx(0.5)


def estimate(value: float, draws: np.ndarray | None = None) -> Estimate:
    return Estimate(value, np.full(100, value) if draws is None else draws)


def test_the_drop_ratio_has_a_paired_interval() -> None:
    clean = estimate(0.4, np.linspace(0.2, 0.8, 100))
    half = Estimate(0.2, clean.draws / 2)
    found = drop_estimate(clean, half, True, estimate(0.0))
    assert (found.value, found.interval) == (pytest.approx(0.5), pytest.approx((0.5, 0.5)))
    assert (found.left_out, found.why) == (0, "")
    error = drop_estimate(half, clean, False, estimate(1.0))
    assert (error.value, error.interval) == (pytest.approx(1.0), pytest.approx((1.0, 1.0)))


@pytest.mark.parametrize("tiny", [0.0, 1e-17, -0.3, 0.05])
def test_resamples_without_a_ratio_are_left_out_and_counted(tiny: float) -> None:
    clean = estimate(0.4, np.array([tiny] * 5 + [0.4] * 95))
    found = drop_estimate(clean, estimate(0.2), True, estimate(0.0))
    assert (found.interval, found.left_out) == (pytest.approx((0.5, 0.5)), 5)


def test_the_constant_of_each_resample_is_its_own() -> None:
    constant = estimate(0.0, np.array([0.38] * 3 + [0.0] * 97))
    assert drop_estimate(estimate(0.4), estimate(0.2), True, constant).left_out == 3


def test_resamples_without_any_of_the_rows_are_not_counted_as_left_out() -> None:
    clean = estimate(0.4, np.array([np.nan] * 40 + [0.4] * 60))
    found = drop_estimate(clean, estimate(0.2), True, estimate(0.0))
    assert (found.interval, found.left_out) == (pytest.approx((0.5, 0.5)), 0)


def test_where_too_many_resamples_lack_a_ratio_there_is_none() -> None:
    clean = estimate(0.4, np.array([1e-17] * 6 + [0.4] * 94))
    found = drop_estimate(clean, estimate(0.2), True, estimate(0.0))
    assert (found.value, found.interval, found.left_out) == (None, None, 6)
    assert "in 6 of 100 resamples the clean score is not better" in found.why
    near = drop_estimate(estimate(0.01), estimate(0.0), True, estimate(0.0))
    assert (near.value, near.interval) == (None, None)
    assert near.why == why_undefined(0.01, True, 0.0)


def test_areas_by_hand() -> None:
    assert area([0.0, 0.9], [1.0, 1.0]) == pytest.approx(0.9)  # divided by nothing
    assert area([0.0, 0.5, 1.0], [1.0, 0.5, 0.0]) == pytest.approx(0.5)
    assert area([0.0, 0.1, 1.0], [1.0, 0.0, 0.0]) == pytest.approx(0.05)  # levels need not be even


def test_the_area_of_each_resample_is_its_own() -> None:
    curve = [Estimate(1.0, np.array([1.0, 2.0])), Estimate(0.0, np.array([0.0, 2.0]))]
    estimate = area_estimate([0.0, 0.5], curve)
    assert estimate.value == 0.25
    assert estimate.draws.tolist() == [0.25, 1.0]


def test_an_area_over_its_width_is_the_mean_score() -> None:
    curve = [estimate(1.0), estimate(0.5), estimate(0.0)]
    assert area_estimate([0.0, 0.35, 0.7], curve).mean == pytest.approx(0.5)


def test_areas_over_other_levels_are_not_compared() -> None:
    flat = [estimate(1.0), estimate(1.0)]
    wide, narrow = area_estimate([0.0, 0.7], flat), area_estimate([0.0, 0.5], flat)
    assert (wide - area_estimate([0, 0.7], flat)).levels == (0.0, 0.7)
    for other in (narrow, estimate(0.3)):
        with pytest.raises(DataError, match=r"over the levels 0, 0.7 cannot be compared with"):
            wide - other


@pytest.mark.parametrize("levels", [[0.0], [0.5, 0.1], [0.1, 0.1]])
def test_levels_must_rise(levels: list[float]) -> None:
    with pytest.raises(DataError, match="expected two or more rising levels"):
        area(levels, [1.0] * len(levels))


def test_each_level_needs_a_score() -> None:
    with pytest.raises(DataError, match="2 levels and 1 scores"):
        area([0.0, 1.0], [1.0])


def test_the_smallest_detectable_difference_is_found_80_times_in_100() -> None:
    rng, found, trials, rows = np.random.default_rng(0), 0, 300, 200
    effect = (1.96 + 0.84) * (0.5 / rows) ** 0.5  # accuracies 0.75 + and -, half of rows differ
    for trial in range(trials):
        changed = rng.choice([1, -1, 0], p=[0.25 + effect / 2, 0.25 - effect / 2, 0.5], size=rows)
        drawn = Resampled(rows, resamples=200, seed=trial)
        ours = drawn.estimate("accuracy", np.zeros(rows), [np.where(changed == -1, 1, 0)])
        theirs = drawn.estimate("accuracy", np.zeros(rows), [np.where(changed == 1, 1, 0)])
        found += (ours - theirs).interval[0] > 0
    assert smallest_detectable(ours - theirs) == pytest.approx(effect, rel=0.2)
    assert 0.73 <= found / trials <= 0.87


def test_the_smallest_detectable_difference_is_2_8_standard_errors() -> None:
    estimate = Estimate(0.5, np.arange(-1.0, 100.0))
    assert smallest_detectable(estimate) == pytest.approx(2.8 * estimate.standard_error)
