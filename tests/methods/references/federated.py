"""Federated averaging and prototypes by loops, to be read beside the papers' abstracts.

McMahan et al., arXiv 1602.05629, equation of the server; HA-Fedformer's weights; MFCPL's terms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Vector = list[float]


def averaged(arrays: Sequence[Vector], counts: Sequence[int]) -> Vector:
    """Return sum_c n_c theta_c / sum_c n_c, entry by entry."""
    mean = []
    for entry in range(len(arrays[0])):
        total = 0.0
        for array, count in zip(arrays, counts, strict=True):
            total += count * array[entry]
        mean.append(total / sum(counts))
    return mean


def averaged_by_uncertainty(
    arrays: Sequence[Vector], counts: Sequence[int], uncertainty: Sequence[float], kappa: float
) -> Vector:
    """Return sum_c w_c theta_c with w_c = n_c (1 / u_c)^kappa / sum of the same."""
    weights = []
    for count, u in zip(counts, uncertainty, strict=True):
        weights.append(count * (1 / u) ** kappa)
    mean = []
    for entry in range(len(arrays[0])):
        total = 0.0
        for array, weight in zip(arrays, weights, strict=True):
            total += weight / sum(weights) * array[entry]
        mean.append(total)
    return mean


def own_loss(scores: Sequence[Vector], present: Sequence[int], label: int) -> float:
    """Return the sum of -log softmax(scores of a modality)[label] over modalities there are."""
    losses = []
    for one, there in zip(scores, present, strict=True):
        if there:
            losses.append(math.log(sum(math.exp(score) for score in one)) - one[label])
    return sum(losses)


def prototypes(
    rows: Sequence[tuple[int, Sequence[Vector | None]]],
) -> dict[int, tuple[Vector, int]]:
    """Return {class: (mean of its complete rows' mean over modalities, how many)}.

    A row is its class and its projected features by modality, None for one that it lacks.
    """
    of: dict[int, list[Vector]] = {}
    for label, modalities in rows:
        there = [one for one in modalities if one is not None]
        if len(there) == len(modalities):
            mean = [sum(entry) / len(there) for entry in zip(*there, strict=True)]
            of.setdefault(label, []).append(mean)
    return {
        label: ([sum(entry) / len(means) for entry in zip(*means, strict=True)], len(means))
        for label, means in of.items()
    }


def merged(
    clients: Sequence[dict[int, tuple[Vector, int]]],
) -> dict[int, tuple[Vector, int]]:
    """Return P_k = sum_c n_ck P_ck / sum_c n_ck of what complete clients send."""
    found: dict[int, tuple[Vector, int]] = {}
    for label in {label for client in clients for label in client}:
        sent = [client[label] for client in clients if label in client]
        means, counts = [mean for mean, _ in sent], [count for _, count in sent]
        found[label] = averaged(means, counts), sum(counts)
    return found


def prototype_loss(
    modalities: Sequence[Vector | None],
    label: int,
    known: dict[int, Vector],
    weights: tuple[float, float, float],
    temperature: float,
) -> float:
    """Return distance, contrast and alignment of one row of a client with all modalities."""
    distance, contrast, align = weights
    there = [one for one in modalities if one is not None]
    loss = 0.0
    if label in known:
        for one in there:
            loss += distance * _apart(one, known[label]) / len(there)
        for one in there:
            chances = {k: math.exp(_cosine(one, p) / temperature) for k, p in known.items()}
            loss += contrast * -math.log(chances[label] / sum(chances.values()))
    if len(there) == len(modalities):
        pairs = [(a, b) for a in range(len(there)) for b in range(a)]
        for a, b in pairs:
            loss += align * _apart(there[a], there[b]) / len(pairs)
    return loss


def _apart(one: Vector, other: Vector) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / len(one)


def _cosine(one: Vector, other: Vector) -> float:
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / math.sqrt(sum(a * a for a in one)) / math.sqrt(sum(b * b for b in other))
