"""Words that may stand for each other: what the list proposes, and what it leaves alone."""

from __future__ import annotations

import pytest

from textcentric.prompts.equivalents import equivalents, exchanged, exchanges, only_exchanged


def proposed(text: str, kept: frozenset[str] = frozenset()) -> dict[str, tuple[str, ...]]:
    return {one.old: one.instead for one in exchanges(text, kept)}


def test_the_longest_words_that_are_listed_are_proposed() -> None:
    assert proposed("He needs a big bed.") == {"needs a": ("requires a",), "big": ("large",)}


@pytest.mark.parametrize(
    "text",
    [
        "He has special needs.",
        "She likes to sleep.",
        "Yours truly.",
        "Mail please.",
        "This hut will please young people.",
        "He moved. To us he is new.",
        "Ask for Mrs Big at the desk.",
        "BIG dog",
    ],
)
def test_words_that_mean_something_else_there_and_names_are_left_alone(text: str) -> None:
    assert proposed(text) == {}


def test_words_that_are_kept_are_left_alone() -> None:
    assert proposed("A big calm dog.", frozenset(["big"])) == {"calm": ("placid",)}


def test_an_exchange_keeps_the_capital_and_fits_the_article() -> None:
    text = "Huge house with a fenced yard."
    first, second, third = exchanges(text)
    assert exchanged(text, {first: "enormous", second: "enclosed", third: "garden"}) == (
        "Enormous house with an enclosed garden."
    )


def test_every_entry_proposes_other_words_and_none_is_said_twice() -> None:
    for words, entry in equivalents().items():
        assert entry.instead
        assert all(one and one.lower().split() != list(words) for one in entry.instead)
        assert len(set(entry.instead)) == len(entry.instead)


@pytest.mark.parametrize(
    ("variant", "listed"),
    [
        ("Enormous house with an enclosed garden.", True),
        ("Huge house with a fenced garden.", True),
        ("Huge house with a fenced yard.", False),
        ("Enormous house with a locked garden.", False),
        ("Enormous house with a garden.", False),
        ("Enormous houses with an enclosed garden.", False),
    ],
)
def test_a_text_with_listed_exchanges_alone_is_known(variant: str, listed: bool) -> None:
    assert only_exchanged("Huge house with a fenced yard.", variant) is listed
