"""Scores of predictions: each is made of a few means over rows, and of nothing else.

That is why resampling rows is cheap: the means of all resamples are one matrix product
(`textcentric.metrics.intervals`), and the same formula turns them into scores.
Legend: N rows, S statistics of a row, R resamples, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np

from textcentric.errors import ConfigError, DataError, check_known
from textcentric.rows import Target

Values = Sequence[Any] | np.ndarray
Kind = Literal["classes", "ordered classes", "numbers"]
SHOWN = 3  # ids of rows in a message
_TINY = 1e-12  # a spread below this share of the mean square is rounding, not spread


@dataclass(frozen=True, slots=True)
class Score:
    """A score as a function: `accuracy([0, 1], [0, 0])` is 0.5.

    `rows` makes the statistics (N, S) of targets (N,) and predictions (N,); `value` turns means
    of them (R, S) into scores (R,).
    """

    name: str
    kind: Kind
    rows: Callable[[np.ndarray, np.ndarray], np.ndarray]
    value: Callable[[np.ndarray], np.ndarray]
    higher_is_better: bool = True

    def __call__(self, targets: Values, predictions: Values) -> float:
        """Return the score of `predictions`; raise DataError where they cannot be scored."""
        means = self.statistics(targets, predictions).mean(axis=0, keepdims=True)  # (1, S)
        return float(self.value(means)[0])

    def statistics(self, targets: Values, predictions: Values) -> np.ndarray:
        """Return the statistics of each row (N, S), after checking both sides."""
        true, told = _checked("targets", targets), _checked("predictions", predictions)
        if len(true) != len(told):
            raise DataError(
                f"{len(true)} targets and {len(told)} predictions; expected one prediction a row"
            )
        self._refuse_other_kinds(true, told)
        return self.rows(true, told)

    def _refuse_other_kinds(self, true: np.ndarray, told: np.ndarray) -> None:
        words = [values.dtype.kind == "U" for values in (true, told)]
        if any(words) and (self.kind != "classes" or not all(words)):
            expected = "words on both sides or on none" if self.kind == "classes" else "numbers"
            raise DataError(f"{self.name} got {_example(true)} and {_example(told)}: {expected}")
        if self.kind == "ordered classes" and ((true % 1).any() or (told % 1).any()):
            raise DataError(
                f"{self.name} compares classes and got {_example(true)} and {_example(told)};"
                " cut real-valued scores into classes first (`quantile_cuts`, `cut_scores`)"
            )


def _agreement(true: np.ndarray, told: np.ndarray) -> np.ndarray:
    return np.stack([(true - told) ** 2, true, told, true**2, told**2], axis=1)  # (N, 5)


def _kappa(means: np.ndarray) -> np.ndarray:
    """Return Cohen's weighted kappa with quadratic weights (Cohen 1968, Psych. Bull. 70:213).

    1 - E[(t - p)^2] / E[(t - p')^2], where t and p' are drawn apart. Classes are their numbers,
    so a class that no row has changes nothing. Where every target and prediction is one same
    class the score is 0, as for any other constant prediction.
    """
    disagreement, true, told, true2, told2 = means.T
    expected = true2 + told2 - 2 * true * told  # of pairs drawn apart
    flat = expected <= _TINY * (true2 + told2)
    kappa: np.ndarray = np.where(flat, 0.0, 1 - disagreement / np.where(flat, 1.0, expected))
    return kappa


def _hits(true: np.ndarray, told: np.ndarray) -> np.ndarray:
    hits: np.ndarray = (true == told).astype(float)[:, None]  # (N, 1)
    return hits


def _class_counts(true: np.ndarray, told: np.ndarray) -> np.ndarray:
    classes = np.unique(np.concatenate([true, told]))  # (C,)
    is_true, is_told = true[:, None] == classes, told[:, None] == classes  # (N, C)
    counts: np.ndarray = np.concatenate([is_true & is_told, is_true, is_told], axis=1)  # (N, 3C)
    return counts.astype(float)


def _macro_f1(means: np.ndarray) -> np.ndarray:
    """Return the mean of 2 hits / (true + told) over the classes that rows or predictions have."""
    hits, true, told = np.split(means, 3, axis=1)  # (R, C) each
    seen = true + told > 0
    f1 = 2 * hits / np.where(seen, true + told, 1.0)
    mean: np.ndarray = f1.sum(axis=1) / seen.sum(axis=1)
    return mean


def _squares(true: np.ndarray, told: np.ndarray) -> np.ndarray:
    squares: np.ndarray = ((true - told) ** 2)[:, None]  # (N, 1)
    return squares


def _spread(true: np.ndarray, told: np.ndarray) -> np.ndarray:
    centred = true - true.mean()  # so that the variance loses no digits
    return np.stack([(true - told) ** 2, centred, centred**2], axis=1)  # (N, 3)


def _r2(means: np.ndarray) -> np.ndarray:
    """Return 1 - squared error / variance; where the targets do not vary 1 if exact, else 0."""
    error, mean, square = means.T
    variance = square - mean**2
    flat = variance <= _TINY * square
    return np.where(flat, error == 0, 1 - error / np.where(flat, 1.0, variance))


quadratic_kappa = Score("quadratic_kappa", "ordered classes", _agreement, _kappa)
accuracy = Score("accuracy", "classes", _hits, lambda means: means[:, 0])
macro_f1 = Score("macro_f1", "classes", _class_counts, _macro_f1)
r2 = Score("r2", "numbers", _spread, _r2)
rmse = Score("rmse", "numbers", _squares, lambda means: np.sqrt(means[:, 0]), False)
SCORES = {f.name: f for f in (quadratic_kappa, accuracy, macro_f1, r2, rmse)}
HIGHER_IS_BETTER = {name: f.higher_is_better for name, f in SCORES.items()}
# The metrics that fit a task, its own first. R2 for regression, not RMSE: a distance of 0.05 from
# the constant says the same on any scale.
METRICS = {
    "classification": ("accuracy", "macro_f1"),
    "ordinal": ("quadratic_kappa", "accuracy", "macro_f1"),
    "regression": ("r2", "rmse"),
}


def find_score(name: str) -> Score:
    """Return the score called `name`; raise ConfigError if there is none."""
    check_known("metric", name, SCORES)
    return SCORES[name]


def score(name: str, targets: Values, predictions: Values) -> float:
    """Return the score `name`; raise ConfigError for its name, DataError for its values.

    >>> score("quadratic_kappa", [0, 1, 2], [0, 1, 1])
    0.6666666666666667
    """
    return find_score(name)(targets, predictions)


def default_metric(task: str) -> str:
    """Return the metric that `task` (ordinal, classification, regression) is judged by."""
    check_known("task", task, METRICS)
    return METRICS[task][0]


def fitting_metric(metric: str | None, task: str) -> str:
    """Return `metric`, or the task's own; raises ConfigError for one that does not fit the task.

    >>> fitting_metric(None, "regression")
    'r2'
    """
    check_known("task", task, METRICS)
    own, *_ = fitting = METRICS[task]
    check_known("metric", metric or own, SCORES)
    if metric not in (None, *fitting):
        raise ConfigError(
            f"metric {metric!r} does not fit the task {task}, expected one of"
            f" {', '.join(fitting)}; leave it out for {own}"
        )
    return metric or own


def unseen_labels(targets: Mapping[str, Target], learnt: Collection[Target]) -> str:
    """Say which rows are of classes that were not learnt, "" where none is.

    >>> unseen_labels({"a": 0, "b": 4, "c": 1}, learnt={0, 1})
    "1 of 3 rows has a class that no training row has, 4 ('b'): it cannot be predicted rightly"
    """
    rows: dict[str, list[str]] = {}
    for row_id, target in targets.items():
        if target not in learnt:
            rows.setdefault(str(target), []).append(row_id)
    strange = sum(map(len, rows.values()))
    if not strange:
        return ""
    one, classes = strange == 1, ", ".join(f"{name} ({_first(ids)})" for name, ids in rows.items())
    return (
        f"{strange} of {len(targets)} rows {'has' if one else 'have'} a class that no training row"
        f" has, {classes}: {'it cannot' if one else 'they cannot'} be predicted rightly"
    )


def _first(ids: Sequence[str]) -> str:
    """Return the first three of ids, and how many more there are."""
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return ", ".join(map(repr, ids[:SHOWN])) + more


def constant_prediction(train_targets: Values, metric: str) -> Target:
    """Return the best constant: the mean for numbers, else the most frequent class.

    No constant has a kappa other than 0, so the one is taken that is best by accuracy and
    macro-F1 too. Of classes that are equally frequent the smallest is taken.
    """
    kind = find_score(metric).kind
    values = (_checked if kind == "classes" else _numbers)("training targets", train_targets)
    if kind == "numbers":
        return float(values.mean())
    classes, counts = np.unique(values, return_counts=True)
    return _plain(classes[counts.argmax()])


def quantile_cuts(scores: Values, targets: Values) -> np.ndarray:
    """Return the C - 1 cuts that give `scores` the class shares of `targets`.

    Give scores of rows that were not trained on: those of training rows lie too far apart.
    Each cut lies halfway between the two scores that it separates.

    >>> quantile_cuts([0.1, 0.9, 0.3, 0.2], targets=[0, 0, 2, 1]).tolist()
    [0.25, 0.6]
    """
    ranked = np.sort(_numbers("scores", scores))
    counts = np.unique(_checked("targets", targets), return_counts=True)[1]
    shares = np.cumsum(counts)[:-1] / counts.sum()
    below = np.rint(shares * len(ranked)).astype(int)  # scores under each cut
    lower, upper = np.maximum(below - 1, 0), np.minimum(below, len(ranked) - 1)
    cuts: np.ndarray = (ranked[lower] + ranked[upper]) / 2
    return cuts


def cut_scores(scores: Values, cuts: Values, classes: Sequence[Target]) -> list[Target]:
    """Return the class (of C, in order) of each score, by C - 1 rising cuts.

    >>> cut_scores([0.1, 0.25, 0.9], cuts=[0.25, 0.6], classes=[0, 1, 2])
    [0, 1, 2]
    """
    if len(cuts) != len(classes) - 1:
        raise DataError(f"{len(cuts)} cuts for {len(classes)} classes, expected one cut fewer")
    places = np.searchsorted(np.asarray(cuts, float), _numbers("scores", scores), side="right")
    return [classes[place] for place in places]


def _checked(what: str, values: Values) -> np.ndarray:
    """Return `values` as floats or words (N,); raise DataError where one is none of these."""
    array = np.asarray(values)
    if array.ndim != 1 or len(array) == 0:
        raise DataError(f"{what} have shape {array.shape}, expected one value a row, and a row")
    if array.dtype.kind == "U":
        _refuse(what, values, [not isinstance(value, str) for value in values])
        return array
    _refuse(what, values, [not isinstance(value, Real) for value in array.tolist()])
    array = array.astype(float)
    _refuse(what, values, ~np.isfinite(array))
    return array


def _numbers(what: str, values: Values) -> np.ndarray:
    array = _checked(what, values)
    if array.dtype.kind == "U":
        raise DataError(f"{what} are {_example(array)}, expected numbers")
    return array


def _refuse(what: str, values: Values, wrong: Sequence[bool] | np.ndarray) -> None:
    if any(wrong):
        first = list(wrong).index(True)
        raise DataError(
            f"{what}: {sum(wrong)} of {len(values)} cannot be scored, the first is"
            f" {values[first]!r} at {first}; expected only finite numbers, or only words"
        )


def _example(values: np.ndarray) -> str:
    return f"{'words' if values.dtype.kind == 'U' else 'numbers'} such as {_plain(values[0])!r}"


def _plain(value: np.generic) -> Target:
    """Return a Python value, a whole number as an int."""
    plain: Target = value.item()
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain
