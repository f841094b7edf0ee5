"""What Align-VL adds to FuseMix (see `fusemix`), number by number.

Random Perturbation, after mixing and before the adapters, each modality with draws of its own:

    z^ = z~ + sigma e,  e ~ N(0, 1), or uniform on [-sqrt(3), sqrt(3)], which has variance 1 too

Embedding Smoothing, with the target Q in the place of the identity:

    L    = -1/2N sum_ij Q_ij [log softmax_j(S_ij) + log softmax_j(S_ji)]
    Q    = (1 - alpha) I + (alpha / N) 1 1^T                          over all
    Q_ii = 1 - alpha, Q_ij = alpha / (N - 1)                          over the others

The paper is not public and its abstract (arXiv 2510.21606) names no formula: reviews tell of these.
"""

from __future__ import annotations

import math

from tests.methods.references.fusemix import Matrix, log_softmax


def with_normal_noise(latents: Matrix, sigma: float, draws: Matrix) -> list[list[float]]:
    """Return latents with noise; `draws` are standard normal."""
    rows = zip(latents, draws, strict=True)
    return [[z + sigma * e for z, e in zip(row, drawn, strict=True)] for row, drawn in rows]


def with_uniform_noise(latents: Matrix, sigma: float, draws: Matrix) -> list[list[float]]:
    """Return latents with noise of the same variance; `draws` are uniform on [0, 1)."""
    low, high = -math.sqrt(3) * sigma, math.sqrt(3) * sigma
    rows = zip(latents, draws, strict=True)
    return [
        [z + low + (high - low) * e for z, e in zip(row, drawn, strict=True)] for row, drawn in rows
    ]


def target_over_all(count: int, alpha: float) -> list[list[float]]:
    """Return Q with alpha spread over all of the batch, the right one too."""
    return [[(1 - alpha) * (i == j) + alpha / count for j in range(count)] for i in range(count)]


def target_over_others(count: int, alpha: float) -> list[list[float]]:
    """Return Q with alpha spread over all but the right one."""
    return [
        [1 - alpha if i == j else alpha / (count - 1) for j in range(count)] for i in range(count)
    ]


def smoothed_loss(logits: Matrix, target: Matrix) -> float:
    """Return the loss of both ways."""
    count, total = len(logits), 0.0
    for scores in (logits, list(zip(*logits, strict=True))):
        for i in range(count):
            for j, log_chance in enumerate(log_softmax(scores[i])):
                total -= target[i][j] * log_chance
    return total / (2 * count)
