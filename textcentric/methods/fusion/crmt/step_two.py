"""CRMT's second step: the modality weights that maximise the mean certified radius.

Encoders, classifiers and bias stay as they are, so the scores are computed once, and the weights
are optimised on them in seconds. (The released code reads all data again each epoch, in training
mode, and maximises the radius towards the runner-up; there the true minimum and the accuracy may
fall.) Legend: N rows, M modalities, C classes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from textcentric.methods.fusion.config import Over
from textcentric.methods.fusion.crmt.radius import Head, radius

MAY_LOSE = 0.01  # of the held-out accuracy


class Cached(NamedTuple):
    """Scores (N, M, C) of rows and their labels (N,)."""

    scores: Tensor
    labels: Tensor


class StepTwo(NamedTuple):
    """The weights a (M, C) that were found, after how many steps; the mean radius before, after."""

    weights: Tensor
    steps: int
    before: float
    after: float


def step_two(
    rows: Cached,
    head: Head,
    tau: Tensor,
    *,
    held_out: Cached | None = None,
    over: Over = "minimum",
    steps: int = 400,
    learning_rate: float = 1e-2,
) -> StepTwo:
    """Return weights that raise the mean radius of `rows`, by full-batch Adam.

    All rows count, those that are classified wrongly too. The radius does not change where weights
    and bias grow together, so `learning_rate` is a share of the mean weight. With `held_out` it
    stops before their accuracy has fallen by a point; the weights of the highest mean radius seen
    until then are taken, at worst those that were given. Rows of infinite radius (tau is 0) do not
    count, and where there are no others nothing changes.
    """
    scores, labels = rows.scores.detach(), rows.labels
    weights = head.weights.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=learning_rate * float(weights.detach().abs().mean()))
    guard = _Guard(held_out, head)
    values: list[float] = []
    best = StepTwo(weights.detach().clone(), 0, 0.0, -torch.inf)
    for step in range(steps + 1):
        if not guard.allows(weights.detach()):
            break
        found = radius(scores, Head(weights, head.bias), tau, labels, over=over)
        movable = found.isfinite()
        if not bool(movable.any()):
            return StepTwo(weights.detach(), 0, math.inf, math.inf)
        mean = found[movable].mean()
        values.append(float(mean.detach()))
        if values[-1] > best.after:
            best = StepTwo(weights.detach().clone(), step, values[0], values[-1])
        optimizer.zero_grad()
        (-mean).backward()
        optimizer.step()
    return best


class _Guard:
    """Say whether weights keep the held-out accuracy within `MAY_LOSE` of where it began."""

    def __init__(self, held_out: Cached | None, head: Head):
        self.held_out, self.bias = held_out, head.bias
        self.least = self._accuracy(head.weights) - MAY_LOSE if held_out is not None else 0.0

    def allows(self, weights: Tensor) -> bool:
        return self.held_out is None or self._accuracy(weights) > self.least

    def _accuracy(self, weights: Tensor) -> float:
        assert self.held_out is not None
        logits = Head(weights, self.bias).logits(self.held_out.scores)
        return float((logits.argmax(dim=1) == self.held_out.labels).double().mean())
