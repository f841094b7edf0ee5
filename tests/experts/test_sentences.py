"""Sentences: where they begin and end, and that putting them back changes nothing else."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from textcentric.experts.sentences import sentence_spans, splice


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("...  !!", []),
        ("One dog", ["One dog"]),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Lee has a cat. It is calm.", ["Dr. Lee has a cat.", "It is calm."]),
        ("Call me\nor write", ["Call me", "or write"]),
        ('He said "come." She came.', ['He said "come."', "She came."]),
        ("Costs 3.50 a day. Cheap!", ["Costs 3.50 a day.", "Cheap!"]),
        ("Тихая кошка. Ищет дом!", ["Тихая кошка.", "Ищет дом!"]),
        ("可爱的猫。很安静。", ["可爱的猫。", "很安静。"]),
        ("他说：“很安静。”真的？！是！", ["他说：“很安静。”", "真的？！", "是！"]),
        ("「静か。」猫です。", ["「静か。」", "猫です。"]),
        ("यह बिल्ली शांत है। घर चाहिए॥ आइए", ["यह बिल्ली शांत है।", "घर चाहिए॥", "आइए"]),
        ("یہ بلی پرسکون ہے۔ کیوں؟ جی", ["یہ بلی پرسکون ہے۔", "کیوں؟", "جی"]),
        ("แมวตัวนี้เงียบและน่ารัก มันกำลังมองหาบ้านใหม่", ["แมวตัวนี้เงียบและน่ารัก", "มันกำลังมองหาบ้านใหม่"]),
        ("ราคาเพียง 500 บาท ถูกมาก", ["ราคาเพียง 500 บาท ถูกมาก"]),
        ("ឆ្មានេះស្ងាត់។ វាស្អាត។", ["ឆ្មានេះស្ងាត់។", "វាស្អាត។"]),
        ("A dog 🐕. Two cats 🐈!", ["A dog 🐕.", "Two cats 🐈!"]),
    ],
)
def test_a_text_falls_into_its_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_long_sentence_is_cut_at_its_commas() -> None:
    half = "a small dog that " + "really " * 18 + "barks"
    assert [len(part.split()) for part in sentences(f"{half}, {half}, {half}.")] == [23, 23, 23]


def test_a_long_sentence_without_blanks_is_cut_at_its_commas() -> None:
    half = "这盏台灯" * 10
    assert sentences(f"{half}，{half}。") == [f"{half}，", f"{half}。"]


def test_a_long_sentence_without_commas_stays_whole() -> None:
    assert len(sentences("word " * 500)) == 1


def test_splicing_nothing_changes_nothing() -> None:
    assert splice("One. Two.", []) == "One. Two."


def test_splicing_replaces_the_spans_and_keeps_what_is_between() -> None:
    assert splice("One.  Two. Three", [((0, 4), "Uno."), ((11, 16), "Tre")]) == "Uno.  Two. Tre"


def test_putting_every_sentence_back_gives_the_text_again() -> None:
    draw = random.Random(7)
    for _ in range(200):
        text = "".join(draw.choice(["dog ", "e.g. ", "Mr. ", ". ", "!\n", ", ", '"', "。", "x"])
                       for _ in range(60))  # fmt: skip
        spans = sentence_spans(text)
        assert splice(text, [(span, text[span[0] : span[1]]) for span in spans]) == text
        assert all(a[1] <= b[0] for a, b in pairwise(spans))
