"""The certified radius of CRMT (Yang et al., ICLR 2024, eq. 10), and the constants tau in it.

No change of the inputs smaller than r in l2 flips the prediction, *if* tau^m_k is a Lipschitz
constant of s^m_k. Here it is the largest gradient that training rows show, which may be below such
a constant unless the encoder is linear: the radius is heuristic, and is called so.
Legend: B rows, M modalities, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from textcentric.methods.fusion.config import Over

LINEAR_ALONE = "the certified radius holds where logits are sums of scores by weights"
Scores = Callable[[Mapping[str, Tensor]], Tensor]  # inputs by modality -> (B, M, C)


class Head(NamedTuple):
    """What turns scores into logits: weights a (M, C) and bias b (C,)."""

    weights: Tensor
    bias: Tensor

    def logits(self, scores: Tensor) -> Tensor:
        """Return sum_m a^m_k s^m_k + b_k (B, C) of scores (B, M, C)."""
        return (self.weights * scores).sum(dim=1) + self.bias


def radii(
    scores: Tensor, head: Head, tau: Tensor, labels: Tensor, modality: int | None = None
) -> Tensor:
    """Return the radius towards each class (B, C), infinite towards the label's own.

    (h_y - h_k) / sqrt(sum_m (|a^m_y| tau^m_y + |a^m_k| tau^m_k)^2): |a| in the denominator keeps
    the bound where a weight is negative. `tau` is (M, C). With `modality` only that one is
    attacked, and the root is its term alone. Where it is 0 nothing moves the two logits: the radius
    is infinite, with the sign of their gap, and 0 where they are level.
    """
    logits = head.logits(scores)  # (B, C)
    places = labels[:, None]
    reach = head.weights.abs() * tau  # (M, C)
    slopes = _length(reach[:, :, None] + reach[:, None, :], modality)  # (C, C)
    found = _quotient(logits.gather(1, places) - logits, slopes[labels])
    return found.scatter(1, places, torch.inf)


def radius(
    scores: Tensor,
    head: Head,
    tau: Tensor,
    labels: Tensor,
    *,
    over: Over = "minimum",
    modality: int | None = None,
) -> Tensor:
    """Return the radius r of each row (B,), negative where the prediction is wrong.

    The minimum over all other classes certifies; the radius towards the class of the second
    highest logit is what the released code optimises, and is larger. The gradient flows through
    the one class that decides, so it costs what two classes cost.
    """
    with torch.no_grad():
        if over == "minimum":
            towards = radii(scores, head, tau, labels, modality)
            below = towards.clamp(max=torch.finfo(towards.dtype).max)  # the label's own never is
            rivals = below.scatter(1, labels[:, None], torch.inf).argmin(dim=1)
        else:
            logits = head.logits(scores).scatter(1, labels[:, None], -torch.inf)
            rivals = logits.argmax(dim=1)
    own_scores, own_weights, own_reach = _of_class(scores, head, tau, labels)  # (B, M) each
    scores_k, weights_k, reach_k = _of_class(scores, head, tau, rivals)
    gap = (own_weights * own_scores - weights_k * scores_k).sum(dim=1)
    gap = gap + head.bias[labels] - head.bias[rivals]
    return _quotient(gap, _length((own_reach + reach_k).T, modality))


def _of_class(
    scores: Tensor, head: Head, tau: Tensor, classes: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return s^m_k, a^m_k and |a^m_k| tau^m_k of one class a row, (B, M) each."""
    places = classes[:, None, None].expand(-1, scores.shape[1], 1)
    weights = head.weights.T[classes]
    return scores.gather(2, places)[:, :, 0], weights, weights.abs() * tau.T[classes]


def _length(terms: Tensor, modality: int | None) -> Tensor:
    """Return the root of the sum of squares over modalities (M, ...), or one of the terms."""
    return terms.norm(dim=0) if modality is None else terms[modality]


def _quotient(gap: Tensor, slope: Tensor) -> Tensor:
    """Return gap / slope, and its limit where the slope is 0; no gradient is NaN."""
    still = slope == 0
    limit = torch.where(gap == 0, 0.0, gap.detach().sign() * torch.inf)
    return torch.where(still, limit, gap / slope.masked_fill(still, 1.0))


def lipschitz(
    scores: Scores, batches: Iterable[Mapping[str, Tensor]], names: tuple[str, ...]
) -> Tensor:
    """Return tau (M, C): the largest gradient of s^m_k with respect to x^m in any row.

    `scores` must read every row apart from the others (no batch statistics), and modality m from
    x^m alone: then one backward of the sum over rows and modalities serves a class.
    """
    largest: Tensor | None = None
    for batch in batches:
        norms = gradient_norms(scores, batch, names).amax(dim=0)  # (M, C)
        largest = norms if largest is None else torch.maximum(largest, norms)
    assert largest is not None, "there is no batch to measure gradients on"
    return largest


def gradient_norms(scores: Scores, batch: Mapping[str, Tensor], names: tuple[str, ...]) -> Tensor:
    """Return ||grad_{x^m} s^m_k|| in l2 of every row (B, M, C)."""
    inputs = {name: batch[name].detach().requires_grad_() for name in names}
    with torch.enable_grad():
        found = scores({**batch, **inputs})  # (B, M, C)
        classes = found.shape[2]
        columns = []
        for k in range(classes):
            gradients = torch.autograd.grad(
                found[:, :, k].sum(), list(inputs.values()), retain_graph=k < classes - 1
            )
            columns.append(torch.stack([one.flatten(1).norm(dim=1) for one in gradients], dim=1))
    return torch.stack(columns, dim=2)


def released_lipschitz(
    scores: Scores, head: Head, batches: Iterable[Mapping[str, Tensor]], names: tuple[str, ...]
) -> Tensor:
    """Return tau (M, C) as the released code of CRMT computes it, for comparison only.

    There the gradient is of the logit h_k, so that a^m_k enters twice; the buffer of the first
    modality is cleared before it is read, which makes its constants zero; and those of the others
    are of the sum over the classes so far.
    """
    largest: Tensor | None = None
    for batch in batches:
        inputs = {name: batch[name].detach().requires_grad_() for name in names}
        with torch.enable_grad():
            logits = head.logits(scores({**batch, **inputs}))
            columns = []
            for k in range(logits.shape[1]):
                told = torch.autograd.grad(
                    logits[:, : k + 1].sum(), list(inputs.values()), retain_graph=True
                )
                columns.append(torch.stack([one.flatten(1).norm(dim=1) for one in told], dim=1))
        norms = torch.stack(columns, dim=2).amax(dim=0)  # (M, C)
        norms[0] = 0.0
        largest = norms if largest is None else torch.maximum(largest, norms)
    assert largest is not None, "there is no batch to measure gradients on"
    return largest
