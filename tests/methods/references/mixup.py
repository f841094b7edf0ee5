"""Mixup (arXiv 1710.09412) of several modalities: one share for all of a row's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from tests.methods.references.mcr import softmax

Row = Mapping[str, Sequence[float]]


def loss(
    logits: Callable[[Row], Sequence[float]],
    row: Row,
    partner: Row,
    labels: tuple[int, int],
    share: float,
) -> float:
    """Return share * CE(h(x), y_a) + (1 - share) * CE(h(x), y_b) of the mixed row x.

    x^m = share x_a^m + (1 - share) x_b^m for every modality m.
    """
    mixed = {
        name: [share * a + (1 - share) * b for a, b in zip(values, partner[name], strict=True)]
        for name, values in row.items()
    }
    p = softmax(logits(mixed))
    return -share * math.log(p[labels[0]]) - (1 - share) * math.log(p[labels[1]])
