"""R@K: how often the right item is among the K nearest, by exact search.

Legend: Q queries, I items, W width of the shared space.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

AT = (1, 5, 10)
BLOCK = 1024  # queries at a time


def ranks(queries: Tensor, items: Tensor, right: Sequence[Sequence[int]]) -> Tensor:
    """Return the rank (Q,) of the best right item of each query, 0 the first.

    `queries` (Q, W) and `items` (I, W) are unit vectors, `right` the places of a query's items.
    What is as near as the best right item counts as nearer, so that a space in which all is one
    point has no recall.
    """
    found = []
    for start in range(0, len(queries), BLOCK):
        cosines = queries[start : start + BLOCK] @ items.T  # (BLOCK, I)
        own = torch.zeros_like(cosines, dtype=torch.bool)
        for row, places in enumerate(right[start : start + BLOCK]):
            own[row, list(places)] = True
        best = cosines.masked_fill(~own, -torch.inf).amax(dim=1, keepdim=True)
        found.append(((cosines >= best) & ~own).sum(dim=1))
    return torch.cat(found) if found else torch.zeros(0, dtype=torch.long)


def recall(found: Tensor, at: Sequence[int] = AT) -> dict[int, float]:
    """Return the share of ranks (Q,) below each K.

    >>> recall(torch.tensor([0, 3, 12]), at=(1, 5))
    {1: 0.3333333333333333, 5: 0.6666666666666666}
    """
    return {k: float((found < k).double().mean()) for k in at}
