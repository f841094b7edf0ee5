"""The benchmark of the experts counts rightly: thresholds, known words, what must stay silent."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.expert_labels import TRUTHS
from benchmarks.expert_noises import NOISES, noises
from benchmarks.expert_pictures import Claim, captioned, drawn, sold
from benchmarks.expert_sounds import noisy, right_words, voiceless, words_of
from benchmarks.experts import chosen, limit, sample_pictures, share
from textcentric.experts import classifier
from textcentric.experts.voice import has_voice

MOST = 4  # drawn pictures of each kind: the benchmark takes 40


def claims(right: int, wrong: int, confidence: float, origin: str = "pets") -> list[Claim]:
    return [
        Claim(origin, place, "a dog", confidence, place < right) for place in range(right + wrong)
    ]


def test_the_threshold_is_the_least_at_which_8_of_10_are_right_within_the_interval() -> None:
    held = [*claims(100, 5, 0.65), *claims(20, 80, 0.35)]
    assert chosen(held) == 0.45
    assert chosen(claims(9, 1, 0.9)) is None  # 0.60 at least: too few
    assert chosen([*claims(300, 0, 0.9), *claims(7, 5, 0.9, "scenes")]) is None


def test_a_group_without_a_threshold_is_never_said() -> None:
    assert limit("a bird") == float("inf")
    assert (limit("a dog"), limit("a cat"), limit("other")) == (0.6, 0.15, 0.8)


@pytest.mark.parametrize(
    ("phrase", "words", "right"),
    [
        ("a dog", "two puppies run", True),
        ("a dog", "a hot day", False),
        ("a soccer ball", "boys play soccer", True),
        ("a croquet ball", "a dog with a ball", False),
        ("a tandem bicycle", "a red bicycle", True),
        ("a hippopotamus", "a man swims", False),
    ],
)
def test_a_label_is_right_where_a_caption_names_it(phrase: str, words: str, right: bool) -> None:
    assert captioned(phrase, set(words_of(words))) == right


def test_a_label_is_right_where_it_is_the_products_type() -> None:
    assert sold("a sneaker", "Sports Shoes")
    assert sold("a T-shirt", "Tops")
    assert sold("a water bottle", "Water Bottle")
    assert not sold("a sneaker", "Backpacks")
    assert not sold("a bulletproof vest", "Tshirts")


def test_words_count_in_their_order() -> None:
    assert right_words(("two", "docks", "run"), ("two", "dogs", "run")) == 2
    assert right_words((), ("two",)) == 0
    assert words_of("Nine of 10: it's 4.") == ("nine", "of", "ten", "it's", "four")
    assert share(9, 10) == "0.90 [0.60, 0.98] of 10"
    assert share(0, 0) == "-"


@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_passes_for_a_voice_where_nobody_speaks(seed: int) -> None:
    held = [one for one in voiceless(seed) if one.origin not in NOISES]
    assert len(held) == 13
    assert [one.origin for one in held if has_voice(one.sound.samples, 16_000)] == []


def test_drawn_noises_are_within_bounds_and_of_every_kind() -> None:
    held = dict(noises(0, 1.0))
    assert list(held) == list(NOISES)
    assert all(0.02 < float(np.abs(samples).max()) <= 1.0 for samples in held.values())
    assert {samples.size for samples in held.values()} == {16_000}


@pytest.mark.parametrize(
    ("label", "right"),
    [
        ("dog", False),
        ("cat", True),
        ("kitten", True),
        ("puppy", False),
        ("black cat", True),
        ("domestic short haired cat", False),
    ],
)
def test_a_label_of_a_service_is_right_where_people_declared_it(label: str, right: bool) -> None:
    pet = {"Type": "2", "Age": "11", "FurLength": "3", "colours": "black; white; "}
    assert TRUTHS[label](pet) == right


def test_noise_is_so_far_below_the_sound() -> None:
    (tone,) = (one for one in voiceless(0) if one.origin == "tone")
    noise = noisy(tone, 10.0, 0).sound.samples - tone.sound.samples
    ratio = np.square(tone.sound.samples).mean() / np.square(noise).mean()
    assert 10 * np.log10(ratio) == pytest.approx(10.0, abs=0.2)


def test_no_drawn_picture_has_a_label() -> None:
    for package in classifier.PACKAGES:
        pytest.importorskip(package)
    pictures = [picture for _, picture in drawn(sample_pictures(MOST), MOST)]
    assert [
        sight.phrase for sights in classifier.see([[p] for p in pictures]) for sight in sights
    ] == []


def test_drawn_pictures_are_of_every_kind(tmp_path: Path) -> None:
    kinds = [kind for kind, _ in drawn([], 1)]
    assert kinds == ["shapes", "bicycle", "noise", "blobs", "plain"]
