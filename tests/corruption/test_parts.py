"""Damage to rows in words: each part loses its own kind of piece, and one piece stays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from textcentric.corruption.rows import (
    corrupt_parts,
)

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


SIGHTS = (
    "2 photos. Seen: clearly a St. Bernard (0.99), eye (0.80). A dog sits."
    " Colours: mainly grey, then brown and white. Light: dark (1); normal (1)."
)


def test_parts_lose_their_own_kind_of_piece_and_other_parts_words() -> None:
    parts = {"table": "Type: cat. Age: 3.", "text": "a b", "image": "1 photo. Light: dark.",
             "summary": "A cat."}  # fmt: skip
    rng = Random(4)
    draws = [rng.random() for _ in range(7)]  # 2 statements, 2 words, 1 look, 2 words
    level = sorted(draws)[3]  # three go
    left = corrupt_parts(parts, level, Random(4))
    table, text, image, summary = draws[:2], draws[2:4], draws[4:5], draws[5:]
    expected = {
        "table": _stay(["Type: cat.", "Age: 3."], table, level),
        "text": _stay(["a", "b"], text, level),
        "image": _stay(["1 photo. Light: dark."], image, level),
        "summary": _stay(["A", "cat."], summary, level),
    }
    assert left == {name: words for name, words in expected.items() if words}
    assert parts["text"] == "a b"


def _stay(pieces: Sequence[str], draws: Sequence[float], level: float) -> str:
    return " ".join(piece for piece, u in zip(pieces, draws, strict=True) if u >= level)


def test_parts_at_level_0_stay_and_at_level_1_keep_one_piece() -> None:
    parts = {"table": "Type: cat. Age: 3.", "text": "a b", "image": ""}
    assert corrupt_parts(parts, 0, Random(0)) == parts
    for seed in range(9):
        left = corrupt_parts(parts, 1, Random(seed))
        assert next(iter(left.items())) in [
            ("table", "Type: cat."),
            ("table", "Age: 3."),
            ("text", "a"),
            ("text", "b"),
        ]
        assert len(left) == 1
    assert corrupt_parts({}, 1, Random(0)) == {}


def test_parts_dropped_at_a_level_are_dropped_at_every_higher_one() -> None:
    parts = {"table": "Type: cat. Age: 3.", "text": "a b c d", "image": SIGHTS}
    for seed in range(30):
        left = [
            {
                word
                for text in corrupt_parts(parts, level, Random(seed)).values()
                for word in text.split()
            }
            for level in (0.0, *LEVELS)
        ]
        sure = [words - {"mainly", "then", "and", "Seen:", "Colours:"} for words in left]
        bare = [{word.strip(".,") for word in words} for words in sure]
        assert all(high <= low for low, high in pairwise(bare))
