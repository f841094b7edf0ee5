"""Pairs that are held out, and what they show: shares, groups, chance and length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from textcentric.methods.reward.parting import parted
from textcentric.methods.reward.worth import (
    length_only,
    question,
    rule_of_length,
    too_few,
    worth,
)
from textcentric.metrics.intervals import FEW
from textcentric.rows import Pair

LONG, SHORT = "a long response", "short"


def some(count: int, of: int = 1, group: str | None = None) -> list[Pair]:
    """Return pairs, so many `of` each prompt."""
    return [Pair(str(n), f"prompt {n // of}", SHORT, LONG, group=group) for n in range(count)]


def lengths(shorter: int, longer: int) -> list[Pair]:
    """Return pairs, each of its own prompt, of so many of which that response is chosen."""
    both = [(SHORT, LONG)] * shorter + [(LONG, SHORT)] * longer
    return [Pair(str(n), f"prompt {n}", *sides) for n, sides in enumerate(both)]


def rewards(right: Sequence[bool]) -> np.ndarray:
    return np.where(right, 1.0, -1.0)


def test_a_share_of_the_pairs_is_held_out_and_no_prompt_is_on_both_sides() -> None:
    pairs = some(100, of=3)
    train, held_out = parted(pairs, 0.1, seed=0)
    assert len(held_out) == 10
    assert sorted((*train, *held_out), key=lambda pair: int(pair.id)) == pairs
    assert {pair.prompt for pair in train}.isdisjoint(pair.prompt for pair in held_out)
    assert [int(pair.id) for pair in train] == sorted(int(pair.id) for pair in train)


def test_the_seed_decides_which_and_the_order_of_pairs_does_not() -> None:
    pairs = some(60, of=2)
    ids = [{pair.id for pair in parted(pairs, 0.2, seed)[1]} for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]
    assert {pair.id for pair in parted(pairs[::-1], 0.2, 0)[1]} == ids[0]


def test_a_group_stays_whole_whatever_its_prompts() -> None:
    pairs = [Pair(str(n), f"prompt {n}", "a", "b", group=f"picture {n % 7}") for n in range(70)]
    train, held_out = parted(pairs, 0.3, seed=3)
    assert len(held_out) == 20
    assert {pair.group for pair in train}.isdisjoint(pair.group for pair in held_out)


@pytest.mark.parametrize("pairs", [some(9), some(40, of=20), some(40, group="one")])
def test_nothing_is_held_out_where_nothing_fits(pairs: list[Pair]) -> None:
    assert parted(pairs, 0.1, seed=0) == (pairs, [])


def test_descriptions_are_part_of_what_is_asked() -> None:
    one = Pair("1", "Which colour?", "red", "blue", {"image": "a red ball"})
    same = Pair("2", "Which colour? ", "crimson", "blue", {"image": "a red ball"})
    other = Pair("3", "Which colour?", "red", "blue", {"image": "a blue ball"})
    assert question(one) == question(same) != question(other)
    assert question(Pair("4", "", "a", "b")) != question(Pair("5", "", "a", "b"))


def test_the_rule_of_length_is_that_of_the_pairs_that_are_learnt_from() -> None:
    assert rule_of_length(lengths(shorter=6, longer=4)) == "shorter"
    assert rule_of_length(lengths(shorter=4, longer=6)) == "longer"
    assert length_only(lengths(1, 1)).tolist() == [-10, 10]


def test_a_model_at_chance_is_said_to_be_no_better_beside_length() -> None:
    pairs = lengths(shorter=60, longer=40)
    found = worth(rewards([n % 2 == 0 for n in range(100)]), pairs, "shorter")
    assert found.accuracy["value"] == 0.5
    assert found.length["value"] == 0.6
    low, high = found.accuracy["interval"]
    assert low == pytest.approx(0.5 - 0.098, abs=0.02)  # 1.96 sqrt(0.25 / 100)
    assert high == pytest.approx(0.5 + 0.098, abs=0.02)
    assert found.note().startswith(f"accuracy 0.500 [{low:.3f}, {high:.3f}] on 100 pairs is no")
    assert (
        "not shown to be better than chance, 0.5 (choosing the shorter response alone: 0.600 ["
        in found.note()
    )


def test_a_model_that_takes_the_shorter_one_is_said_to_be_no_better_than_length() -> None:
    pairs = lengths(shorter=70, longer=30)
    found = worth(-length_only(pairs), pairs, "shorter")
    assert found.accuracy == found.length
    assert found.above_length == {"value": 0.0, "interval": [0.0, 0.0]}
    assert (
        "is not shown to be better than length alone: choosing the shorter response" in found.note()
    )
    assert found.note().endswith("the difference +0.000 [+0.000, +0.000]")


def test_a_model_that_is_better_than_both_is_silent() -> None:
    pairs = lengths(shorter=60, longer=40)
    found = worth(rewards([n % 10 > 0 for n in range(100)]), pairs, "shorter")
    assert found.accuracy["value"] == 0.9
    assert found.above_length["interval"][0] > 0
    assert found.note() == ""


def test_a_worse_model_than_chance_is_not_silent() -> None:
    pairs = lengths(shorter=50, longer=50)
    assert (
        "not shown to be better than chance"
        in worth(rewards([False] * 100), pairs, "longer").note()
    )


def test_of_few_prompts_nothing_is_shown_however_right_the_model_is() -> None:
    pairs = lengths(shorter=FEW // 2, longer=FEW - FEW // 2)
    assert worth(rewards([True] * FEW), pairs, "shorter").note() == ""
    note = worth(rewards([True] * (FEW - 1)), pairs[1:], "shorter").note()
    assert "on 29 pairs shows nothing: an interval over 29 prompts or groups is too narrow" in note
    of_one = [Pair(p.id, p.prompt, p.chosen, p.rejected, group="a") for p in pairs]
    assert "over 1 prompts or groups" in worth(rewards([True] * FEW), of_one, "shorter").note()
    assert too_few(FEW, "prompts") == ""


def test_intervals_draw_whole_prompts() -> None:
    """40 prompts of ten like pairs are worth 40 pairs, not 400."""
    pairs = some(400, of=10)
    told = rewards([n // 10 % 2 == 0 for n in range(400)])
    low, high = worth(told, pairs, "shorter").accuracy["interval"]
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / 40**0.5, rel=0.15)
