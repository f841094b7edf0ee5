"""R@K: how often the right item is among the K nearest, by exact search.

Legend: Q queries, I items, W width of the shared space.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textcentric.metrics.intervals import Figure, Resampled

AT = (1, 5, 10)
BLOCK = 1024  # queries at a time


@dataclass(frozen=True)
class Searched:
    """One way of searching: the `ranks` (Q,) of each query's nearest partner, of `items` items.

    `first` (Q,) is the pair in which each query comes first: it tells its group. `partners` (Q,)
    are how many items are right for each.
    """

    ranks: Tensor
    items: int
    first: np.ndarray
    partners: np.ndarray

    def within(self, k: int) -> np.ndarray:
        """Return 1.0 for each query (Q,) whose partner is among the K nearest, else 0."""
        found: np.ndarray = (self.ranks < k).double().numpy()
        return found

    def chance(self, k: int) -> float:
        """Return how often one of a query's partners is among K items drawn without replacement."""
        drawn = np.arange(min(k, self.items))
        left = (self.items - self.partners[:, None] - drawn).clip(min=0)  # (Q, K)
        return float(1 - (left / (self.items - drawn)).prod(axis=1).mean())


def search_one_way(queries: Tensor, items: Tensor, pairs: np.ndarray) -> Searched:
    """Search every query (Q, W) among all items (I, W); `pairs` (N, 2) are places of both."""
    partners: defaultdict[int, list[int]] = defaultdict(list)
    for query, item in pairs.tolist():
        partners[query].append(item)
    right = [partners[query] for query in range(len(queries))]
    _, first = np.unique(pairs[:, 0], return_index=True)
    counts = np.array([len(set(places)) for places in right])
    return Searched(ranks(queries, items, right), len(items), first, counts)


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


def recall_with_intervals(
    searched: Mapping[str, Searched], groups: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return R@1, 5 and 10 of each way with 95 % intervals, and what chance would find.

    `groups` (one a pair) are drawn whole; without them queries are.
    """
    told: dict[str, dict[str, Any]] = {}
    for way, found in searched.items():
        of = None if groups is None else [groups[at] or None for at in found.first]
        drawn = Resampled(len(found.ranks), groups=of)
        told[way] = {
            "queries": len(found.ranks),
            "items": found.items,
            "chance": {f"R@{k}": found.chance(k) for k in AT},
            **{f"R@{k}": _estimate(drawn, found.within(k)) for k in AT},
        }
    return told


def _estimate(drawn: Resampled, right: np.ndarray) -> Figure:
    return drawn.mean(right).figure()
