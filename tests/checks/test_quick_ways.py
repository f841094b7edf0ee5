"""Quick ways of reading a text find what the plain expressions find, on texts made of all signs."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest

from textcentric.augmentation.picks import marks
from textcentric.checks.documents import SENTENCE
from textcentric.checks.form import HARSH, _harsher, _split, same_sentences
from textcentric.checks.names import CAPITALISED
from textcentric.checks.numbers import FIGURE, PLAIN_FIGURE, PLAIN_TOKEN, TOKEN
from textcentric.checks.words import WORD, written_words
from textcentric.experts.sentences import END, OTHER_ENDS, PLAIN_END

SIGNS = ["Anna", "dog", "It", "isn't", "3.5", "x_1", "'", "’", "zzzz", "bcdfgh", "é", "ﬁ", "“", "*"]
MARKS = [" ", " ", " ", "\t", "\n", ".", "!", "?", "…", ";", ",", ":", "-", ")", '"', "。", "\x1f"]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rng = random.Random(0)
    return ["".join(rng.choices(SIGNS + MARKS, k=rng.randrange(1, 14))) for _ in range(4000)]


def test_words_of_plain_text_are_those_of_the_expression(texts: list[str]) -> None:
    for text in filter(str.isascii, texts):
        assert written_words(text) == tuple(WORD.findall(text.lower())), text
        assert PLAIN_TOKEN.findall(text.lower()) == TOKEN.findall(text.lower()), text
        assert marks.PLAIN_WORD.findall(text) == marks.WORD.findall(text), text
        assert PLAIN_FIGURE.findall(text) == FIGURE.findall(text), text


def test_expressions_that_begin_with_a_sign_find_the_same(texts: list[str]) -> None:
    sentence = re.compile(r"(?<=[.!?…;])\s+|\n+")
    name = re.compile(r"(?<![.!?…:;\"'“*\n-])(?<=\s)[A-Z][a-z]+(?:['’-][A-Za-z]+)?")
    for text in texts:
        assert SENTENCE.split(text) == sentence.split(text), text
        assert CAPITALISED.findall(text) == name.findall(text), text


def test_sentences_of_one_line_end_at_the_same_places(texts: list[str]) -> None:
    for text in filter(OTHER_ENDS.isdisjoint, texts):
        plain = [end.end() for end in PLAIN_END.finditer(text)]
        assert plain == [end.end() for end in END.finditer(text)], text


def test_new_words_tell_harsh_texts_and_other_sentences(texts: list[str]) -> None:
    for one, other in pairwise(texts):
        harsher = HARSH.search(other) is not None and HARSH.search(one) is None
        assert _harsher(one, other) == harsher, (one, other)
        for text in (other, f"{one}. {other}"):
            turned = f"{other}. {one}"
            assert same_sentences(turned, text) == (_split(turned) == _split(text)), (turned, text)
