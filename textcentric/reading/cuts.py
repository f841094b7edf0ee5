"""From which score a variant is called true: cuts of scores at a precision.

Of a sheet few refused variants stand for many: each pair counts by its share, how many outputs it
stands for. Scores, truth and shares are (N,).
"""

from __future__ import annotations

import numpy as np

from textcentric.checks.verdict import PRECISIONS

LOWEST = 0.35  # no threshold below it
AIM, LEAST, FEW_FOUND = 0.93, 0.8, 0.3  # precisions that the default is set for, and recall


def thresholds(
    scores: np.ndarray, true: np.ndarray, share: np.ndarray | None = None
) -> dict[str, float]:
    """Return the lowest score from which at least so many are true, for each precision."""
    share = np.ones(len(true)) if share is None else share
    precise = {cut: _precision(scores >= cut - 5e-5, true, share) for cut in _cuts(scores)}
    return {
        str(wanted): min((cut for cut, found in precise.items() if found >= wanted), default=0.99)
        for wanted in PRECISIONS
    }


def default_cut(
    scores: np.ndarray, true: np.ndarray, share: np.ndarray | None = None, *, otherwise: float = 0.9
) -> float:
    """Return the lowest score from which enough are true: AIM, or LEAST where few are found so.

    Where no score reaches LEAST it is `otherwise`.
    """
    share = np.ones(len(true)) if share is None else share
    called = {cut: figures(scores >= cut - 5e-5, true, share) for cut in _cuts(scores)}
    sure = [c for c, f in called.items() if f["precision"] >= AIM and f["recall"] >= FEW_FOUND]
    sure = sure or [c for c, f in called.items() if f["precision"] >= LEAST]
    return min(sure, default=otherwise)


def held_out_calls(
    scores: np.ndarray, true: np.ndarray, share: np.ndarray, folds: np.ndarray, otherwise: float
) -> np.ndarray:
    """Return which are called true (N,) by the default cut of the other folds."""
    called = np.zeros(len(true), bool)
    for fold in np.unique(folds):
        rest = folds != fold
        cut = default_cut(scores[rest], true[rest], share[rest], otherwise=otherwise)
        called[~rest] = scores[~rest] >= cut - 5e-5
    return called


def figures(
    called: np.ndarray, true: np.ndarray, share: np.ndarray | None = None
) -> dict[str, float]:
    """Return how many were called true, with precision and recall by share."""
    share = np.ones(len(true)) if share is None else share
    found = share[called & true].sum() / max(share[true].sum(), 1e-9)
    return {
        "n": len(true),
        "true": int(true.sum()),
        "said": int(called.sum()),
        "precision": round(_precision(called, true, share), 3),
        "recall": round(float(found), 3),
    }


def _cuts(scores: np.ndarray) -> list[float]:
    return [float(cut) for cut in np.unique(scores.round(4)) if cut >= LOWEST]


def _precision(called: np.ndarray, true: np.ndarray, share: np.ndarray) -> float:
    return float(share[called & true].sum() / share[called].sum()) if called.any() else 0.0
