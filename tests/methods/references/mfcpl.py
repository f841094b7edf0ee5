"""MFCPL (after the abstract of arXiv 2401.13898), with loops over rows, modalities and classes.

A row is its projections z_m by the names of the modalities that it has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

from tests.methods.references.mcr import cosine, softmax

Vector = Sequence[float]
Row = Mapping[str, Vector]


def update(
    prototypes: dict[int, list[float]],
    rows: Sequence[Row],
    labels: Sequence[int],
    names: Sequence[str],
    momentum: float,
) -> None:
    """Move p_c towards the mean over complete rows of class c of mean_m z_m."""
    of: dict[int, list[list[float]]] = {}
    for row, y in zip(rows, labels, strict=True):
        if all(name in row for name in names):
            of.setdefault(y, []).append(mean([row[name] for name in names]))
    for y, found in of.items():
        old = prototypes.get(y, mean(found))
        prototypes[y] = [
            momentum * a + (1 - momentum) * b for a, b in zip(old, mean(found), strict=True)
        ]


def mean(vectors: Sequence[Vector]) -> list[float]:
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]


def apart(one: Vector, other: Vector) -> float:
    """Return mean_q (z - z')^2."""
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / len(one)


def regularization(prototypes: Mapping[int, Vector], row: Row, y: int) -> float:
    """Return (1 / |m|) sum_m mean_q (z_m - p_y)^2."""
    if y not in prototypes:
        return 0.0
    return sum(apart(z, prototypes[y]) for z in row.values()) / len(row)


def contrast(prototypes: Mapping[int, Vector], row: Row, y: int, temperature: float) -> float:
    """Return sum_m -log softmax_c(cos(z_m, p_c) / t)_y, over classes that have a prototype."""
    if y not in prototypes:
        return 0.0
    classes = sorted(prototypes)
    told = 0.0
    for z in row.values():
        chances = softmax([cosine(z, prototypes[c]) / temperature for c in classes])
        told -= math.log(chances[classes.index(y)])
    return told


def alignment(row: Row, names: Sequence[str]) -> float:
    """Return the mean over pairs of mean_q (z_a - z_b)^2 of a complete row, else 0."""
    if not all(name in row for name in names):
        return 0.0
    found = [apart(row[a], row[b]) for a, b in combinations(names, 2)]
    return sum(found) / len(found)
