"""What a reward model is measured beside: rules that look at no picture, and how far it fails.

Each baseline gives the difference of a pair, above 0 where it would choose the chosen response.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from textcentric.methods.reward.worth import right
from textcentric.rows import Pair
from textcentric.writing import parted

WORD = re.compile(r"\w+")


def word_overlap(pairs: Sequence[Pair]) -> np.ndarray:
    """Return how much more of the chosen response's words stand in the descriptions (N,)."""
    both = ((overlap(p.descriptions, p.chosen), overlap(p.descriptions, p.rejected)) for p in pairs)
    return np.array([chosen - rejected for chosen, rejected in both])


def swapped(pairs: Sequence[Pair], seed: int = 0) -> list[Pair]:
    """Return the pairs with the descriptions of others: a model that reads them does worse.

    Pictures go with them. The descriptions of whole groups are passed on to the next group in a
    drawn order, so that no pair keeps its own where there are two groups or more.
    """
    by_group: dict[str, list[int]] = {}
    for at, pair in enumerate(pairs):
        by_group.setdefault(pair.group or f"\0{at}", []).append(at)
    names = list(by_group)
    random.Random(f"swapped/{seed}").shuffle(names)
    found = list(pairs)
    for name, other in zip(names, [*names[1:], *names[:1]], strict=True):
        lent = [pairs[at] for at in by_group[other]]
        for number, at in enumerate(by_group[name]):
            one = lent[number % len(lent)]
            found[at] = replace(pairs[at], descriptions=one.descriptions, images=one.images)
    return found


@dataclass(frozen=True, slots=True)
class Degradation:
    """Accuracy of a model where a proxy is right and where it is wrong, with their sizes."""

    proxy_right: float | None
    proxy_wrong: float | None
    right: int
    wrong: int

    @property
    def degradation(self) -> float | None:
        """Return how much lower it is where the proxy is wrong, None where one side is empty."""
        if self.proxy_right is None or self.proxy_wrong is None:
            return None
        return self.proxy_right - self.proxy_wrong


def shortcut_failure(main: np.ndarray, proxy: np.ndarray) -> Degradation:
    """Return the shortcut-failure degradation: P[main right | proxy right] - P[... | wrong].

    `main` and `proxy` (N,) are differences of rewards on the same pairs; ties of the proxy are on
    neither side. The paper gives no formula; this is its likeliest reading.

    >>> shortcut_failure(np.array([1.0, 1.0, -1.0]), np.array([1.0, 2.0, -1.0])).degradation
    1.0
    """
    told = right(main)
    sides = told[proxy > 0], told[proxy < 0]
    means = [float(side.mean()) if len(side) else None for side in sides]
    return Degradation(means[0], means[1], len(sides[0]), len(sides[1]))


def share_right(differences: np.ndarray) -> float:
    """Return the share of differences above 0, ties counted half."""
    return float(right(differences).mean())


def _words(text: str) -> list[str]:
    return WORD.findall(parted(text.lower()))


def overlap(descriptions: Mapping[str, str], response: str) -> float:
    """Return the share of the words of `response` that stand in `descriptions`."""
    said = set(_words(" ".join(descriptions.values())))
    told = _words(response)
    return sum(word in said for word in told) / len(told) if told else 0.0
