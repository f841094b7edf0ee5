"""Pairs about scenes: only the description tells the answer, and cues are as strong as set."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.scenes import (
    CUES,
    POLITE,
    SLOTS,
    Environment,
    candidates,
    scene_pairs,
    words,
)
from textcentric.errors import ConfigError
from textcentric.rows import Pair

VALUES = {value: slot for slot, values in SLOTS.items() for value in values}


def value(response: str) -> str:
    (found,) = [word for word in response.split() if word in VALUES]
    return found


def true(pair: Pair) -> bool:
    return value(pair.chosen) in pair.descriptions["image"].split()


def has(cue: str, response: str) -> bool:
    return {"polite": POLITE in response, "list": response.startswith("- ") or ". - " in response}[
        cue
    ]


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def test_pairs_are_the_same_for_the_same_seed_and_name_every_slot() -> None:
    environment = Environment()
    pairs = scene_pairs(environment, 50, seed=3)
    assert pairs == scene_pairs(environment, 50, seed=3)
    assert pairs != scene_pairs(environment, 50, seed=4)
    for pair in pairs:
        said = Counter(
            VALUES[word] for word in pair.descriptions["image"].split() if word in VALUES
        )
        assert said == {"colour": 1, "shape": 1, "count": 1}
        assert pair.chosen != pair.rejected


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_description_tells_the_chosen_value_but_for_the_noise(noise: float) -> None:
    pairs = scene_pairs(Environment(noise=noise), 2000, seed=0)
    assert share([true(pair) for pair in pairs]) == pytest.approx(1 - noise, abs=0.03)


def test_without_the_description_values_say_nothing() -> None:
    pairs = scene_pairs(Environment(strength=0.5, noise=0.0), 4000, seed=0)
    chosen = Counter(value(pair.chosen) for pair in pairs)
    rejected = Counter(value(pair.rejected) for pair in pairs)
    for name in VALUES:
        both = chosen[name] + rejected[name]
        assert chosen[name] / both == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize(("strength", "elsewhere"), [(0.9, 0.5), (0.7, 0.3), (1.0, 0.5)])
def test_cues_go_with_the_chosen_response_as_often_as_set(
    strength: float, elsewhere: float
) -> None:
    pairs = scene_pairs(Environment("polite", strength, elsewhere), 2000, seed=0)
    polite = [has("polite", pair.chosen) for pair in pairs]
    listed = [has("list", pair.chosen) for pair in pairs]
    assert share(polite) == pytest.approx(strength, abs=0.03)
    assert share(listed) == pytest.approx(elsewhere, abs=0.04)
    assert [pair.subset == "aligned" for pair in pairs] == polite
    assert all(has("polite", pair.chosen) != has("polite", pair.rejected) for pair in pairs)


def test_a_wrong_description_no_longer_tells() -> None:
    pairs = scene_pairs(Environment(noise=0.0, error=1.0), 500, seed=0)
    assert not any(true(pair) for pair in pairs)


def test_candidates_are_every_value_with_every_cue() -> None:
    found = list(candidates(Environment(), "7"))
    assert len(found) == 5 * (len(CUES) + 1)
    assert [right for _, right in found].count(True) == len(CUES) + 1
    assert len({pair.prompt for pair, _ in found}) == 1


def test_every_word_is_known() -> None:
    known = set(words())
    for cue in CUES:
        for pair in scene_pairs(Environment(cue), 200, seed=1):
            said = " ".join([pair.prompt, pair.chosen, pair.rejected, *pair.descriptions.values()])
            assert set(said.split()) <= known


def test_what_is_no_share_or_no_cue_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"strength is 1\.2, expected a share"):
        Environment(strength=1.2)
    with pytest.raises(ConfigError, match="did you mean 'polite'"):
        Environment("polit")
