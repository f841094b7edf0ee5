"""A model beside the best constant prediction, by metrics of which more or less is better."""

from __future__ import annotations

import pytest

from textcentric.training.constant import no_better, of_constant, of_model

CLASSES = {"loss": 1.0, "accuracy": 0.5, "macro_f1": 0.5}
CONSTANT = {"constant_accuracy": 0.4, "constant_macro_f1": 0.6}


def test_metrics_of_the_model_and_of_the_constant_are_told_apart() -> None:
    assert of_model(CLASSES | CONSTANT) == CLASSES
    assert of_constant(CLASSES | CONSTANT) == {"accuracy": 0.4, "macro_f1": 0.6}
    assert of_constant(CLASSES) == {}


@pytest.mark.parametrize("metric", [None, "accuracy", "loss"])
def test_the_first_metric_of_the_task_decides_where_none_was_chosen(metric: str | None) -> None:
    assert no_better(CLASSES | CONSTANT, metric) == ""
    assert "accuracy 0.5000" in no_better({**CLASSES, "constant_accuracy": 0.5}, metric)


def test_the_metric_that_was_chosen_decides() -> None:
    told = no_better(CLASSES | CONSTANT, "macro_f1")
    assert told == (
        "No better than the best constant prediction: macro f1 0.5000, that of the constant 0.6000"
    )


def test_of_an_error_less_is_better() -> None:
    assert no_better({"rmse": 0.6, "constant_rmse": 0.5}) != ""
    assert no_better({"rmse": 0.4, "constant_rmse": 0.5}) == ""


def test_without_metrics_of_both_nothing_is_said() -> None:
    assert no_better({}) == no_better(CLASSES) == no_better(CONSTANT) == ""
