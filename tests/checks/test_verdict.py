"""The verdict: rules first, then weights; summaries by rules alone; what is not judged."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from textcentric.checks.edit import Edit, Facts
from textcentric.checks.verdict import (
    PRECISIONS,
    WEIGHTS,
    Weights,
    judge,
    question,
    score_of,
    threshold,
    weighs,
)

ROW = (
    "Type: cat. Name: Chilli. Age: 12 months. Breed: Calico. Gender: female. Fee: free.\n\n"
    "She is housed with two others and takes wet food a day. Chilli is curious about birds."
    " She does not like brooms."
)


def said(
    source: str, variant: str, facts: Facts = "same", row: str = ""
) -> tuple[bool | None, str]:
    (verdict,) = judge([Edit(source, variant, row)], facts)
    return verdict.true, verdict.reason


@pytest.mark.parametrize(
    ("source", "variant", "facts", "reason"),
    [
        ("He costs 50 ringgit.", "He costs 60 ringgit.", "same", "number changed"),
        ("Please meet Roti.", "Please meet Boba.", "same", "name changed"),
        ("He is not shy.", "He is shy.", "fewer", "negation changed"),
        ("He is shy.", "He is bold.", "same", "opposite"),
        ("Come on Monday.", "Come on Friday.", "fewer", "another kind"),
        ("He almost fell.", "He fell.", "fewer", "scope changed"),
        ("When it rains he chews.", "When it rains.", "fewer", "unfinished"),
        ("She sleeps a lot and comes when called.", "She sleeps.", "same", "says less"),
        ("He sleeps on the sofa.", "He dances on the roof.", "fewer", "says something else"),
    ],
)
def test_what_is_not_true_says_why(source: str, variant: str, facts: Facts, reason: str) -> None:
    assert said(source, variant, facts) == (False, reason)


def test_what_is_true_passes() -> None:
    answer = "Send a message and I will answer."
    assert said(answer, "Send a message and I will respond.") == (True, "")
    assert said("He is a calm dog.", "He's a calm dog.") == (True, "")
    assert said("When it rains he chews.", "He chews when it rains.") == (True, "")
    assert said("He sleeps. She eats.", "She eats. He sleeps.") == (True, "")
    calm = "She sleeps a lot and comes when called."
    assert said(calm, "She sleeps a lot.", "fewer") == (True, "")


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("Chilli is a Calico cat, curious about birds.", ""),
        ("Chilli, a 12 months old female cat, is housed with two others.", ""),
        ("Chilli is a wonderful cat.", "a word that the row lacks"),
        ("A wonderful and loyal companion.", "words that the row lacks"),
        ("Chilli is a cat of 2 years.", "number changed"),
        ("Chilli is curious about brooms.", "negation changed"),
        ("He is curious about birds.", "another kind"),
        ("Chilli takes birds.", "a relation that the row lacks"),
    ],
)
def test_a_summary_is_held_to_the_words_of_its_row(variant: str, reason: str) -> None:
    assert said(f"{ROW} {ROW}", variant, "fewer") == (not reason, reason)


def test_what_stands_beside_a_row_names_nothing_of_it() -> None:
    row = "He is a calm dog and likes fish."
    assert said(row, "It rained in Lisbon all week.", "beside") == (True, "")
    assert said(row, "My aunt cooks fish.", "beside") == (False, "names what the row names")
    assert said("He sleeps.", "He sleeps. It rained in Lisbon.", "beside", row) == (True, "")


def test_a_change_is_in_one_place() -> None:
    assert said("Age: 3 years.", "Age: 11 years.", "changed") == (True, "")
    assert said("Age: 3 years.", "Age: 3 years!", "changed") == (False, "nothing changed")
    other = said("He sleeps on the old sofa at night.", "We offer two new bikes here.", "changed")
    assert other == (False, "more than it names changed")


def test_misspelling_is_judged_where_it_is_the_aim() -> None:
    edits = [
        Edit("The dog is calm.", "Teh dog is clam."),
        Edit("The dog is calm.", "Teh dog flies."),
    ]
    verdicts = judge(edits, "same", legible=False)
    assert [verdict.true for verdict in verdicts] == [True, False]
    assert verdicts[1].reason == "no spelling of the source"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "empty source"),
        ("Kucing ini sangat manja dan sihat.", "language (malay)"),
        ("word " * 2001, "too long"),
    ],
)
def test_what_cannot_be_judged_is_not(source: str, reason: str) -> None:
    assert said(source, "A calm dog.") == (None, reason)


def test_the_score_is_a_logistic_function_of_the_parts() -> None:
    held = Weights(intercept=1.0, weights={"far": -2.0}, threshold=0.5, thresholds={"0.9": 0.7})
    assert score_of(held, {"far": 1.0}) == round(1 / (1 + math.e), 4)
    assert (threshold(held), threshold(held, 0.85), threshold(held, 0.99)) == (0.5, 0.7, 1.0)


def test_weights_go_by_what_is_known() -> None:
    assert question("same", {"far": 0.0}) == "same"
    assert question("fewer", {"cosine": 1.0, "tail": 1.0, "back": 0.0}) == "fewer meaning back"


def test_what_no_weights_were_fitted_for_is_passed_over() -> None:
    edit = Edit("He is a calm dog.", "He's a calm dog.")
    known = replace(edit, logprob=-1.0, back=-2.0)
    (usual,), (likely,) = judge([edit], "same"), judge([known], "same")
    assert likely.true is usual.true is True
    assert likely.parts == {**usual.parts, "forward": -1.0, "back": -2.0}


def test_the_file_holds_thresholds_and_training_figures_of_every_question() -> None:
    questions = json.loads(WEIGHTS.read_text("utf-8"))["questions"]
    assert {"same", "fewer", "same meaning", "fewer meaning"} <= questions.keys()
    for held in questions.values():
        assert list(held["thresholds"]) == [str(p) for p in PRECISIONS]
        assert held["cross-validated"]["all"]["n"] > 200


def test_a_strict_verdict_accepts_less() -> None:
    edit = Edit("Please call me after six.", "Please phone me after six.")
    (usual,), (strict,) = judge([edit], "fewer"), judge([edit], "fewer", strict=0.99)
    assert usual.score == strict.score
    assert (usual.true, strict.true) == (True, False)


def test_parts_without_weights_of_their_own_are_left_out() -> None:
    edit = Edit("He does not mind baths.", "He doesn't mind baths.")
    likely = Edit(edit.source, edit.variant, logprob=-1.0, back=-2.0)
    plain, other = judge([edit, likely], "same")
    assert plain.true
    assert other.true
    assert (other.parts["forward"], other.parts["back"]) == (-1.0, -2.0)
    fitted = {name for name in ("forward", "back") if weighs(name)}
    assert fitted or other.score == plain.score
