"""What is done to latents in training: FuseMix's mixing, and Random Perturbation.

Legend: B rows of a batch, N = ceil(B / 2) mixed pairs, D width of the latents.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from textcentric.methods.align_vl.config import Noise


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
