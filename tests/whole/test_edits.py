"""Edits of known truth say what they claim, and the readings of pairs are counted rightly."""

from __future__ import annotations

import ast
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest

import textcentric
from benchmarks.edit_rows import sample_passages, sentences
from benchmarks.edits import (
    KINDS,
    TRUE,
    UNTRUE,
    Passage,
    half_of,
    make_edits,
    unlisted_synonyms,
    unlisted_words,
)
from benchmarks.read_pairs import ReadPair, far_share, nearness, read_pairs, templates
from benchmarks.truth import area, difference, measure, wilson
from textcentric.errors import DataError

CHECKS = Path(textcentric.__file__).parent / "checks"
GENERAL = "thesaurus.txt"  # written from WordNet, beside no benchmark


def edited(kind: str, text: str, *facts: str, seed: int = 0) -> str | None:
    change = KINDS[kind](Passage(text, text, facts), random.Random(seed), frozenset())
    return change.text if change else None


def test_a_negation_is_taken_away_or_put_in() -> None:
    assert edited("negated", "The beds are neither hard nor soft.") == (
        "The beds are both hard and soft."
    )
    assert edited("negated", "She is not shy.", seed=1) == "She is shy."
    variant = edited("negated", "The sauna is yours.")
    assert variant is not None
    assert variant.startswith("The sauna is ")
    assert variant.endswith(" yours.")
    assert len(variant.split()) > len("The sauna is yours.".split())


def test_the_article_before_a_new_word_is_the_right_one() -> None:
    variants = {edited("role", "It is a dog.", seed=seed) for seed in range(20)}
    assert not [
        text for text in variants if text and re.search(r"\b(?:a [aeio]|an [^aeiouh])", text)
    ]


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("contraction", "He does not mind baths.", "He doesn't mind baths."),
        ("clause order", "When it rains, she hides under the bed.", None),
        (
            "clause order",
            "When he is alone, he hides in the shed.",
            "He hides in the shed when he is alone.",
        ),
        ("clause order", "When it rains he steals a sock.", "He steals a sock when it rains."),
        (
            "clause dropped",
            "She eats dry food twice and sleeps on a towel.",
            "She eats dry food twice.",
        ),
        ("synonym", "The nearest shop is far away.", "The nearest store is far away."),
        ("synonym", "He is in need of love.", None),
        ("name", "Bingo is a calm pet.", None),
    ],
)
def test_a_true_edit_says_the_same_and_none_is_made_where_it_would_not(
    kind: str, before: str, after: str | None
) -> None:
    assert edited(kind, before) == after


def test_a_name_of_the_table_is_renamed() -> None:
    variant = edited("name", "Bingo is a calm pet.", "Bingo")
    assert variant is not None
    assert variant.endswith(" is a calm pet.")
    assert "Bingo" not in variant


def test_a_typing_mistake_changes_one_word_a_little() -> None:
    variant = edited("typing mistake", "Please understand.")
    assert variant is not None
    assert variant != "Please understand."
    assert abs(len(variant) - len("Please understand.")) <= 1


def test_edits_are_even_over_kinds_and_the_same_at_equal_seed() -> None:
    passages = list(sample_passages(60, 20))
    edits = make_edits(passages, 48)
    assert edits == make_edits(passages, 48)
    assert {edit.kind for edit in edits} == {*UNTRUE, *TRUE}
    assert len({edit.passage for edit in edits}) == 48
    assert all(edit.true == (edit.kind in TRUE) for edit in edits)
    assert make_edits(passages, 48, seed=1) != edits


def test_only_plain_english_sentences_are_taken() -> None:
    text = "He is a calm dog and likes people. Anjing ini sangat manja dan aktif. Call 012/34."
    assert [passage.text for passage in sentences(text, ("Bo", ""), "real")] == [
        "He is a calm dog and likes people."
    ]


def test_unlisted_words_stand_in_no_list_of_the_checks() -> None:
    unlisted = unlisted_words()
    assert len(unlisted) > 60
    assert half_of("Teal") == half_of("teal")
    assert not unlisted & _listed(), "words of the unlisted half may stand in no list of the checks"


def test_no_list_says_that_unlisted_synonyms_are_some() -> None:
    groups = [
        {word.strip() for word in line.split(",")}
        for path in CHECKS.rglob("*.txt")
        if path.name != GENERAL
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    pairs = unlisted_synonyms()
    assert len(pairs) > 30
    assert not [pair for pair in pairs if any(pair <= group for group in groups)]


def _listed() -> set[str]:
    """Return the words of every text in the code of the checks, docstrings aside, and its files."""
    texts: list[str] = []
    for path in CHECKS.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told
        ]
    texts += [
        path.read_text(encoding="utf-8")
        for path in CHECKS.rglob("*")
        if path.suffix in (".txt", ".json") and path.name != GENERAL
    ]
    return set(re.findall(r"\w+", " ".join(texts)))


def pair(source: str, variant: str, *readers: str) -> ReadPair:
    return ReadPair(source, variant, readers or ("same", "same"))


def test_readers_who_differ_do_not_make_a_pair_true() -> None:
    assert pair("a", "b", "same", "less").true("fewer")
    assert not pair("a", "b", "same", "less").true("same")
    assert not pair("a", "b", "same", "changed").true("fewer")
    assert pair("a", "b", "same", "changed", "same").true("same")


def test_new_words_are_near_or_far() -> None:
    typed = pair("He likes people.", "He likes poeple.")
    assert typed.new_words == ["poeple"]
    assert nearness(typed) >= 0.7
    assert far_share(typed) == 0
    assert far_share(pair("He likes people.", "He likes cheese.")) == pytest.approx(1 / 3)
    assert nearness(pair("He likes people.", "He likes.")) == 1


def test_sources_of_one_template_stay_together() -> None:
    sources = ["When it rains he sleeps.", "Call me after six.", "When it rains he hides."]
    first, second, third = templates(sources)
    assert first == third != second


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"variant": "b", "readers": ["same"]}, "line 1 has no source"),
        ({"source": "a", "variant": "b", "readers": []}, "line 1 has no readers"),
        ({"source": "a", "variant": "b", "readers": ["sme"]}, "did you mean 'same'"),
    ],
)
def test_a_reading_that_cannot_be_used_is_named(
    tmp_path: Path, line: dict[str, str], message: str
) -> None:
    (tmp_path / "pairs.jsonl").write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_pairs(tmp_path / "pairs.jsonl")


def test_shares_and_areas_have_their_known_values() -> None:
    assert wilson(0, 0) == (0, 1)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    true = np.array([True, True, False, False])
    assert area(true, np.array([3.0, 1.0, 2.0, 0.0])) == 0.75
    groups = np.arange(4)
    assert difference(true, np.ones(4), np.ones(4), groups, 20) == (0, 0)


def test_the_benchmark_counts_every_kind() -> None:
    figure = measure(48, embed=False, data=Path("nowhere"), draws=5)
    assert 0 <= figure.value <= 1
    assert set(figure.raw["kinds"]) == {*KINDS, "clause dropped (fewer)"}
    assert any("no far new word" in note for note in figure.notes)
