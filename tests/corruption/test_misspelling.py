"""Misspelt words: which are touched, that none becomes another word, that readers know them."""

from collections.abc import Callable
from difflib import SequenceMatcher
from random import Random

import pytest

from textcentric.corruption.misspelling import REAL_WORDS, misread, mistyped
from textcentric.corruption.rows import CORRUPTIONS
from textcentric.rows import Record

TEXT = (
    "Bella was found behind our house seven weeks ago, and we cannot keep her. She is not older"
    " than 3 months, sleeps quietly and follows you from room to room. Mail me@home.org or read"
    " www.shelter.org/cats today; don't wait! LOVELY HOME WANTED"
)
BOTH = pytest.mark.parametrize("misspell", [mistyped, misread])
Misspell = Callable[[str, float, Random], str]


@BOTH
def test_names_numbers_addresses_negations_and_short_words_stay(misspell: Misspell) -> None:
    for seed in range(40):
        words = misspell(TEXT, 1.0, Random(seed)).split()
        kept = (
            "Bella was our seven ago, and we cannot her. She is not older than 3 you to or".split()
        )
        assert [word for word in words if word in kept] == [w for w in TEXT.split() if w in kept]
        assert {"me@home.org", "www.shelter.org/cats", "don't"} <= set(words)


@BOTH
def test_a_misspelt_word_is_near_its_own_in_its_place_and_no_other_word(misspell: Misspell) -> None:
    for seed in range(40):
        for before, after in zip(
            TEXT.split(), misspell(TEXT, 1.0, Random(seed)).split(), strict=True
        ):
            if before != after:
                assert SequenceMatcher(None, before.lower(), after.lower()).ratio() >= 0.6
                assert after.strip(".,;!").lower() not in REAL_WORDS
                assert (before[0], before.isupper()) == (after[0], after.isupper())


@BOTH
def test_what_is_misspelt_at_a_level_is_misspelt_alike_at_a_higher_one(misspell: Misspell) -> None:
    some, more = (misspell(TEXT, level, Random(5)).split() for level in (0.3, 0.8))
    changed = [(i, w) for i, (w, v) in enumerate(zip(some, TEXT.split(), strict=True)) if w != v]
    assert changed
    assert all(more[i] == word for i, word in changed)
    assert misspell(TEXT, 0.0, Random(5)) == TEXT


@BOTH
def test_about_the_share_of_the_words_that_may_be_touched_is(misspell: Misspell) -> None:
    def changed(level: float) -> int:
        pairs = ((misspell(TEXT, level, Random(seed)), TEXT) for seed in range(60))
        return sum(
            a != b for told, text in pairs for a, b in zip(told.split(), text.split(), strict=True)
        )

    assert 0.15 < changed(0.2) / changed(1.0) < 0.25


@BOTH
def test_words_without_letters_to_misspell_are_left_alone(misspell: Misspell) -> None:
    for text in ("", "   ", "12 34 RM150", "猫很乖。", "a b c to"):
        assert misspell(text, 1.0, Random(0)) == text


@pytest.mark.parametrize("name", ["typing", "recognition"])
def test_a_row_is_misspelt_as_its_expert_reads_it(name: str) -> None:
    row = Record("r1", {"table": {"Kind": "spaniel"}, "text": "A <b>friendly</b> animal&nbsp;here"})
    damaged = CORRUPTIONS[name](row, 1.0, 0)
    assert damaged.inputs["table"] == row.inputs["table"]
    text = damaged.inputs["text"]
    assert len(text.split()) == 4
    assert "<" not in text
    assert text != "A friendly animal here"
    assert CORRUPTIONS[name](Record("r2", {"table": {"Kind": "cat"}}), 1.0, 0).inputs == {
        "table": {"Kind": "cat"}
    }


@pytest.mark.parametrize(
    "text",
    [
        "这盏台灯很旧但是晚上非常好看。",
        "とてもきれいに光ります。",
        "โคมไฟเก่าแต่ส่องสว่างสวยงาม",
        "यह दीपक पुराना दिखता है।",
        "المصباح قديم لكنه جميل",
        "오래된 램프지만 아름답습니다",
    ],
)
def test_words_of_scripts_without_capitals_are_mistyped_in_part(text: str) -> None:
    wrong = mistyped(text, 0.5, Random(1))
    assert wrong != text
    assert set(wrong) <= set(text)
    assert SequenceMatcher(None, wrong, text).ratio() > 0.6
    assert mistyped(text, 0.0, Random(1)) == text
