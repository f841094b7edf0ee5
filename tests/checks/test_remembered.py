"""Texts are remembered for the checks of their row; long ones no longer."""

from __future__ import annotations

from textcentric.checks.remembered import LONG, let_go
from textcentric.checks.words import listed, words
from textcentric.experts.sentences import _spans, sentence_spans


def test_what_was_read_of_a_long_row_is_let_go_with_it() -> None:
    words("A calm dog.")
    sentence_spans("A calm dog.")
    let_go(LONG)
    assert words.cache_info().currsize > 0
    assert _spans.cache_info().currsize > 0
    let_go(LONG + 1)
    assert words.cache_info().currsize == 0
    assert _spans.cache_info().currsize == 0


def test_lists_that_are_read_once_stay() -> None:
    listed("function")
    let_go(LONG + 1)
    assert listed.cache_info().currsize > 0
