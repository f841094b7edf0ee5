"""The losses of CRMT's first step (Yang et al., ICLR 2024, eq. 12), and its kin.

Scores are s^m_k = <w^m_k, phi^m(x^m)>, those of each modality alone, without modality weights and
bias; logits are h_k = sum_m a^m_k s^m_k + b_k.
Legend: B rows, M modalities, C classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from textcentric.methods.fusion.config import MARGIN_EPS, UNLABELLED


def margin_loss(scores: Tensor, labels: Tensor, eps: float = MARGIN_EPS) -> Tensor:
    """Return log(eps + sum_m sum_{k != y} exp(s^m_k - s^m_y)) of each row (B,).

    A smooth maximum of the negative margins of all modalities, so that the one with the smallest
    margin learns most. Without `eps` it is unbounded below and margins grow without end.
    `scores` (B, M, C), `labels` (B,).

    >>> margin_loss(torch.tensor([[[2.0, 0.0], [1.0, 0.0]]]), torch.tensor([0]), eps=0.0)
    tensor([-0.6867])
    """
    total = _differences(scores, labels).flatten(1).logsumexp(dim=1)  # (B,)
    return total if eps == 0 else torch.logaddexp(total, total.new_tensor(math.log(eps)))


def hinge_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Return sum_m max(0, 1 - (s^m_y - max_{k != y} s^m_k)) of each row (B,).

    What takes the place of the smooth maximum in an ablation.
    """
    return (1 + _differences(scores, labels).amax(dim=2)).clamp(min=0).sum(dim=1)


def mixed(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Return the losses (B,) of mixed rows, `share` (B,) that of the first label.

    For cross-entropy this is mixup's (arXiv 1710.09412). For margins it takes the place of the
    released form, whose pull towards both labels nearly cancels, and holds for two classes too.
    """
    return share * first + (1 - share) * second


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of each row (B,), 0 where its label is `UNLABELLED`."""
    return cross_entropy(logits, labels, reduction="none", ignore_index=UNLABELLED)


def _differences(scores: Tensor, labels: Tensor) -> Tensor:
    """Return s^m_k - s^m_y (B, M, C), minus infinity at k = y."""
    places = labels[:, None, None].expand(-1, scores.shape[1], 1)
    differences = scores - scores.gather(2, places)
    return differences.scatter(2, places, -math.inf)
