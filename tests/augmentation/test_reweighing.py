"""Weights of the user's own: before the shipped ones, never before a rule or an inference model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.support.own_weights import own_fitted, question
from textcentric.augmentation.reweighing import LOW, answering, judge_by, questions_of
from textcentric.checks.edit import Edit
from textcentric.checks.entailment import Entailed
from textcentric.checks.verdict import Weights, judge, weights_for
from textcentric.errors import PromptError

CALM = Edit("He is a calm dog.", "He's a calm dog.")
OTHER = Edit("It comes when somebody calls its name.", "It comes whenever somebody calls its name.")
HELD = weights_for("same", {})


def test_another_threshold_refuses_or_takes_what_was_weighed() -> None:
    strict, lax = Weights(**{**HELD, "threshold": 1.0}), Weights(**{**HELD, "threshold": 0.0})
    usual = judge([CALM, OTHER], "same")
    assert [verdict.true for verdict in usual] == [True, False]
    assert usual[1].reason == LOW
    refused = judge_by({"same": strict}, [CALM, OTHER], "same")
    assert [(v.true, v.score) for v in refused] == [
        (False, usual[0].score),
        (False, usual[1].score),
    ]
    taken = judge_by({"same": lax}, [CALM, OTHER], "same")
    assert [(v.true, v.reason) for v in taken] == [(True, ""), (True, "")]
    assert judge_by({"fewer": strict}, [CALM, OTHER], "same") == usual
    assert judge_by({}, [CALM, OTHER], "same") == usual


def test_what_a_rule_decides_stays_decided() -> None:
    lax = {name: Weights(**{**HELD, "threshold": 0.0}) for name in ("same", "fewer")}
    ruled = [
        Edit("He costs 50 ringgit.", "He costs 60 ringgit."),
        Edit("He is not shy.", "He is shy."),
        Edit("", "A calm dog."),
    ]
    assert judge_by(lax, ruled, "same") == judge(ruled, "same")
    slips = [Edit("The dog is calm.", "Teh dog is clam.")]
    strict = {"same": Weights(**{**HELD, "threshold": 1.0})}
    assert judge_by(strict, slips, "same", legible=False) == judge(slips, "same", legible=False)


def test_likelihoods_are_weighed_where_they_are_known_and_the_precision_is_the_own_one() -> None:
    likely = Weights(**{**HELD, "weights": {**HELD["weights"], "back": 5.0}})
    own = {"same back": likely}
    (usual,) = judge([CALM], "same")
    assert judge_by(own, [CALM], "same") == [usual]
    (unlikely,) = judge_by(own, [replace(CALM, back=-2.0)], "same")
    assert usual.score is not None
    assert unlikely.score is not None
    assert unlikely.score < usual.score
    precise = {"same": Weights(**{**HELD, "thresholds": {"0.9": 1.0}})}
    assert [v.true for v in judge_by(precise, [CALM], "same", strict=0.9)] == [False]


def test_shipped_weights_of_more_parts_go_first() -> None:
    strict = {"same": Weights(**{**HELD, "threshold": 1.0})}
    (verdict,) = judge([CALM], "same")
    known = {**verdict.parts, "cosine": 1.0, "tail": 1.0}
    assert answering("same", known, strict) is None
    assert answering("same", verdict.parts, strict) is strict["same"]
    assert answering("same", known, {"same meaning": HELD}) is HELD


def test_an_inference_model_still_refuses() -> None:
    def refusing(edits: Sequence[Edit]) -> list[Entailed]:
        return [Entailed(*(0.0 for _ in Entailed._fields)) for _ in edits]

    lax = {"same": Weights(**{**HELD, "threshold": 0.0})}
    (verdict,) = judge_by(lax, [OTHER], "same", entailment=refusing)
    assert verdict.true is False
    assert verdict.reason not in ("", LOW)


def test_a_part_that_no_check_measures_is_refused() -> None:
    assert questions_of(own_fitted({"p": "0"}))["same"]["threshold"] == 0.01
    strange = question(0.5).model_copy(update={"weights": {"taste": 1.0}})
    broken = own_fitted({"p": "0"}).model_copy(update={"questions": {"same": strange}})
    with pytest.raises(PromptError, match="parts that no check measures: taste"):
        questions_of(broken)
