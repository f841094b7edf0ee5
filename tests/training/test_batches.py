"""Global batches: complete, reproducible, homogeneous, and shared among processes."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
import torch

from textcentric.errors import ConfigError
from textcentric.training.batches import Strategy, batches, micro_batches, share

STRATEGIES = ("random", "group_by_length")


def skewed(n: int, seed: int = 0) -> list[int]:
    rng = Random(seed)
    return [round(rng.lognormvariate(4, 0.8)) + 1 for _ in range(n)]


def padded(lengths: list[int], groups: list[list[int]]) -> int:
    """Return the tokens, padding included, that a model reads of `groups`."""
    return sum(max(lengths[i] for i in group) * len(group) for group in groups)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 101])
def test_every_row_comes_once_an_epoch(strategy: Strategy, n: int) -> None:
    found = batches(skewed(n), 8, seed=0, epoch=0, strategy=strategy)
    assert sorted(row for batch in found for row in batch) == list(range(n))
    assert sorted(map(len, found), reverse=True) == [8] * (n // 8) + ([n % 8] if n % 8 else [])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_and_epoch_give_the_same_batches(strategy: Strategy) -> None:
    lengths = skewed(60)
    first, again, later, other = (
        batches(lengths, 4, seed, epoch, strategy)
        for seed, epoch in [(1, 0), (1, 0), (1, 1), (2, 0)]
    )
    assert first == again
    assert first != later
    assert first != other


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_of_a_batch_are_sorted_so_that_its_micro_batches_are_homogeneous(
    strategy: Strategy,
) -> None:
    lengths = skewed(64)
    for batch in batches(lengths, 16, seed=0, epoch=0, strategy=strategy):
        of_batch = [lengths[row] for row in batch]
        assert of_batch == sorted(of_batch, reverse=True)


def test_the_longest_row_comes_first_so_that_too_little_memory_shows_at_once() -> None:
    lengths = skewed(500)
    first = batches(lengths, 8, seed=3, epoch=2, strategy="group_by_length")[0]
    assert max(lengths) == lengths[first[0]]


def test_batches_of_an_epoch_are_not_sorted_by_length() -> None:
    lengths = skewed(400)
    found = batches(lengths, 8, seed=0, epoch=0, strategy="group_by_length")
    longest = [lengths[batch[0]] for batch in found[1:]]
    rises = sum(after > before for before, after in pairwise(longest))
    assert 0.3 < rises / len(longest) < 0.7


@pytest.mark.parametrize("n", [1000, 5000])
def test_grouping_pads_no_more_than_transformers_does(n: int) -> None:
    from transformers.trainer_pt_utils import get_length_grouped_indices

    lengths = skewed(n)
    generator = torch.Generator().manual_seed(0)
    theirs = get_length_grouped_indices(lengths, 16, generator=generator)
    ours = batches(lengths, 16, seed=0, epoch=0, strategy="group_by_length")
    random = batches(lengths, 16, seed=0, epoch=0, strategy="random")
    assert padded(lengths, ours) <= 1.02 * padded(lengths, micro_batches(theirs, 16))
    assert padded(lengths, ours) < 0.75 * padded(lengths, random)


def test_micro_batches_of_grouped_global_batches_pad_as_little_as_small_batches() -> None:
    lengths = skewed(2000)
    small = batches(lengths, 8, seed=0, epoch=0, strategy="group_by_length")
    large = batches(lengths, 32, seed=0, epoch=0, strategy="group_by_length")
    cut = [one for batch in large for one in micro_batches(batch, 8)]
    assert padded(lengths, cut) <= 1.02 * padded(lengths, small)


def test_processes_share_a_batch_without_overlap() -> None:
    batch = [9, 8, 7, 6, 5, 4, 3]
    assert share(batch, 0, 2) == [9, 7, 5, 3]
    assert share(batch, 1, 2) == [8, 6, 4]


def test_a_process_may_have_no_row_of_an_uneven_last_batch() -> None:
    assert [share([5], rank, 3) for rank in range(3)] == [[5], [], []]


def test_shares_of_a_sorted_batch_are_balanced() -> None:
    lengths = skewed(64)
    batch = sorted(range(64), key=lambda row: -lengths[row])
    tokens = [sum(lengths[row] for row in share(batch, rank, 4)) for rank in range(4)]
    assert max(tokens) - min(tokens) <= max(lengths)


def test_micro_batches_keep_neighbours_together() -> None:
    assert micro_batches([4, 2, 9, 1, 3], 2) == [[4, 2], [9, 1], [3]]


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean 'group_by_length'"):
        batches([1, 2], 1, 0, 0, "group_by_lenght")  # type: ignore[arg-type]
