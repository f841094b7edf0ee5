"""The figures of a robustness curve: the drop ratio, the area, the smallest detectable difference.

Each is a figure of scores, or of their estimates, whose interval `textcentric.metrics.intervals`
gives. Legend: L levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textcentric.errors import DataError
from textcentric.metrics.intervals import Estimate
from textcentric.metrics.scores import Values

NEAR_CONSTANT = 0.05  # a clean score this close to the constant's has no drop ratio
_DETECT = 1.96 + 0.84  # two-sided 5 %, power 80 %


def why_undefined(clean: float, higher_is_better: bool, constant: float) -> str:
    """Say why a drop ratio means nothing here; empty where it is defined.

    A model near chance loses little and is useless, so the clean score must beat the constant
    prediction's by more than 0.05; a score that is not positive cannot be divided by.
    """
    gain = clean - constant if higher_is_better else constant - clean
    if gain <= NEAR_CONSTANT:
        return (
            f"the clean score {clean:.3f} is not better than the constant prediction's"
            f" {constant:.3f} by more than {NEAR_CONSTANT}"
        )
    return "" if clean > 0 else f"the clean score {clean:.3f} is not above 0"


def drop_ratio(
    clean: float, corrupted: float, higher_is_better: bool, constant: float
) -> float | None:
    """Return the share of the clean score that is lost, None where `why_undefined` says so.

    Negative where the corruption helped. For a metric that is better when lower it is the
    share by which the error grew.
    """
    if why_undefined(clean, higher_is_better, constant):
        return None
    return (clean - corrupted if higher_is_better else corrupted - clean) / clean


def drop_interval(
    clean: Estimate, corrupted: Estimate, higher_is_better: bool, constant: float
) -> tuple[float, float] | None:
    """Return the 95 % interval of the drop ratio, None where it is undefined or has no bounds.

    It has none where the interval of the clean score, by which we divide, reaches 0.
    """
    if why_undefined(clean.value, higher_is_better, constant) or clean.interval[0] <= 0:
        return None
    lost = clean - corrupted if higher_is_better else corrupted - clean
    shares = np.full_like(lost.draws, np.nan)  # a draw whose clean score is 0 has no share
    np.divide(lost.draws, clean.draws, out=shares, where=clean.draws != 0)
    return Estimate(lost.value / clean.value, shares).interval


def area(levels: Sequence[float], scores: Values) -> np.ndarray:
    """Return the area under `scores` (L, ...) over rising `levels` (L,), by the trapezoid rule.

    Divided by nothing and rescaled by nothing (MultiBench's relative robustness, arXiv
    2107.07502, without its rescaling across methods): a score of 1 from level 0 to 0.9 has the
    area 0.9, so only areas over the same levels may be compared.
    """
    x, y = np.asarray(levels, float), np.asarray(scores, float)
    if x.ndim != 1 or len(x) < 2 or not (np.diff(x) > 0).all():
        raise DataError(f"levels {list(levels)} do not rise; expected two or more rising levels")
    if len(x) != len(y):
        raise DataError(f"{len(x)} levels and {len(y)} scores; expected one score a level")
    return np.tensordot(np.diff(x), (y[1:] + y[:-1]) / 2, axes=1)


def area_estimate(levels: Sequence[float], scores: Sequence[Estimate]) -> Estimate:
    """Return the area under `scores`, one `Estimate` a level, with its resamples."""
    whole = area(levels, [estimate.value for estimate in scores])
    return Estimate(float(whole), area(levels, np.stack([e.draws for e in scores])))


def smallest_detectable(difference: Estimate) -> float:
    """Return the difference that this paired test finds 80 times in 100 (two-sided 5 %)."""
    return _DETECT * difference.standard_error
