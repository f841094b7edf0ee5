"""What readings make of the verdict: nothing of few, a threshold of some, weights of many."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.own_weights import rewording
from tests.support.read_run import call
from tests.support.small_run import KEEPING, run
from textcentric.checks.verdict import by_rules, score_of, weights_for
from textcentric.reading.belief import edits_of
from textcentric.reading.items import Item
from textcentric.reading.own_weights import Outcome, outcomes_of
from textcentric.reading.sheet import open_sheet
from textcentric.reading.weighed import Weighed, weighed_pairs

SHIPPED = weights_for("same", {})


def pairs(
    count: int, seed: int = 0, *, far: float = 0.0, back: float | None = None
) -> list[Weighed]:
    """Return pairs that are true by the shipped weights, moved by `far` and by a likelihood."""
    rng = np.random.default_rng(seed)
    drawn = []
    for number in range(count):
        parts = dict.fromkeys(SHIPPED["weights"], 0.0)
        parts |= {
            "far": float(rng.choice([0, 0.2, 0.5, 0.9])),
            "altered": float(rng.integers(0, 3)),
        }
        odds = np.log(1 / (1 / score_of(SHIPPED, parts) - 1 + 1e-9) + 1e-9) + far * parts["far"]
        if back is not None:
            parts["back"] = float(rng.normal())
            odds += back * parts["back"]
        true = bool(rng.random() < 1 / (1 + np.exp(-odds)))
        drawn.append(Weighed("p", "same", f"r{number // 2}", true, 1.0, [parts]))
    return drawn


def outcome(of: list[Weighed], name: str = "same") -> Outcome:
    return next(one for one in outcomes_of(of) if one.name == name)


def test_few_pairs_make_nothing_and_it_is_said_how_many_are_wanted() -> None:
    made = outcome(pairs(99))
    assert made.question is None
    assert (
        "a threshold of its own takes 100 (30 true, 30 false), weights 300 (60 and 60)" in made.said
    )


def test_where_rules_decide_everything_that_is_said() -> None:
    (made,) = outcomes_of([])
    assert made.said.startswith("rules decide every pair that was read; a threshold of its own")


def test_pairs_of_one_kind_make_nothing() -> None:
    one_kind = [Weighed(p.group, p.facts, p.source, True, 1.0, p.parts) for p in pairs(150)]
    assert outcome(one_kind).question is None


def test_some_pairs_move_the_threshold_alone() -> None:
    question = outcome(pairs(200, far=-8.0)).question
    assert question is not None
    assert question.how == "threshold"
    assert question.weights == pytest.approx(SHIPPED["weights"], abs=1e-4)
    assert question.threshold > SHIPPED["threshold"]
    assert (question.pairs, len(question.thresholds)) == (200, len(SHIPPED["thresholds"]))


def test_many_pairs_of_another_truth_make_weights() -> None:
    made = outcome(pairs(500, far=-8.0))
    assert made.question is not None
    assert made.question.how == "weights"
    assert made.question.weights["far"] < SHIPPED["weights"]["far"] - 3
    assert "held-out loss" in made.said


def test_weights_that_fit_stay_whatever_is_read() -> None:
    hows = [made.question.how for n in range(5) if (made := outcome(pairs(400, n))).question]
    assert hows.count("weights") <= 1


def test_likelihoods_get_weights_of_their_own_beside_those_without() -> None:
    of = pairs(400, back=2.0)
    likely = outcome(of, "same back").question
    assert likely is not None
    assert 1 < likely.weights["back"] < 3
    assert "back" not in getattr(outcome(of).question, "weights", {})
    assert not [one for one in outcomes_of(pairs(200, back=2.0)) if one.name == "same back"]


def test_what_rules_decide_is_left_out_and_a_pair_stands_for_its_share(tmp_path: Path) -> None:
    path = run(
        tmp_path / "run", 30, rewording, prompts="own/swap", own=KEEPING, summarize=False
    ).path
    sheet = open_sheet(path, accepted=4, refused=6)
    call(path, sheet, "anna", {"accepted": "same", "refused": "changed"})
    counts = json.loads((path / "manifest.json").read_text())["counts"]["own/swap"]
    shares = {True: counts["accepted"] / 4, False: counts["rejected"] / 6}
    found = weighed_pairs(path, [sheet], None)
    assert {pair.true for pair in found} == {True, False}
    assert all(pair.share == pytest.approx(shares[pair.true]) for pair in found)
    read = [item for item in sheet.items if item.kind in ("accepted", "refused")]
    weighed = {item.source_id for item in read if _weighed(item)}
    assert {pair.source for pair in found} == weighed
    assert len(weighed) < len(read)


def _weighed(item: Item) -> bool:
    """Say whether weights decide of a pair: no rule refuses an edit, and some are left to them."""
    ruled = [by_rules(edit, "same") for edit in edits_of(item.source, item.variant)]
    return None in ruled and not any(one is not None and not one.true for one in ruled)
