"""MCR (NeurIPS 2025, and kkontras/MCR), with loops over rows, modalities and permutations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

Vector = Sequence[float]


def contrast(features: Sequence[Sequence[Vector]], labels: Sequence[int], t: float) -> list[float]:
    """Return the loss of each row; `features[m][i]` is what modality m says of row i.

    Mean over pairs i != j of equal labels: -log(exp(s_ij / t) / sum_{k != i} exp(s_ik / t)).
    """
    anchors = [(m, i) for m in range(len(features)) for i in range(len(labels))]
    losses = [0.0] * len(labels)
    for m, i in anchors:
        others = [(n, j) for n, j in anchors if (n, j) != (m, i)]
        bottom = sum(math.exp(cosine(features[m][i], features[n][j]) / t) for n, j in others)
        terms = [
            -math.log(math.exp(cosine(features[m][i], features[n][j]) / t) / bottom)
            for n, j in others
            if labels[j] == labels[i]
        ]
        losses[i] += sum(terms) / len(terms) / len(features)
    return losses


def cosine(one: Vector, other: Vector) -> float:
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / math.hypot(*one) / math.hypot(*other)


def game(
    scores: Sequence[Sequence[Vector]], bias: Vector, orders: Sequence[Sequence[int]], k: int
) -> list[float]:
    """Return what all players minimise of each row: - sum_m (JSD_m + k sum_{n != m} JSD_n)."""
    told = []
    for row in range(len(scores[0])):
        total = 0.0
        for player, swapped in product(range(len(scores)), repeat=2):
            sign = 1 if player == swapped else k
            total -= sign * importance(scores, bias, orders, swapped, row)
        told.append(total)
    return told


def importance(
    scores: Sequence[Sequence[Vector]],
    bias: Vector,
    orders: Sequence[Sequence[int]],
    swapped: int,
    row: int,
) -> float:
    """Return the mean JSD of the prediction of a row and that with another row's scores."""
    whole = [row] * len(scores)
    found = []
    for order in orders:
        places = [order[row] if m == swapped else row for m in range(len(scores))]
        found.append(jensen_shannon(chances(scores, bias, whole), chances(scores, bias, places)))
    return sum(found) / len(found)


def chances(scores: Sequence[Sequence[Vector]], bias: Vector, places: Sequence[int]) -> list[float]:
    """Return softmax(sum_m scores[m][places[m]] + bias)."""
    logits = [
        sum(scores[m][place][c] for m, place in enumerate(places)) + b for c, b in enumerate(bias)
    ]
    return softmax(logits)


def softmax(logits: Vector) -> list[float]:
    total = sum(map(math.exp, logits))
    return [math.exp(one) / total for one in logits]


def jensen_shannon(p: Vector, q: Vector) -> float:
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (divergence(p, middle) + divergence(q, middle)) / 2


def divergence(p: Vector, q: Vector) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def reconstruction(read: Sequence[Vector], features: Sequence[Sequence[Vector]]) -> list[float]:
    """Return the mean square error of each row of [z_1; ..; z_M]."""
    told = []
    for row, values in enumerate(read):
        joined = [value for of in features for value in of[row]]
        told.append(sum((a - b) ** 2 for a, b in zip(values, joined, strict=True)) / len(joined))
    return told
