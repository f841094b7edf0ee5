"""Curation: each reason by an example, texts that must pass, and bounds at their exact values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from textcentric.augmentation.curation import (
    Draft,
    Piece,
    check_meaning,
    check_piece,
    check_words,
    drop_repeats,
    texts_to_embed,
    trim,
)
from textcentric.prompts.prompt import Checks, Front, Prompt

SOURCE = "This calm dog was found behind the old bakery in Mill Lane last spring."
BODY = """{% block user %}{{ row }}

Please misspell some of the longer words, then stop.{% endblock %}"""

TEXTS = {  # by the reason for which they are left out
    "empty": [
        "",
        " \n",
        "...",
        "🐕 🐕",
        '""',
    ],
    "preamble": [
        "Sure, here is the listing you wanted.",
        "Certainly! A calm dog.",
        "Of course. A calm dog.",
        "Here is a calm dog behind the bakery.",
        "Here's the text: a calm dog.",
        "Okay, here goes the dog.",
        "The rewritten listing says that the dog is calm.",
        "Rewritten: a calm dog.",
        "Answer: a calm dog.",
        "Step 1: a calm dog.",
        '"Sure, here is a calm dog."',
    ],
    "refusal": [
        "I cannot help with that request.",
        "I can't assist with writing listings of dogs.",
        "I'm sorry, but this is not possible.",
        "As an AI language model I write no listings.",
        "We apologise. As a language model, this is beyond us.",
        "I apologize for the calm dog.",
    ],
    "loop": [
        "He is calm. He is calm. He is calm.",
        "He is calm. She sleeps. He is calm! She sleeps. He is calm? She sleeps.",
        "the old dog likes his warm bed and the old dog likes his warm bed and"
        " the old dog likes his warm bed",
        "dog dog dog dog dog dog dog dog",
        "calm calm calm calm calm calm calm dog calm",
        "Calm dog\nCalm dog\nCalm dog",
        "Тихая кошка. Тихая кошка. Тихая кошка.",
        "很安静。 很安静。 很安静。",
    ],
    "": [
        "He is calm. He is calm. She is not.",
        "the old dog likes his warm bed and the old dog likes his warm bed and sleeps",
        "Very very very calm dog, found behind a bakery.",
        "Call 1 1 1 1 1 1 for the dog.",
    ],
}


def prompt(body: str = BODY, **checks: Any) -> Prompt:
    front = Front(
        id="own/one", version=1, stage="adversarial", intent="Test.", checks=Checks(**checks)
    )
    return Prompt(front, body, "d")


def draft(*texts: str, source: str = SOURCE, row: str = "", **checks: Any) -> Draft:
    """Return a draft whose pieces are `texts`, each standing for `source`."""
    return Draft(prompt(**checks), row or source, [Piece(source, text) for text in texts])


def reason(text: str, source: str = SOURCE, row: str = "", **checks: Any) -> str:
    one = draft(text, source=source, row=row, **checks)
    return check_piece(one.pieces[0], one)


@pytest.mark.parametrize(
    ("expected", "text"), [(why, text) for why, texts in TEXTS.items() for text in texts]
)
def test_a_text_that_is_no_listing_is_left_out_for_its_reason(expected: str, text: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize("text", ["Sure, he is calm. Call me!", "I'm sorry to let him go. He is"])
def test_words_that_the_source_has_too_are_no_preamble_and_no_refusal(text: str) -> None:
    assert reason(text, source=f"{text} a dog.") == ""


@pytest.mark.parametrize(
    "text", [SOURCE, SOURCE.upper(), f" {SOURCE}..", SOURCE.replace(" ", "\n")]
)
def test_the_same_words_again_are_unchanged(text: str) -> None:
    assert reason(text) == "unchanged"


def test_five_words_of_the_instruction_are_an_echo() -> None:
    assert reason("I misspell some of the longer words now.") == "instruction echoed"
    assert reason("I misspell some of the names now, you know.") == ""


def test_words_of_the_instruction_that_the_row_has_too_are_no_echo() -> None:
    row = "They misspell some of the longer words here."
    assert reason("You misspell some of the longer words!", source=SOURCE, row=row) == ""


def test_an_instruction_of_the_bank_is_not_to_be_echoed_either() -> None:
    one = draft("Swap two neighbouring letters in every word of it.")
    assert check_piece(one.pieces[0], one) == ""
    object.__setattr__(one.prompt, "instruction", "Swap two neighbouring letters in each word.")
    assert check_piece(one.pieces[0], one) == "instruction echoed"


@pytest.mark.parametrize(
    ("count", "expected"), [(3, "too short"), (4, ""), (6, ""), (7, "too long")]
)
def test_the_number_of_words_has_bounds(count: int, expected: str) -> None:
    words = "one two three four five six seven".split()[:count]
    assert reason(" ".join(words), words=(4, 6)) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(4, "too short"), (5, ""), (15, ""), (16, "too long")]
)
def test_the_length_has_bounds_relative_to_the_source(count: int, expected: str) -> None:
    source = "a b c d e f g h i j"
    text = " ".join(f"w{n}" for n in range(count))
    assert reason(text, source=source, length=(0.5, 1.5)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c d e f g h i", "copied"),
        ("a b c d e f g h x", ""),
        ("a b x y", ""),
        ("a x y z", "foreign words"),
    ],
)
def test_the_share_of_new_words_has_bounds(text: str, expected: str) -> None:
    assert reason(text, source="a b c d e f g h i j", new_words=(0.1, 0.5)) == expected


def test_an_order_that_stays_is_no_permutation() -> None:
    source = "one two three four five"
    assert reason("one two three five", source=source, moved=0.2) == "order unchanged"
    assert reason("three four five one two", source=source, moved=0.25) == ""
    assert reason("three four five one two", source=source, moved=0.26) == "order unchanged"


@pytest.mark.parametrize(
    ("text", "allowed", "expected"),
    [
        ("He is 5 years old.", 0, "numbers invented"),
        ("He is 3 years old, call 555-12.", 0, ""),
        ("He is 5 years old.", 1, ""),
        ("He is 5 years old and costs 80.", 1, "numbers invented"),
        ("He is 3 years old and costs 80, call 555.", 1, ""),
        ("He is 3.5 years old.", 0, "numbers invented"),
    ],
)
def test_numbers_must_come_from_the_row(text: str, allowed: int, expected: str) -> None:
    row = "The dog is 3 years old. Call 555-12."
    assert reason(text, source="The dog is 3 years old.", row=row, new_numbers=allowed) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Tihs calm dgo was foudn bheind the old bakrey in Mill Lane lsat spring.",
        "Surely the calmest dog ever found behind a bakery.",
        "Hereford's calm dog was found in spring.",
        "A dog (calm!) - found: Mill Lane, spring.",
        "Кошка найдена весной за пекарней.",
        "كلبة هادئة وجدت خلف المخبز.",
        "<script>alert(1)</script> {{ 7*7 }} calm dog 🐕",
    ],
)
def test_an_honest_rewriting_passes_every_check(text: str) -> None:
    assert reason(text, new_numbers=0 if "7" not in text else 2) == ""


def test_a_draft_counts_while_enough_of_its_sentences_were_written_well() -> None:
    good, bad = "A calm dgo came from the bakrey.", ""
    half = draft(good, bad, min_written=0.5)
    check_words(half)
    assert (half.reason, half.scores["written"]) == ("", 0.5)
    assert [piece.reason for piece in half.pieces] == ["", "empty"]
    third = draft(good, bad, SOURCE, bad, min_written=0.5)
    check_words(third)
    assert (third.reason, third.scores["written"]) == ("empty", 0.25)


def test_a_draft_on_which_there_was_nothing_to_write_is_dropped() -> None:
    none = draft()
    check_words(none)
    assert none.reason == "nothing to write on"


def test_the_share_of_facts_kept_is_a_score_and_may_be_a_reason() -> None:
    source = "Rex is 3 years old, weighs 12 kg."
    one = draft("Rex is 3 years old, so heavy!", source=source)
    one.facts = ["rex", "poodle"]  # a fact that the source does not state does not count
    check_words(one)
    assert (one.scores["facts"], one.reason) == (0.667, "")
    strict = draft("Rex is 3 years old, so heavy!", source=source, kept_facts=0.7)
    strict.facts = ["rex"]
    check_words(strict)
    assert strict.reason == "facts lost"


def unit(degrees: float) -> list[float]:
    return [float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))]


def meaning(drafts: list[Draft], *degrees: float) -> None:
    vectors = iter([unit(angle) for angle in degrees])
    check_meaning(drafts, lambda texts: np.array([next(vectors) for _ in texts]))


def test_texts_are_embedded_draft_by_draft_the_written_ones_first() -> None:
    first, second = draft("a x", "b x", source="s"), draft("c x", source="t")
    first.pieces[0].reason = "loop"
    third = draft("d x", source="u")
    third.reason = "loop"
    assert texts_to_embed([first, second, third]) == ["b x", "s", "c x", "t"]


@pytest.mark.parametrize(
    ("degrees", "cosine", "expected"),
    [
        (0, 1.0, "too near the source"),
        (59, 0.515, ""),
        (61, 0.4848, "drifted from source"),
        (180, -1.0, "drifted from source"),
    ],
)
def test_similarity_to_the_source_has_bounds(degrees: float, cosine: float, expected: str) -> None:
    one = draft("x", source="s", similarity=(0.5, 0.99), sibling=None)
    meaning([one], degrees, 0)
    assert one.reason == expected
    assert one.pieces[0].similarity == cosine


def test_the_similarity_of_a_draft_is_the_mean_of_its_written_sentences() -> None:
    one = draft("x", "y", "z", source="s", similarity=(0.4, 0.99), min_written=0.5, sibling=None)
    meaning([one], 60, 30, 90, 0, 0, 0)
    assert [piece.reason for piece in one.pieces] == ["", "", "drifted from source"]
    assert one.scores["similarity"] == 0.683  # (0.5 + 0.866) / 2
    assert one.scores["written"] == 0.667


def test_a_near_duplicate_of_an_accepted_sibling_is_dropped() -> None:
    drafts = [draft("x", source="s", sibling=0.9, similarity=None) for _ in range(3)]
    meaning(drafts, 0, 0, 20, 0, 45, 0)
    assert [one.reason for one in drafts] == ["", "near-duplicate of a sibling", ""]
    assert [one.scores["sibling"] for one in drafts] == [0.0, 0.9397, 0.7071]


def test_a_dropped_sibling_does_not_count_against_the_next() -> None:
    drafts = [draft("x", source="s", sibling=0.9, similarity=(0.5, 1.0)) for _ in range(2)]
    meaning(drafts, 90, 0, 40, 0)
    assert [one.reason for one in drafts] == ["drifted from source", ""]
    assert drafts[1].scores["sibling"] == 0.0


def test_checks_that_are_switched_off_drop_nothing() -> None:
    drafts = [draft("x", source="s", similarity=None, sibling=None) for _ in range(2)]
    meaning(drafts, 180, 0, 180, 0)
    assert [one.reason for one in drafts] == ["", ""]


def test_a_row_equal_to_its_source_or_an_accepted_sibling_is_dropped() -> None:
    drafts = [draft("x") for _ in range(4)]
    drafts[1].reason = "loop"
    drop_repeats(drafts, ["A  dog", "B dog", "B dog", "B\ndog"], "A dog")
    assert [one.reason for one in drafts] == [
        "identical to source or sibling",
        "loop",
        "",
        "identical to source or sibling",
    ]


def test_a_row_that_says_the_same_in_three_sentences_goes_in_circles() -> None:
    sound, circling, source = draft("x"), draft("x"), "One. Two. Three. Four."
    drop_repeats([sound, circling], ["He is it. Two. He is it.", "So. So. Two. So."], source)
    assert [sound.reason, circling.reason] == ["", "loop"]


def test_a_source_that_goes_in_circles_itself_is_not_held_against_the_model() -> None:
    one = draft("x")
    drop_repeats([one], ["Call. Call. Call. Yes."], "Call. Call. Call. No.")
    assert one.reason == ""


@pytest.mark.parametrize(
    ("answer", "finish", "sentences", "text", "cuts"),
    [
        ("  A dog. \n", "stop", None, "A dog.", ()),
        ('"A dog."', "stop", None, "A dog.", ("quotation marks",)),
        ("«Собака.»", "stop", None, "Собака.", ("quotation marks",)),
        ("A dog. It is ca", "length", None, "A dog.", ("unfinished end",)),
        ("A dog that nev", "length", None, "", ("unfinished end",)),
        ("A dog.\nAnother line.", "stop", 1, "A dog.", ()),
        ("A dog. A cat. A fox.", "stop", 2, "A dog. A cat.", ("further sentences",)),
        ("A dog. A cat.", "stop", 2, "A dog. A cat.", ()),
        ("A dog. A cat. A fo", "length", 1, "A dog.", ("unfinished end", "further sentences")),
        ("「猫です。」", "stop", 1, "猫です。", ("quotation marks",)),
        ("猫很乖。它找家。它很", "length", None, "猫很乖。它找家。", ("unfinished end",)),
        ("猫很乖。它找家。快来。", "stop", 2, "猫很乖。它找家。", ("further sentences",)),
    ],
)
def test_an_answer_is_trimmed_of_what_is_not_part_of_it(
    answer: str, finish: str, sentences: int | None, text: str, cuts: tuple[str, ...]
) -> None:
    assert trim(answer, finish, sentences=sentences) == (text, cuts)
