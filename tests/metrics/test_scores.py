"""Scores against hand values and against scikit-learn, and every value that cannot be scored."""

from __future__ import annotations

import doctest
from collections import Counter

import numpy as np
import pytest
from sklearn import metrics

from textcentric.errors import ConfigError, DataError
from textcentric.metrics import scores
from textcentric.metrics.scores import (
    HIGHER_IS_BETTER,
    SCORES,
    accuracy,
    constant_prediction,
    cut_scores,
    default_metric,
    fitting_metric,
    macro_f1,
    quadratic_kappa,
    quantile_cuts,
    r2,
    rmse,
    score,
    unseen_labels,
)

SEEDS = range(20)


def random_classes(seed: int, classes: int = 5) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(seed)
    true = rng.integers(classes, size=60)
    told = np.clip(true + rng.integers(-1, 2, size=60), 0, classes - 1)
    return true.tolist(), told.tolist()


def random_numbers(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.normal(1000.0, 2.0, size=50)
    return true, true + rng.normal(0.0, 1.5, size=50)


def test_the_examples_hold() -> None:
    assert doctest.testmod(scores).failed == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    true, told = random_classes(seed)
    theirs = metrics.cohen_kappa_score(true, told, weights="quadratic", labels=range(5))
    assert quadratic_kappa(true, told) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_class_scores_are_those_of_scikit_learn(seed: int) -> None:
    true, told = random_classes(seed)
    assert accuracy(true, told) == pytest.approx(metrics.accuracy_score(true, told))
    assert macro_f1(true, told) == pytest.approx(metrics.f1_score(true, told, average="macro"))


@pytest.mark.parametrize("seed", SEEDS)
def test_number_scores_are_those_of_scikit_learn(seed: int) -> None:
    true, told = random_numbers(seed)
    assert r2(true, told) == pytest.approx(metrics.r2_score(true, told))
    assert rmse(true, told) == pytest.approx(metrics.root_mean_squared_error(true, told))


def test_hand_values() -> None:
    assert quadratic_kappa([0, 1, 2], [0, 1, 1]) == pytest.approx(2 / 3)  # 1 - (1/3) / (9/9)
    assert quadratic_kappa([0, 4], [4, 0]) == -1.0
    assert accuracy(["a", "b", "b", "c"], ["a", "b", "c", "c"]) == 0.75
    assert macro_f1([0, 0, 1, 1], [0, 0, 0, 1]) == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0]) == 0.5
    assert rmse([0.0, 0.0], [3.0, 4.0]) == pytest.approx(12.5**0.5)


def test_kappa_does_not_change_with_a_class_that_no_row_has() -> None:
    assert quadratic_kappa([0, 4, 4], [0, 4, 0]) == quadratic_kappa([0, 1, 1], [0, 1, 0])
    assert quadratic_kappa([0, 1, 4], [1, 1, 4]) != quadratic_kappa([0, 1, 2], [1, 1, 2])


@pytest.mark.parametrize("constant", range(5))
def test_a_constant_has_no_kappa(constant: int) -> None:
    assert quadratic_kappa([0, 1, 2, 3, 4, 4], [constant] * 6) == pytest.approx(0.0, abs=1e-12)
    assert quadratic_kappa([constant] * 3, [constant] * 3) == 0.0
    assert quadratic_kappa([constant] * 3, [constant + 1] * 3) == 0.0


def test_targets_that_do_not_vary_have_an_r2_of_1_if_exact_and_0_if_not() -> None:
    assert r2([0.1, 0.1, 0.1], [0.1, 0.1, 0.1]) == 1.0
    assert r2([0.1, 0.1, 0.1], [0.1, 0.1, 0.2]) == 0.0


def test_the_mean_of_the_targets_has_an_r2_of_0() -> None:
    assert r2([1.0, 2.0, 6.0], [3.0, 3.0, 3.0]) == 0.0


def test_true_and_false_are_classes_too() -> None:
    assert accuracy([True, False], [1, 1]) == 0.5


def test_only_rmse_is_better_when_lower() -> None:
    assert {name for name, higher in HIGHER_IS_BETTER.items() if not higher} == {"rmse"}
    assert set(SCORES) == {"quadratic_kappa", "accuracy", "macro_f1", "r2", "rmse"}


def test_each_task_has_its_metric() -> None:
    tasks = ["ordinal", "classification", "regression"]
    assert [default_metric(task) for task in tasks] == ["quadratic_kappa", "accuracy", "r2"]
    with pytest.raises(ConfigError, match="did you mean 'ordinal'"):
        default_metric("ordinals")


def test_an_unknown_metric_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown metric 'kappa'; did you mean 'quadratic_kappa'"):
        score("kappa", [0], [0])


@pytest.mark.parametrize(
    ("name", "targets", "predictions", "message"),
    [
        ("accuracy", [], [], r"targets have shape \(0,\)"),
        ("accuracy", [0, 1], [0], "2 targets and 1 predictions"),
        ("accuracy", [0, 1], [[0], [1]], r"predictions have shape \(2, 1\)"),
        ("rmse", [0.0, 1.0], [0.0, float("nan")], "predictions: 1 of 2 .* is nan at 1"),
        ("rmse", [float("inf"), 1.0], [0.0, 0.0], "targets: 1 of 2 .* is inf at 0"),
        ("accuracy", [0, None], [0, 0], "targets: 1 of 2 .* is None at 1"),
        ("accuracy", ["a", float("nan")], ["a", "b"], "targets: 1 of 2 .* is nan at 1"),
        ("accuracy", ["a", "b"], [0, 1], "words on both sides or on none"),
        ("r2", ["a", "b"], ["a", "b"], "r2 got words such as 'a'"),
        ("quadratic_kappa", [0, 1], [0.2, 1.0], "cut real-valued scores into classes first"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    name: str, targets: list, predictions: list, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        score(name, targets, predictions)


def test_the_constant_fits_the_metric() -> None:
    assert constant_prediction([0, 2, 2, 4, 4, 4, 0], "quadratic_kappa") == 4
    assert constant_prediction(["cat", "dog", "dog"], "accuracy") == "dog"
    assert constant_prediction([1.0, 2.0, 6.0], "rmse") == 3.0
    assert constant_prediction([1, 0], "macro_f1") == 0  # equally frequent: the smallest
    with pytest.raises(DataError, match="expected numbers"):
        constant_prediction(["cat"], "rmse")


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "r2", "rmse"])
def test_no_other_constant_is_better(metric: str) -> None:
    true, _ = random_classes(seed=1)
    best = score(metric, true, [constant_prediction(true, metric)] * len(true))
    others = [score(metric, true, [other] * len(true)) for other in range(5)]
    assert best >= max(others) if HIGHER_IS_BETTER[metric] else best <= min(others)


def test_a_whole_number_stays_an_int() -> None:
    assert isinstance(constant_prediction([3, 3, 1], "accuracy"), int)


@pytest.mark.parametrize("seed", SEEDS)
def test_cuts_give_the_scores_the_shares_of_the_targets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets, values = rng.choice([0, 1, 3, 4], size=97), rng.normal(size=97)
    cut = cut_scores(values, quantile_cuts(values, targets), [0, 1, 3, 4])
    assert Counter(cut) == Counter(targets.tolist())


def test_cuts_of_rising_scores_give_back_rising_targets() -> None:
    targets = [0, 0, 0, 1, 2, 2]
    assert cut_scores(range(6), quantile_cuts(range(6), targets), [0, 1, 2]) == targets


def test_shares_carry_over_to_another_number_of_scores() -> None:
    assert quantile_cuts([1.0, 2.0, 3.0, 4.0], targets=[0, 1]).tolist() == [2.5]


def test_one_class_needs_no_cut() -> None:
    assert cut_scores([0.3, 9.0], quantile_cuts([0.3], [7]), [7]) == [7, 7]


def test_cuts_must_fit_the_classes() -> None:
    with pytest.raises(DataError, match="1 cuts for 3 classes"):
        cut_scores([0.1], [0.5], [0, 1, 2])
    with pytest.raises(DataError, match="scores are words such as 'a'"):
        quantile_cuts(["a"], [0])


def test_a_metric_that_does_not_fit_the_task_is_refused_with_those_that_do() -> None:
    assert fitting_metric(None, "ordinal") == "quadratic_kappa"
    assert fitting_metric("rmse", "regression") == "rmse"
    with pytest.raises(ConfigError, match="'rmse' does not fit the task ordinal, expected one of"):
        fitting_metric("rmse", "ordinal")
    with pytest.raises(ConfigError, match="unknown metric 'rsme'; did you mean 'rmse'"):
        fitting_metric("rsme", "regression")


def test_labels_that_were_not_learnt_are_counted_and_named() -> None:
    assert unseen_labels({"a": 0.0, "b": 1.0}, (0, 1)) == ""
    kinds = ["cat", "dog", "emu", "cat", "cat", "cat"]
    said = unseen_labels({f"r{at}": kind for at, kind in enumerate(kinds)}, ("dog",))
    assert said.startswith(
        "5 of 6 rows have a class that no training row has, cat ('r0', 'r3', 'r4' and 1 more), emu"
        " ('r2'): they"
    )
