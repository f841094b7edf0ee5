"""Contrastive loss with smoothed targets: symmetric InfoNCE, and Embedding Smoothing on it.

Row i of the target gives its positive 1 - alpha, and spreads alpha over all N of the batch
(Q = (1 - alpha) I + (alpha / N) 1 1^T), or over the N - 1 others. At alpha 0 both are InfoNCE, bit
for bit. Legend: N positives of a batch, W width of the shared space.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from textcentric.errors import ConfigError
from textcentric.methods.align_vl.config import Noise, OffDiagonal, Schedule


def contrastive_losses(logits: Tensor, alpha: float | Tensor) -> Tensor:
    """Return the loss (N,) of each pair, the mean of both directions, of logits (N, N).

    `alpha` is over all the batch (see `over_all`), one for all pairs or one of each (N,).
    """
    return (_one_way(logits, alpha) + _one_way(logits.T, alpha)) / 2


def _one_way(logits: Tensor, alpha: float | Tensor) -> Tensor:
    places = torch.arange(len(logits), device=logits.device)
    if not isinstance(alpha, Tensor):
        return cross_entropy(logits, places, label_smoothing=alpha, reduction="none")
    chances = logits.log_softmax(dim=1)
    return -(1 - alpha) * chances.diagonal() - alpha * chances.mean(dim=1)


def over_all(alpha: float | Tensor, count: int, convention: OffDiagonal) -> float | Tensor:
    """Return the alpha over all `count` of a batch that gives the target of a convention.

    Raises ConfigError where it would leave the positive less than nothing.
    """
    if convention == "all" or count < 2:
        return alpha
    told = alpha * count / (count - 1)
    most = float(told.max()) if isinstance(told, Tensor) else told
    if most > 1:
        raise ConfigError(
            f"smoothing={alpha} over the others of a batch of {count} positives leaves the right"
            f" one less than each of them; give at most {(count - 1) / count:g}, or a larger batch"
        )
    return told


def smoothing_now(
    alpha: float, schedule: Schedule, epoch: float, epochs: float, cosines: Tensor
) -> float | Tensor:
    """Return alpha at an epoch; of each pair (N,), by its cosine, where that is the schedule.

    >>> smoothing_now(0.2, "linear", 5, 10, torch.zeros(0))
    0.1
    """
    done = min(1.0, epoch / epochs)
    if schedule == "linear":
        return alpha * (1 - done)
    if schedule == "cosine":
        return alpha * (1 + math.cos(math.pi * done)) / 2
    if schedule == "per-pair" and alpha:
        return alpha * (1 - cosines.detach().clamp(0, 1))
    return alpha


def best_gap(count: int, alpha: float, convention: OffDiagonal = "all") -> float:
    """Return how far the positive's logit stands above the others where the loss is least.

    A temperature T allows at most (spread of cosines) / T.

    >>> round(best_gap(20480, 0.1), 1)
    12.1
    """
    if convention == "others":
        return math.log((1 - alpha) * (count - 1) / alpha)
    return math.log(1 + count * (1 - alpha) / alpha)


def mixed(latents: Tensor, share: Tensor) -> Tensor:
    """Return latents (N, D) of the first half of a batch (B, D), mixed with the second half.

    `share` () is that of the first half, the same for both modalities of a batch, so that a mixed
    picture belongs to its mixed words. Of an odd batch the middle row is in both halves.
    """
    count = halves(len(latents))
    return share * latents[:count] + (1 - share) * latents[len(latents) - count :]


def halves(rows: int) -> int:
    """Return how many mixed pairs come of a batch."""
    return math.ceil(rows / 2)


def to_rows(losses: Tensor, rows: int) -> Tensor:
    """Return the loss of each row (B,) of a batch: that of the mixed pair (N,) that it went into.

    >>> to_rows(torch.tensor([1.0, 2.0]), 4)
    tensor([1., 2., 1., 2.])
    """
    return torch.cat([losses, losses[2 * len(losses) - rows :]])


def perturbed(latents: Tensor, kind: Noise, sigma: float | Tensor) -> Tensor:
    """Return latents (B, D) with noise of standard deviation `sigma`, one for all or (D,).

    Uniform noise has bounds of sqrt(3) sigma, by which its variance is that of the normal one.
    """
    if kind == "gaussian":
        return latents + sigma * torch.randn_like(latents)
    return latents + sigma * math.sqrt(3) * (2 * torch.rand_like(latents) - 1)
