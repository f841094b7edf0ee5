"""Pairs that are held out where the data name none: a share of them, whole prompts or groups."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from textcentric.methods.reward.worth import question
from textcentric.rows import Pair


def parted(pairs: Sequence[Pair], share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Return pairs to learn from and at most a `share` of all to hold out, both in their order.

    Groups, or prompts where pairs have no group, are drawn by `seed`, and each is held out whole
    where it still fits. Nothing is held out where none fits, as where there are few pairs.

    >>> pairs = [Pair(str(n), f"prompt {n}", "a", "b") for n in range(10)]
    >>> [pair.id for pair in parted(pairs, 0.2, seed=0)[1]]
    ['0', '8']
    """
    sizes = Counter(map(question, pairs))
    names = sorted(sizes)
    random.Random(f"held out/{seed}").shuffle(names)
    room = int(share * len(pairs))
    held_out = set()
    for name in names:
        if sizes[name] <= room:
            held_out.add(name)
            room -= sizes[name]
    sides: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs:
        sides[question(pair) in held_out].append(pair)
    return sides
