"""FuseMix (Vouitsis et al. 2024, arXiv 2312.10144), number by number.

    z~_x = l z_x1 + (1 - l) z_x2,  z~_y = l z_y1 + (1 - l) z_y2     one l ~ Beta(a, a) of a batch
    S_ij = cos(h_X(z~_xi), h_Y(z~_yj)) / t
    L    = -1/2N sum_i [log softmax_j(S_ij)_i + log softmax_j(S_ji)_i]

and R@K, the share of queries with a right item among the K of the largest cosine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Vector = Sequence[float]
Matrix = Sequence[Sequence[float]]


def mixed(latents: Matrix, share: float) -> list[list[float]]:
    """Return the N mixed latents of 2N: row i with row N + i."""
    count = len(latents) // 2
    return [
        [share * a + (1 - share) * b for a, b in zip(latents[i], latents[count + i], strict=True)]
        for i in range(count)
    ]


def scores(images: Matrix, texts: Matrix, temperature: float) -> list[list[float]]:
    """Return the cosine of each image with each text, over the temperature."""
    return [[cosine(u, v) / temperature for v in texts] for u in images]


def cosine(u: Vector, v: Vector) -> float:
    """Return the cosine of two vectors."""
    dot = sum(a * b for a, b in zip(u, v, strict=True))
    return dot / math.sqrt(sum(a * a for a in u)) / math.sqrt(sum(b * b for b in v))


def log_softmax(row: Vector) -> list[float]:
    """Return the logarithm of the softmax of a row."""
    whole = math.log(sum(math.exp(value) for value in row))
    return [value - whole for value in row]


def info_nce(logits: Matrix) -> float:
    """Return the symmetric loss of N pairs, of which pair i is row i and column i."""
    count, total = len(logits), 0.0
    for i in range(count):
        total -= log_softmax(logits[i])[i]
        total -= log_softmax([logits[j][i] for j in range(count)])[i]
    return total / (2 * count)


def recall_at(k: int, queries: Matrix, items: Matrix, pairs: Sequence[tuple[int, int]]) -> float:
    """Return the share of queries of which one of the K nearest items is its own."""
    found = 0
    for at, query in enumerate(queries):
        near = sorted(range(len(items)), key=lambda item: -cosine(query, items[item]))
        found += any((at, item) in pairs for item in near[:k])
    return found / len(queries)


def block(u: Vector, first: Matrix, bias1: Vector, second: Matrix, bias2: Vector) -> list[float]:
    """Return u + W2 GELU(W1 LN(u) + b1) + b2: one block of an adapter without dropout."""
    inner = [0.5 * a * (1 + math.erf(a / math.sqrt(2))) for a in linear(normed(u), first, bias1)]
    return [a + b for a, b in zip(u, linear(inner, second, bias2), strict=True)]


def linear(u: Vector, weights: Matrix, bias: Vector) -> list[float]:
    """Return W u + b."""
    rows = zip(weights, bias, strict=True)
    return [sum(w * a for w, a in zip(row, u, strict=True)) + b for row, b in rows]


def normed(u: Vector, eps: float = 1e-5) -> list[float]:
    """Return u with mean 0 and variance 1 (layer norm)."""
    mean = sum(u) / len(u)
    variance = sum((a - mean) ** 2 for a in u) / len(u)
    return [(a - mean) / math.sqrt(variance + eps) for a in u]
