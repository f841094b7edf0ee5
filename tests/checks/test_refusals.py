"""Refusals are found, and ordinary words are none."""

from __future__ import annotations

import pytest

from textcentric.checks.answer import refuses

ROLES = "ai|artificial intelligence|language model|assistant".split("|")
VERBS = "help|assist|provide|fulfil|answer|do that|rewrite".split("|")
REFUSALS = [
    *(f"Well, as {article} {role}, no." for article in ("a", "an") for role in ROLES),
    *(
        f"{start} {state} to do so."
        for start in ("I'm", "I am", "* I'm", "i am")
        for state in ("sorry", "unable", "not able")
    ),
    *(f"But I {no} {verb} it." for no in ("cannot", "can't", "can not") for verb in VERBS),
    *(
        "I apologise for it.",
        "I APOLOGIZE.",
        "My training data ends.",
        "It is my knowledge cutoff.",
    ),
    *("My training cutoff is near.", "Ask my knowledge data.", "AS AN AI, NO."),
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_found_with_and_without_letters_beyond_ascii(text: str) -> None:
    assert refuses(text)
    assert refuses(f"{text} Café.")


@pytest.mark.parametrize(
    "text", ["A calm dog.", "She was a lovely cat.", "I am a farmer and I can help.", ""]
)
def test_ordinary_words_are_no_refusal(text: str) -> None:
    assert not refuses(text)
    assert not refuses(f"{text} Café.")


def test_i_can_help_is_an_offer_and_no_refusal() -> None:
    assert not refuses("I can help you with the kittens, as a lodger of the house.")
