"""Which rows an optimiser step sees: the same for any number of processes.

A global batch is what one optimiser step reads, on all processes and in all micro-batches. It
depends on the seed and the epoch only; processes then take their shares of it, so two of them
compute what one would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

from textcentric.errors import check_known

Strategy = Literal["random", "group_by_length"]
MEGA_BATCH = 50  # batches sorted by length together, as in transformers' LengthGroupedSampler


def batches(
    lengths: Sequence[int], batch_size: int, seed: int, epoch: int, strategy: Strategy
) -> list[list[int]]:
    """Return the global batches of one epoch: every row once, the longest first in each.

    `batch_size` counts rows on all processes and in all micro-batches; one batch may be smaller.
    Raises ConfigError for an unknown strategy.

    >>> batches([5, 1, 4, 2, 3], 2, seed=0, epoch=0, strategy="group_by_length")
    [[0, 2], [3], [4, 1]]
    """
    check_known("train_sampling_strategy", strategy, STRATEGIES)
    rng = Random(f"batches/{seed}/{epoch}")
    rows = list(range(len(lengths)))
    rng.shuffle(rows)
    return STRATEGIES[strategy](rows, lengths, batch_size, rng)


def share(batch: Sequence[int], rank: int, world: int) -> list[int]:
    """Return the rows of process `rank` of `world`: every `world`-th, so that lengths balance.

    It is empty where an uneven last batch has fewer rows than there are processes.

    >>> share([7, 3, 9], rank=0, world=2), share([7, 3, 9], rank=1, world=2)
    ([7, 9], [3])
    """
    return list(batch[rank::world])


def micro_batches(rows: Sequence[int], size: int) -> list[list[int]]:
    """Cut the rows of one process into micro-batches of `size`; neighbours stay together."""
    return [list(rows[i : i + size]) for i in range(0, len(rows), size)]


def _random(
    rows: list[int], lengths: Sequence[int], batch_size: int, rng: Random
) -> list[list[int]]:
    """Cut shuffled rows into batches; sorting inside of one changes padding, not its loss."""
    return [
        _longest_first(rows[i : i + batch_size], lengths) for i in range(0, len(rows), batch_size)
    ]


def _group_by_length(
    rows: list[int], lengths: Sequence[int], batch_size: int, rng: Random
) -> list[list[int]]:
    """Sort shuffled rows by length within mega-batches, then shuffle the batches cut from them.

    The batch with the longest row comes first: what does not fit into memory fails at once.
    """
    mega = batch_size * max(1, min(len(rows) // (batch_size * 4), MEGA_BATCH))
    ordered: list[int] = []
    for i in range(0, len(rows), mega):
        ordered += _longest_first(rows[i : i + mega], lengths)
    found = [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]
    rng.shuffle(found)
    longest = max(range(len(found)), key=lambda i: lengths[found[i][0]], default=0)
    if found:
        found.insert(0, found.pop(longest))
    return found


def _longest_first(rows: list[int], lengths: Sequence[int]) -> list[int]:
    return sorted(rows, key=lambda row: lengths[row], reverse=True)


STRATEGIES: dict[str, Callable[[list[int], Sequence[int], int, Random], list[list[int]]]] = {
    "random": _random,
    "group_by_length": _group_by_length,
}
