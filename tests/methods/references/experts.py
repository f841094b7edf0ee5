"""Experts under a gate (Uni-MoE's layer, arXiv 2405.11273), with loops over rows and experts.

A row is the logits E_i of each expert, and the gate's logits g_i, None where the expert's modality
is absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.methods.references.mcr import softmax

Vector = Sequence[float]
Gate = Sequence[float | None]


def log_chances(logits: Vector) -> list[float]:
    return [math.log(one) for one in softmax(logits)]


def chances(gate: Gate) -> list[float]:
    """Return p_i: the softmax of g over the experts there are."""
    there = [i for i, g in enumerate(gate) if g is not None]
    found = softmax([g for g in gate if g is not None])
    return [found[there.index(i)] if i in there else 0.0 for i in range(len(gate))]


def weights(gate: Gate, k: int) -> dict[int, float]:
    """Return w_i of the k highest g: the softmax over those, of a single one that over all."""
    there = [(-g, i) for i, g in enumerate(gate) if g is not None]
    best = [i for _, i in sorted(there)[:k]]
    if k == 1:
        return {best[0]: chances(gate)[best[0]]}
    total = sum(math.exp(gate[i] or 0.0) for i in best)
    return {i: math.exp(gate[i] or 0.0) / total for i in best}


def logits(experts: Sequence[Vector], gate: Gate, k: int) -> list[float]:
    """Return h = sum_i w_i log softmax(E_i)."""
    of = {i: log_chances(one) for i, one in enumerate(experts)}
    chosen = weights(gate, k).items()
    return [sum(w * of[i][c] for i, w in chosen) for c in range(len(experts[0]))]


def losses(
    experts: Sequence[Sequence[Vector]],
    gates: Sequence[Gate],
    labels: Sequence[int],
    k: int,
    single: float,
    balance: float,
) -> list[float]:
    """Return CE(h) + single sum_i CE(E_i) + balance n sum_i load_i mean_p_i of each row.

    Load is the share of rows that chose i; the sum over i is of the modalities that a row has.
    """
    rows = range(len(labels))
    told = []
    for row in rows:
        loss = -log_chances(logits(experts[row], gates[row], k))[labels[row]]
        for one, g in zip(experts[row], gates[row], strict=True):
            if g is not None:
                loss -= single * log_chances(one)[labels[row]]
        told.append(loss)
    n = len(gates[0])
    spread = 0.0
    for i in range(n):
        load = sum(i in weights(gates[row], k) for row in rows) / len(rows)
        spread += load * sum(chances(gates[row])[i] for row in rows) / len(rows)
    return [loss + balance * n * spread for loss in told]
