"""The figures of a robustness curve: the drop ratio, the area, the smallest detectable difference.

Each is a figure of scores, or of their estimates, whose interval `textcentric.metrics.intervals`
gives. Legend: L levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textcentric.errors import DataError
from textcentric.metrics.intervals import Estimate
from textcentric.metrics.scores import Values

NEAR_CONSTANT = 0.05  # a clean score this close to the constant's, or to 0, has no drop ratio
MOST_LEFT_OUT = 0.05  # of the resamples: an interval that lacks more cannot hold 95 % of them
_DETECT = 1.96 + 0.84  # two-sided 5 %, power 80 %


@dataclass(frozen=True, slots=True)
class Drop:
    """A drop ratio with its 95 % interval, both None where `why` says why it means nothing.

    `left_out` is the number of resamples in which the ratio is undefined.
    """

    value: float | None
    interval: tuple[float, float] | None
    left_out: int
    why: str


def why_undefined(clean: float, higher_is_better: bool, constant: float) -> str:
    """Say why a drop ratio means nothing here; empty where it is defined.

    A model near chance loses little and is useless, so the clean score must beat the constant
    prediction's by more than 0.05 (an error, whose size depends on the unit: by more than 5 %);
    a score that is as near to 0 cannot be divided by.
    """
    better, large = _defined(np.array(clean), higher_is_better, np.array(constant))
    if not better:
        return (
            f"the clean score {clean:.3f} is not better than the constant prediction's"
            f" {constant:.3f} by more than {_room_in_words(higher_is_better)}"
        )
    return "" if large else f"the clean score {clean:.3f} is too near 0 to be divided by"


def _defined(
    clean: np.ndarray, higher_is_better: bool, constant: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where clean scores beat the constant's by enough, and are large enough (R,) each."""
    room = NEAR_CONSTANT if higher_is_better else NEAR_CONSTANT * constant
    gain = clean - constant if higher_is_better else constant - clean
    return np.asarray(gain > room), np.asarray(clean > room)


def _room_in_words(higher_is_better: bool) -> str:
    return f"{NEAR_CONSTANT}" if higher_is_better else f"{100 * NEAR_CONSTANT:g} %"


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


def drop_estimate(
    clean: Estimate, corrupted: Estimate, higher_is_better: bool, constant: Estimate
) -> Drop:
    """Return the drop ratio, with the interval of the resamples in which it is defined.

    The three come from one `Resampled`. Where more than `MOST_LEFT_OUT` of the resamples have no
    ratio there is none at all: what is left would be the resamples that flatter the model.
    """
    known = ~(np.isnan(clean.draws) | np.isnan(corrupted.draws))
    better, large = _defined(clean.draws, higher_is_better, constant.draws)
    kept = known & better & large
    left_out = int(known.sum() - kept.sum())
    why = why_undefined(clean.value, higher_is_better, constant.value)
    if not why and left_out > MOST_LEFT_OUT * known.sum():
        why = (
            f"in {left_out:,} of {known.sum():,} resamples the clean score is not better than the"
            f" constant prediction's by more than {_room_in_words(higher_is_better)}, or too near 0"
        )
    if why:
        return Drop(None, None, left_out, why)
    lost = clean - corrupted if higher_is_better else corrupted - clean
    found = Estimate(lost.value / clean.value, lost.draws[kept] / clean.draws[kept])
    return Drop(found.value, found.interval, left_out, "")


def area(levels: Sequence[float], scores: Values) -> np.ndarray:
    """Return the area under `scores` (L, ...) over rising `levels` (L,), by the trapezoid rule.

    Divided by nothing and rescaled by nothing (MultiBench's relative robustness, arXiv
    2107.07502, without its rescaling across methods): a score of 1 from level 0 to 0.9 has the
    area 0.9, so only areas over the same levels may be compared (`Area` refuses others).
    """
    x, y = np.asarray(levels, float), np.asarray(scores, float)
    if x.ndim != 1 or len(x) < 2 or not (np.diff(x) > 0).all():
        raise DataError(f"levels {list(levels)} do not rise; expected two or more rising levels")
    if len(x) != len(y):
        raise DataError(f"{len(x)} levels and {len(y)} scores; expected one score a level")
    return np.tensordot(np.diff(x), (y[1:] + y[:-1]) / 2, axes=1)


@dataclass(frozen=True, slots=True)
class Area(Estimate):
    """An area with its resamples and the `levels` that it is over, the clean row's 0 first."""

    levels: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The area divided by its width: the mean score over these levels."""
        return self.value / (self.levels[-1] - self.levels[0])

    def __sub__(self, other: Estimate) -> Area:
        """Return the paired difference; raise DataError where `other` is not over these levels."""
        theirs = other.levels if isinstance(other, Area) else ()
        if theirs != self.levels:
            raise DataError(
                f"an area over the levels {_listed(self.levels)} cannot be compared with one over"
                f" {_listed(theirs) or 'none'}: it grows with their range; take both over the same"
            )
        found = Estimate.__sub__(self, other)
        return Area(found.value, found.draws, self.levels)


def area_estimate(levels: Sequence[float], scores: Sequence[Estimate]) -> Area:
    """Return the area under `scores`, one `Estimate` a level, with its resamples."""
    whole = area(levels, [estimate.value for estimate in scores])
    draws = area(levels, np.stack([e.draws for e in scores]))
    return Area(float(whole), draws, tuple(map(float, levels)))


def _listed(levels: Sequence[float]) -> str:
    return ", ".join(f"{level:g}" for level in levels)


def smallest_detectable(difference: Estimate) -> float:
    """Return the difference that this paired test finds 80 times in 100 (two-sided 5 %)."""
    return _DETECT * difference.standard_error
