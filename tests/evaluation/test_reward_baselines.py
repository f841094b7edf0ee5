"""The baselines beside a reward model, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from textcentric.evaluation.rewards.baselines import (
    share_right,
    shortcut_failure,
    swapped,
    word_overlap,
)
from textcentric.methods.reward.worth import length_only
from textcentric.rows import Pair


def pair(chosen: str, rejected: str, said: str = "", group: str | None = None) -> Pair:
    return Pair("p", "?", chosen, rejected, {"image": said} if said else {}, group=group)


def test_length_and_overlap_are_differences_of_the_two_responses() -> None:
    pairs = [pair("a red ball", "blue", "A red ball."), pair("blue", "a red ball", "red ball")]
    assert length_only(pairs).tolist() == [6, -6]
    assert word_overlap(pairs).tolist() == pytest.approx([1.0, -2 / 3])
    assert word_overlap([pair("a", "b")]).tolist() == [0]


def test_descriptions_are_swapped_between_groups_and_none_keeps_its_own() -> None:
    pairs = [pair("a", "b", f"scene {n // 2}", group=f"g{n // 2}") for n in range(10)]
    found = swapped(pairs)
    own = [one.descriptions == other.descriptions for one, other in zip(found, pairs, strict=True)]
    assert not any(own)
    said = sorted(one.descriptions["image"] for one in found)
    assert said == sorted(one.descriptions["image"] for one in pairs)
    assert [one.chosen for one in found] == ["a"] * 10
    assert swapped(pairs) == found


def test_the_degradation_is_the_gap_between_where_the_proxy_is_right_and_wrong() -> None:
    main = np.array([1.0, 1.0, -1.0, 1.0, 0.0, -2.0])
    proxy = np.array([1.0, 1.0, 1.0, 1.0, -1.0, 0.0])
    found = shortcut_failure(main, proxy)
    assert (found.proxy_right, found.proxy_wrong) == (0.75, 0.5)
    assert (found.right, found.wrong) == (4, 1)
    assert found.degradation == 0.25
    assert shortcut_failure(main[:4], proxy[:4]).degradation is None


def test_ties_count_half() -> None:
    assert share_right(np.array([1.0, -1.0, 0.0, 0.0])) == 0.5


def test_words_that_no_blank_marks_overlap_too() -> None:
    seen = "桌子上有一个红色的球。"
    (difference,) = word_overlap([pair("红色的球在桌子上", "蓝色的椅子在外面", seen)])
    assert difference == 0.5  # seven of eight letters, three of eight
