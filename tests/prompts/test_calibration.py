"""Calibrations: which readings count for a prompt, and what their numbers say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from textcentric.errors import PromptError
from textcentric.prompts.calibration import (
    Calibration,
    MadeWith,
    Reading,
    added,
    family_digest,
    group_of,
    keep,
    read_calibration,
    shipped,
    wilson,
    write_calibration,
)
from textcentric.prompts.fitted import Fitted, judged_by
from textcentric.prompts.library import Instruction

MADE = MadeWith("models/tiny", "4f1c", "c0")


def reading(**values: object) -> Reading:
    known = {"prompt": "p", "digest": "9b", "model": "tiny", "revision": "4f1c", "checks": "c0"}
    return Reading.model_validate({**known, "temperature": 0.7, "read": 30, "true": 27, **values})


def test_the_interval_is_wilsons() -> None:
    assert wilson(27, 30) == pytest.approx((0.7438, 0.9654), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_reading_counts_for_what_it_was_made_with() -> None:
    calibration = Calibration((reading(),))
    assert calibration.of("p", "9b", 0.7, MADE) == reading()
    assert calibration.of("p", "00", 0.7, MADE) is None
    assert calibration.of("p", "9b", 0.9, MADE) is None
    assert calibration.of("p", "9b", 0.7, MadeWith("tiny", "other", "c0")) is None
    assert calibration.of("p", "9b", 0.7, MadeWith("tiny", "4f1c", "c1")) is None
    assert calibration.of("p", "9b", 0.2, MadeWith("tiny", "4f1c", "c0", 0.7)) == reading()


def test_a_rule_is_the_same_with_every_model() -> None:
    of_rule = reading(model="", revision="", temperature=0.0)
    calibration = Calibration((of_rule,))
    assert calibration.of("p", "9b", 0.7, MADE) is None
    assert calibration.of("p", "9b", 0.7, MADE, rule=True) == of_rule


def test_why_a_reading_is_not_used_is_said() -> None:
    calibration = Calibration((reading(),))
    assert calibration.misfit("p", "00", MADE) == (
        "read of another version of the prompt (9b, now 00)"
    )
    assert calibration.misfit("p", "9b", MadeWith("tiny", "4f1c", "c1")) == (
        "read under other checks (c0, now c1)"
    )
    assert calibration.misfit("p", "9b", MadeWith("big", "", "c0")) == (
        "read with another model (tiny)"
    )
    assert calibration.misfit("q", "9b", MADE) == ""


def test_sheets_are_added_up_each_once() -> None:
    both = added([reading(sheet="a"), reading(sheet="b", read=10, true=5), reading(sheet="a")])
    assert (both.read, both.true) == (40, 32)


@pytest.mark.parametrize(
    ("read", "true", "out"), [(19, 0, False), (20, 13, True), (20, 14, False), (0, 0, False)]
)
def test_of_at_least_20_read_fewer_than_seven_tenths_true_are_left_out(
    read: int, true: int, out: bool
) -> None:
    assert reading(read=read, true=true).left_out is out


@pytest.mark.parametrize(
    ("drafted", "accepted", "out"),
    [(39, 0, False), (40, 3, True), (40, 4, False), (82, 3, True), (0, 0, False)],
)
def test_of_at_least_40_drafted_fewer_than_a_tenth_accepted_are_left_out(
    drafted: int, accepted: int, out: bool
) -> None:
    seldom = reading(read=3, true=3, drafted=drafted, accepted=accepted)
    assert seldom.left_out is out
    assert not seldom.untrue


def test_why_a_prompt_is_left_out_is_what_was_read_or_what_came_of_it() -> None:
    seldom = reading(read=3, true=3, drafted=82, accepted=3)
    assert seldom.why() == seldom.yield_words() == "3 of 82 accepted"
    both = reading(read=20, true=2, drafted=400, accepted=20)
    assert both.why() == both.words() == "of 20 read 2 true [0.03, 0.30]"


def test_the_yield_of_a_run_counts_once_however_many_sheets_it_has() -> None:
    first = reading(sheet="a", run="r1", drafted=40, accepted=2)
    grown = reading(sheet="b", run="r1", drafted=50, accepted=4)
    other = reading(sheet="c", run="r2", drafted=10, accepted=1)
    both = added([first, grown, other])
    assert (both.drafted, both.accepted) == (60, 5)
    assert both.read == 90


def test_what_is_kept_takes_the_place_of_the_same_sheet(tmp_path: Path) -> None:
    path = tmp_path / "own" / "calibration.json"
    keep([reading(sheet="a"), reading(sheet="b")], path)
    keep([reading(sheet="a", true=3)], path)
    found = read_calibration(path).readings
    assert [(one.sheet, one.true) for one in found] == [("b", 27), ("a", 3)]


def test_an_absent_calibration_holds_nothing(tmp_path: Path) -> None:
    assert read_calibration(tmp_path / "none.json").readings == ()


def test_the_shipped_calibration_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    held = json.loads(shipped().read_text("utf-8"))["readings"]
    assert len(read_calibration().readings) == len(held)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no calibration"),
        ('{"version": 9}', "is no calibration; expected"),
        (json.dumps({"version": 1, "readings": [{"prompt": "p", "read": -1}]}), "digest: "),
    ],
)
def test_a_calibration_that_does_not_fit_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(PromptError, match=message):
        read_calibration(path)


def test_a_written_calibration_has_a_reading_a_line(tmp_path: Path) -> None:
    write_calibration(tmp_path / "c.json", [reading(), reading(prompt="q")])
    assert len((tmp_path / "c.json").read_text().splitlines()) == 4
    assert read_calibration(tmp_path / "c.json").readings == (reading(), reading(prompt="q"))


def test_the_bank_is_read_by_family() -> None:
    bank = [Instruction("swap", "typing", "random", "keep", "text", "Swap letters.")]
    assert group_of("bank/swap", {"bank/swap": "typing"}) == "bank/typing"
    assert group_of("own/swap", {}) == "own/swap"
    changed = [Instruction("swap", "typing", "random", "keep", "text", "Swap all letters.")]
    assert family_digest("c", "typing", bank) != family_digest("c", "typing", changed)


def fitted(**values: object) -> Fitted:
    question = {
        "how": "threshold", "intercept": 1.0, "weights": {"far": -2.0}, "threshold": 0.5,
        "thresholds": {"0.9": 0.7}, "pairs": 120, "true": 70, "precision": 0.9, "recall": 0.8,
    }  # fmt: skip
    known = {"model": "tiny", "revision": "4f1c", "checks": "c0", "prompts": {"p": "9b"}}
    made = {**known, "sheets": ["a"], "questions": {"same": question}, **values}
    return Fitted.model_validate(made)


def test_weights_hold_for_the_model_prompt_and_checks_they_were_made_with() -> None:
    held = Calibration(fitted=(fitted(),))
    assert held.weights_of("p", "9b", MADE) == fitted()
    for digest, made, why in (
        ("00", MADE, "read of another version of the prompt (9b, now 00)"),
        ("9b", MadeWith("tiny", "4f1c", "c1"), "read under other checks (c0, now c1)"),
        ("9b", MadeWith("big", "", "c0"), "read with another model (tiny)"),
    ):
        assert held.weights_of("p", digest, made) is None
        assert held.weights_misfit("p", digest, made) == why
    assert held.weights_of("q", "9b", MADE) is None
    assert held.weights_misfit("q", "9b", MADE) == ""


def test_kept_weights_take_the_place_of_those_for_the_same_prompts_and_model(
    tmp_path: Path,
) -> None:
    path = tmp_path / "calibration.json"
    keep([reading(sheet="a")], path, fitted=fitted())
    keep([], path, fitted=fitted(prompts={"q": "1"}))
    keep([], path, fitted=fitted(model="big", revision=""))
    keep([], path, fitted=fitted(prompts={"p": "9b", "r": "2"}))
    found = read_calibration(path)
    assert found.readings == (reading(sheet="a"),)
    assert [(one.model, [*one.prompts]) for one in found.fitted] == [
        ("tiny", ["q"]),
        ("big", ["p"]),
        ("tiny", ["p", "r"]),
    ]


def test_other_weights_are_other_checks() -> None:
    other = fitted(
        questions={"same": {**fitted().questions["same"].model_dump(), "threshold": 0.6}}
    )
    assert judged_by("c0", None) == "c0"
    assert judged_by("c0", fitted()) != judged_by("c0", other)
    assert judged_by("c0", fitted()) == judged_by("c0", fitted(prompts={"q": "1"}))


@pytest.mark.parametrize("value", ['"NaN"', "2"])
def test_weights_that_are_no_numbers_or_no_shares_are_refused(tmp_path: Path, value: str) -> None:
    path = tmp_path / "calibration.json"
    keep([], path, fitted=fitted())
    path.write_text(path.read_text().replace('"threshold": 0.5', f'"threshold": {value}'))
    with pytest.raises(PromptError, match=r"questions\.same\.threshold"):
        read_calibration(path)
