"""Each sentence about findings: when it is said, what it says, and when it stays silent."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from textcentric.corruption.grid import CLEAN, Cell
from textcentric.evaluation.comparison.config import ARMS, main_arm
from textcentric.evaluation.findings import Findings
from textcentric.evaluation.sentences import loss, verdict, warnings
from textcentric.metrics.intervals import FEW
from textcentric.rows import Target

HALF, ALL = Cell("all", 0.5), Cell("all", 1.0)
Told = dict[str, Target]
ByCell = dict[str, Told]


def rows(number: int = 60) -> Told:
    return {f"r{n}": n % 2 for n in range(number)}


def wrong(share: float, number: int = 60) -> Told:
    """Predict rightly but for the first `share` of the rows."""
    return {row: (n + (n < share * number)) % 2 for n, row in enumerate(rows(number))}


def wrong_each(step: int) -> Told:
    """Predict rightly but for each `step`-th row."""
    return {row: (n + (n % step == 0)) % 2 for n, row in enumerate(rows())}


def curve(clean: Told, half: Told, all_: Told) -> ByCell:
    return {CLEAN.name: clean, HALF.name: half, ALL.name: all_}


def same(told: Told) -> ByCell:
    return curve(told, told, told)


def in_no_group(row: int) -> str | None:
    return None


def findings(
    arms: dict[str, ByCell],
    number: int = 60,
    metric: str = "accuracy",
    groups: Callable[[int], str | None] = in_no_group,
) -> Findings:
    targets = rows(number)
    return Findings(
        metric=metric,
        targets=targets,
        groups={row: groups(n) for n, row in enumerate(targets)},
        cells=(CLEAN, HALF, ALL),
        predicted={name: {0: of} for name, of in arms.items()},
        constants=dict.fromkeys(targets, 0),
        resamples=400,
    )


GOOD, FAIR = same(wrong(0)), curve(wrong(0), wrong(0.2), wrong(0.3))
CONSTANT = same(dict.fromkeys(rows(), 0))
LLM = ["ours", "mine"]


def said(found: Findings, arm: str | None = "ours") -> str:
    return verdict(found, arm, "plain", "all", LLM)["sentence"]


def pair(ours: ByCell, plain: ByCell, number: int = 60) -> Findings:
    return findings({"ours": ours, "plain": plain}, number)


def test_augmentation_helped_where_the_interval_is_above_0() -> None:
    found = verdict(pair(GOOD, FAIR), "ours", "plain", "all", LLM)
    assert (found["shown"], found["outcome"]) == (True, "shown")
    assert re.fullmatch(
        r"Augmentation helped: for ours, the area under accuracy from level 0 to 1 of 'all' differs"
        r" from that of plain by \+0\.1750 \[\+0\.\d+, \+0\.\d+\] \(as a mean over these levels"
        r" \+0\.1750; 1 seed, 60 test rows\)\.",
        found["sentence"],
    )


def test_augmentation_hurt_where_the_interval_is_below_0() -> None:
    found = verdict(pair(FAIR, GOOD), "ours", "plain", "all", LLM)
    assert (found["shown"], found["outcome"]) == (False, "hurt")
    assert found["sentence"].startswith("Augmentation hurt: for ours")


def test_nothing_is_shown_where_the_interval_holds_0() -> None:
    level = verdict(pair(FAIR, same(wrong_each(5))), "ours", "plain", "all", LLM)
    assert (level["shown"], level["outcome"]) == (False, "not shown")
    assert level["sentence"].startswith("Not shown that augmentation helps: for ours")
    assert "an interval that holds 0; this test finds differences from 0." in level["sentence"]


def test_arms_that_score_the_same_are_said_to_and_no_smallest_difference_is_made_of_that() -> None:
    sentence = said(pair(FAIR, FAIR))
    assert "an interval that holds 0; ours and plain score the same." in sentence
    assert "finds" not in sentence
    assert "score the same" not in said(pair(FAIR, same(wrong_each(5))))


def test_on_few_rows_no_difference_is_called_shown() -> None:
    def told(number: int) -> Findings:
        return pair(same(wrong(0, number)), same(wrong(0.5, number)), number)

    few = verdict(told(FEW - 1), "ours", "plain", "all", LLM)
    assert (few["shown"], few["outcome"]) == (False, "not shown")
    assert few["sentence"].startswith("Not shown that augmentation helps, 29 test rows are too few")
    assert verdict(told(FEW), "ours", "plain", "all", LLM)["shown"] is True


def test_rows_of_few_groups_are_few() -> None:
    told = findings({"ours": GOOD, "plain": FAIR}, groups=lambda row: f"g{row % 9}")
    assert "9 groups of 60 test rows are too few" in said(told)
    assert warnings(told, [])[0].startswith("9 groups of 60 test rows are too few for these")


def test_of_several_arms_that_an_llm_writes_for_it_is_said_which_stands_for_them() -> None:
    assert "for ours (of ours, mine), the area" in said(
        findings({"ours": GOOD, "mine": FAIR, "plain": FAIR})
    )
    assert "(of " not in said(pair(GOOD, FAIR))


def test_of_an_error_it_is_said_which_sign_favours_whom() -> None:
    told = findings({"ours": GOOD, "plain": FAIR}, metric="rmse")
    assert "] (above 0: in favour of ours)" in said(told)
    assert "in favour" not in said(pair(GOOD, FAIR))


def test_a_method_that_the_constant_beats_is_not_praised_without_saying_so() -> None:
    worse = said(pair(same(wrong(0.6)), same(wrong(0.9))))
    assert worse.startswith("Augmentation helped")
    assert "There ours scores worse than predicting the most frequent class of the" in worse
    far = said(pair(same(wrong(0.8)), same(wrong(0.95))))
    assert "There ours is worse than predicting the most frequent class" in far
    near = said(pair(same(wrong(0.45)), same(wrong(0.95))))
    assert "There ours is not shown to be better than predicting" in near
    assert "There ours" not in said(pair(GOOD, FAIR))


def test_where_nothing_is_augmented_no_arm_is_chosen_as_the_method() -> None:
    told = findings({"constant": CONSTANT, "plain": FAIR, "drop": GOOD, "same": FAIR})
    found = verdict(told, None, "plain", "all", [])
    assert (found["shown"], found["outcome"]) == (None, "")
    assert found["cheap_wins"] == ""
    assert re.fullmatch(
        r"No augmentation was tried\. Against plain, in area under accuracy from level 0 to 1 of"
        r" 'all' \(1 seed, 60 test rows\), better: drop by \+0\.1750 \[\S+ \S+\]; worse: constant"
        r" by -0\.3250 \[\S+ \S+\]; not told apart: same by \+0\.0000 \[\S+ \S+\]\.",
        found["sentence"],
    )


def test_sides_without_an_arm_are_not_named() -> None:
    sentence = said(findings({"plain": FAIR, "drop": GOOD}), None)
    assert "better: drop" in sentence
    assert "worse" not in sentence
    assert "told apart" not in sentence


def test_few_rows_tell_no_methods_apart() -> None:
    told = findings({"plain": same(wrong(0.5, 12)), "drop": same(wrong(0, 12))}, 12)
    assert said(told, None) == (
        "No augmentation was tried. 12 test rows are too few to tell methods apart."
    )


@pytest.mark.parametrize(
    ("arms", "arm", "shown", "sentence"),
    [
        ({"ours": GOOD}, "ours", False, "plain, with which methods are compared, is not among"),
        ({"drop": GOOD}, None, None, "plain, with which methods are compared, is not among them."),
        ({"plain": GOOD}, None, None, "plain is the only method."),
        ({"ours": {CLEAN.name: wrong(0)}, "plain": GOOD}, "ours", False, "share no level of 'all'"),
        ({"drop": {CLEAN.name: wrong(0)}, "plain": GOOD}, None, None, "no method shares a level"),
    ],
)
def test_where_nothing_is_compared_it_is_said_why(
    arms: dict[str, ByCell], arm: str | None, shown: bool | None, sentence: str
) -> None:
    found = verdict(findings(arms), arm, "plain", "all", LLM)
    assert found["shown"] is shown
    assert found["sentence"].startswith("Nothing was compared: ")
    assert sentence in found["sentence"]


def cheap(arms: dict[str, ByCell], number: int = 60) -> str:
    return verdict(findings(arms, number), "ours", "plain", "all", LLM)["cheap_wins"]


def test_cheaper_and_better_is_said_of_arms_without_an_llm_whose_interval_is_above_0() -> None:
    assert cheap({"ours": FAIR, "plain": same(wrong(0.4)), "drop": GOOD}).startswith(
        "Cheaper and better in area from level 0 to 1 of 'all' than ours, without an LLM: drop by"
        " +0.1750 [+0."
    )


def test_cheaper_and_better_is_not_said_otherwise() -> None:
    arms = {"ours": FAIR, "plain": FAIR, "drop": same(wrong_each(6))}
    one = findings(arms).difference("drop", "ours", "all")
    assert one is not None
    assert one["difference"] > 0 > one["interval"][0]
    assert cheap(arms) == "", "an interval that holds 0"
    assert cheap({"ours": FAIR, "plain": FAIR, "mine": GOOD}) == "", "it asks an LLM too"
    half = {CLEAN.name: wrong(0), HALF.name: wrong(0)}
    assert cheap({"ours": FAIR, "plain": half}) == "", "its area is over other levels"
    few = {"ours": same(wrong(0.5, 12)), "plain": same(wrong(0, 12))}
    assert cheap(few, 12) == ""


def test_the_constant_and_what_is_below_it_is_never_better() -> None:
    bad = same(wrong(0.9))
    arms = {"ours": bad, "plain": bad, "constant": CONSTANT, "drop": same(wrong(0.55))}
    for name in ("constant", "drop"):
        beats = findings(arms).difference(name, "ours", "all")
        assert beats is not None
        assert beats["interval"][0] > 0
    assert cheap(arms) == ""


def test_the_method_is_the_first_that_an_llm_writes_for_or_none() -> None:
    arms = ("constant", "dropout-train", "aligned", "text-centric", "plain-text")
    assert main_arm(arms, "plain-text") == "text-centric"
    assert main_arm(arms, "text-centric") == "aligned"
    assert main_arm(("plain-text", "text-centric-k4"), "plain-text") == "text-centric-k4"
    assert main_arm(("constant", "dropout-train", "plain-text"), "plain-text") is None
    assert main_arm(("plain-text", "text-centric"), "text-centric") is None
    assert all(ARMS[name].llm for name in ("text-centric", "perturbed", "aligned"))


def test_few_rows_are_warned_of_and_enough_are_not() -> None:
    assert warnings(findings({"ours": same(wrong(0, 8))}, 8), ["ours"]) == [
        "8 test rows are too few for these intervals: with fewer than 30 they are often too narrow."
    ]
    assert warnings(findings({"ours": same(wrong(0, FEW))}, FEW), ["ours"]) == []


def test_a_model_no_better_than_the_constant_is_warned_of() -> None:
    shares = {"bad": 0.9, "poor": 0.55, "fair": 0.45, "good": 0.0}
    told = findings({name: same(wrong(share)) for name, share in shares.items()})
    bad, poor, fair = warnings(told, list(shares))
    assert bad.startswith(
        "In accuracy on clean rows bad is worse than predicting the most frequent class of the"
        " training rows: -0.4000 [-0."
    )
    assert "poor scores worse than predicting the most frequent class" in poor
    assert poor.endswith("an interval that holds 0.")
    assert "fair is not shown to be better than predicting the most frequent class" in fair


def test_a_model_of_numbers_is_held_against_the_mean() -> None:
    told = findings({"bad": same(wrong(0.9))}, metric="r2")
    assert "bad is worse than predicting the mean of the training" in warnings(told, ["bad"])[0]


def test_a_model_that_predicts_one_class_is_said_to() -> None:
    ones = findings({"ours": same(dict.fromkeys(rows(), 1))})
    assert warnings(ones, ["ours"]) == ["ours predicts the same for every clean row."]
    told = findings({"constant": CONSTANT, "good": GOOD})
    assert warnings(told, ["good"]) == [], "of the constant itself nothing is said"


def test_an_evaluation_says_what_the_constant_scores_beside_its_model() -> None:
    told = findings({"ours": FAIR})
    assert loss(told, "ours", told.table()) == (
        "ours scores 1.000 [0.940, 1.000] in accuracy on 60 clean rows, where predicting the most"
        " frequent class of the training rows scores 0.500; 0.700 at worst (all 1), where that"
        " scores 0.500."
    )
    level = findings({"ours": same(wrong(0.2))})
    assert loss(level, "ours", level.table()).endswith("; no damage makes it worse.")
    clean = findings({"ours": {CLEAN.name: wrong(0)}})
    assert loss(clean, "ours", clean.table()).endswith("of the training rows scores 0.500.")
