"""Beside the best constant prediction: a model that is no better has learnt nothing of use."""

from __future__ import annotations

from collections.abc import Mapping

from textcentric.metrics.scores import HIGHER_IS_BETTER

CONSTANT = "constant_"  # before the name of a metric: that of the constant on the same rows


def of_model(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of the model alone."""
    return {name: value for name, value in metrics.items() if not name.startswith(CONSTANT)}


def of_constant(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of the best constant prediction, {} where they were not taken."""
    of = {name: value for name, value in metrics.items() if name.startswith(CONSTANT)}
    return {name.removeprefix(CONSTANT): value for name, value in of.items()}


def no_better(metrics: Mapping[str, float], metric: str | None = None) -> str:
    """Say so where a model is no better than the constant, "" where it is or nobody can say.

    `metric` is what the best weights were chosen by; without it the first one of the task decides.

    >>> no_better({"accuracy": 0.3, "constant_accuracy": 0.4})
    'No better than the best constant prediction: accuracy 0.3000, that of the constant 0.4000'
    >>> no_better({"rmse": 0.3, "constant_rmse": 0.4})
    ''
    """
    constant = of_constant(metrics)
    names = [name for name in constant if name in metrics]
    if not names:
        return ""
    name = metric if metric in names else names[0]
    value, beside = metrics[name], constant[name]
    if (value > beside) if HIGHER_IS_BETTER[name] else (value < beside):
        return ""
    return (
        f"No better than the best constant prediction: {name.replace('_', ' ')} {value:.4f}, that"
        f" of the constant {beside:.4f}"
    )
