"""What sets leave out: prompts of which enough was read and too little was true."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_weights import own_fitted, rewording
from tests.support.small_run import KEEPING, run
from textcentric.augmentation.choice import (
    believed_plan,
    choice_lines,
    made_with,
    read_words,
)
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.plan import Plan, make_plan
from textcentric.checks.identity import checks_identity
from textcentric.errors import PromptError
from textcentric.folders import read_yaml
from textcentric.prompts.calibration import (
    Calibration,
    MadeWith,
    Reading,
    family_digest,
    keep,
    own,
    write_calibration,
)
from textcentric.prompts.fitted import judged_by
from textcentric.prompts.library import PromptLibrary
from textcentric.reading.sheet import open_sheet

MADE = MadeWith("tiny", "4f1c", checks_identity())
Planned = Callable[..., tuple[Plan, AugmentConfig]]


@pytest.fixture
def planned(library: PromptLibrary) -> Planned:
    def make(**settings: object) -> tuple[Plan, AugmentConfig]:
        config = AugmentConfig(**{"prompts": "own/*", **settings})
        return make_plan(config, library), config

    return make


def reading(plan: Plan, name: str, **values: object) -> Reading:
    known = {
        prompt.id: (prompt.digest, prompt.front.sampling.temperature) for prompt in plan.variants
    }
    digest, temperature = known[name]
    made = {"model": "tiny", "revision": "4f1c", "checks": checks_identity()}
    values = {"digest": digest, "temperature": temperature, "read": 30, **made, **values}
    return Reading.model_validate({"prompt": name, "true": 3, **values})


def ids(plan: Plan) -> list[str]:
    return [prompt.id for prompt in plan.variants]


def test_a_glob_leaves_out_a_prompt_found_untrue_and_says_so(planned: Planned) -> None:
    plan, config = planned()
    calibration = Calibration((reading(plan, "own/swap"), reading(plan, "own/whole", true=27)))
    chosen = believed_plan(plan, config, MADE, calibration)
    assert ids(chosen) == ["own/gist", "own/whole"]
    assert choice_lines(chosen) == [
        "left out: own/swap (of 30 read 3 true [0.03, 0.26]); name it, or give all_prompts=True",
        "own/whole: of 30 read 27 true [0.74, 0.97]",
        "never read with this model: own/gist, summarize/pick",
    ]
    assert read_words(chosen) == {
        "summarize/pick": "never read with this model",
        "own/gist": "never read with this model",
        "own/swap": "of 30 read 3 true [0.03, 0.26]",
        "own/whole": "of 30 read 27 true [0.74, 0.97]",
    }


def test_a_glob_leaves_out_what_is_hardly_ever_accepted_in_one_line(planned: Planned) -> None:
    plan, config = planned()
    little = {"read": 3, "true": 3, "drafted": 82, "accepted": 3}
    much = {"read": 10, "true": 10, "drafted": 82, "accepted": 61}
    calibration = Calibration(
        (
            reading(plan, "own/swap", **little),
            reading(plan, "own/whole", **{**little, "accepted": 0}),
            reading(plan, "own/gist", **much),
        )
    )
    chosen = believed_plan(plan, config, MADE, calibration)
    assert ids(chosen) == ["own/gist"]
    assert choice_lines(chosen)[:2] == [
        "left out, since this model writes hardly anything that is accepted: own/swap (3 of 82"
        " accepted), own/whole (0 of 82 accepted); name one, or give all_prompts=True",
        "own/gist: of 10 read 10 true [0.72, 1.00]; 61 of 82 accepted with this model",
    ]
    with pytest.raises(PromptError, match=r"own/swap \(3 of 82 accepted\)"):
        believed_plan(*planned(prompts="own/sw*"), MADE, calibration)


@pytest.mark.parametrize("counts", [{"true": 3}, {"true": 3, "read": 3, "drafted": 82}])
@pytest.mark.parametrize(
    "settings", [{"prompts": "own/*,own/swap"}, {"prompts": "own/*", "all_prompts": True}]
)
def test_an_id_takes_it_and_so_does_all_prompts(
    planned: Planned, settings: dict[str, object], counts: dict[str, int]
) -> None:
    plan, config = planned(**settings)
    found = reading(plan, "own/swap", **counts)
    assert found.left_out
    assert "own/swap" in ids(believed_plan(plan, config, MADE, Calibration((found,))))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"digest": "00"}, "read of another version of the prompt (00, now "),
        ({"checks": "00"}, "read under other checks (00, now "),
        ({"revision": "00"}, "read with another model (tiny)"),
        ({"read": 19}, ""),
    ],
)
def test_a_reading_that_does_not_fit_or_is_too_small_leaves_nothing_out(
    planned: Planned, change: dict[str, object], why: str
) -> None:
    plan, config = planned()
    other = reading(plan, "own/swap", **change)
    chosen = believed_plan(plan, config, MADE, Calibration((other,)))
    assert "own/swap" in ids(chosen)
    assert any(why in line for line in choice_lines(chosen))


@pytest.mark.parametrize(
    ("prompts", "counts", "summary"),
    [
        ("own/swap", {"read": 20, "true": 18}, "summarize/brief"),
        ("summarize/*,own/swap", {"read": 20, "true": 18}, "summarize/brief"),
        ("own/swap,summarize/pick", {"read": 20, "true": 18}, "summarize/pick"),
        ("own/swap", {"read": 20, "true": 17}, "summarize/pick"),
        ("own/swap", {"read": 19, "true": 19}, "summarize/pick"),
    ],
)
def test_a_summary_is_written_where_nine_tenths_of_what_was_read_were_true(
    prompts: str, counts: dict[str, int], summary: str
) -> None:
    packaged = PromptLibrary.load()
    config = AugmentConfig(prompts=prompts.replace("own", "adversarial"))
    plan, brief = make_plan(config, packaged), packaged["summarize/brief"]
    assert [prompt.id for prompt in plan.derive] == ["summarize/pick"]
    found = Reading(
        prompt=brief.id,
        digest=brief.digest,
        model="tiny",
        checks=checks_identity(),
        temperature=brief.front.sampling.temperature,
        **counts,
    )
    chosen = believed_plan(plan, config, MADE, Calibration((found,)))
    assert [prompt.id for prompt in chosen.derive] == [summary]
    assert (f"summarize/brief: {found.words()}" in choice_lines(chosen)) == (summary == brief.id)
    assert (
        believed_plan(plan, config, MADE, Calibration((found,)), frozen=True).derive == plan.derive
    )


@pytest.mark.parametrize("summary", ["summarize/brief", "summarize/pick"])
def test_a_run_that_goes_on_keeps_the_summary_that_it_began_with(
    tmp_path: Path, summary: str
) -> None:
    config = AugmentConfig(prompts="adversarial/swap", output_dir=str(tmp_path))
    begun = {"prompts": config.prompts, "prompt_digests": {summary: "", config.prompts: ""}}
    (tmp_path / "run.yaml").write_text(json.dumps(begun))
    chosen = believed_plan(make_plan(config, PromptLibrary.load()), config, MADE, Calibration())
    assert [prompt.id for prompt in (*chosen.derive, *chosen.variants)] == [summary, config.prompts]


def test_a_summary_of_ones_own_is_not_replaced(planned: Planned, library: PromptLibrary) -> None:
    plan, _ = planned()
    (pick,) = plan.derive
    assert library.written_for(pick) is None
    packaged = PromptLibrary.load()
    written = packaged.written_for(packaged["summarize/pick"])
    assert written is packaged["summarize/brief"]


def test_nothing_left_is_an_error_with_the_ids(planned: Planned) -> None:
    plan, config = planned(prompts="own/sw*")
    with pytest.raises(PromptError, match=r"nothing is left of prompts=: .*own/swap \(of 30"):
        believed_plan(plan, config, MADE, Calibration((reading(plan, "own/swap"),)))


def test_the_bank_is_left_out_by_family(planned: Planned, library: PromptLibrary) -> None:
    plan, config = planned(prompts="bank")
    carrier = plan.variants[0]
    digest = family_digest(carrier.digest, "typing", library.bank)
    typing = reading(plan, carrier.id, digest=digest).model_copy(update={"prompt": "bank/typing"})
    chosen = believed_plan(plan, config, MADE, Calibration((typing,)))
    assert {entry.family for entry in plan.library.bank} - {
        entry.family for entry in chosen.library.bank
    } == {"typing"}
    named = replace_prompts(config, carrier.id)
    assert believed_plan(plan, named, MADE, Calibration((typing,))).library == plan.library


def replace_prompts(config: AugmentConfig, prompts: str) -> AugmentConfig:
    return config.model_copy(update={"prompts": prompts})


def test_the_temperature_of_the_run_is_the_one_that_was_read(planned: Planned) -> None:
    plan, config = planned(temperature=0.1)
    made = made_with(config, {"model": "tiny", "model_revision": "4f1c"})
    assert made.temperature == 0.1
    calibration = Calibration((reading(plan, "own/swap"),))
    assert "own/swap" in ids(believed_plan(plan, config, made, calibration))
    cold = Calibration((reading(plan, "own/swap", temperature=0.1),))
    assert "own/swap" not in ids(believed_plan(plan, config, made, cold))


def test_a_run_freezes_what_it_took_and_never_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: Planned
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    plan, _ = planned()
    scripted = {"model": "scripted", "revision": ""}
    own().parent.mkdir(parents=True)
    refuted = [reading(plan, "own/swap", **scripted)]
    write_calibration(own(), refuted)
    first = run(tmp_path / "run", 3)
    assert "own/swap" not in first.manifest["counts"]
    assert "own/swap" not in read_yaml(first.path / "run.yaml")["prompt_digests"]
    assert first.manifest["read"]["own/whole"] == "never read with this model"
    write_calibration(own(), [reading(plan, "own/whole", **scripted)])
    again = run(tmp_path / "run", 3)
    assert again.manifest["counts"] == first.manifest["counts"]


def test_own_weights_judge_the_prompts_they_were_made_for_and_are_frozen_in_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    asked: dict[str, Any] = {"prompts": "own/swap", "own": KEEPING, "summarize": False}
    usual = run(tmp_path / "usual", 12, rewording, **asked)
    digest = read_yaml(usual.path / "run.yaml")["prompt_digests"]["own/swap"]
    lax = own_fitted({"own/swap": digest})
    keep([], fitted=lax)
    own_ones = run(tmp_path / "run", 12, rewording, **asked)
    accepted = [one.manifest["counts"]["own/swap"]["accepted"] for one in (usual, own_ones)]
    assert accepted[0] < accepted[1]
    assert own_ones.manifest["weights"] == f"judged by {lax.words()}: own/swap"
    assert "weights" not in usual.manifest
    assert lax.digest in (own_ones.path / "report.html").read_text()
    assert open_sheet(own_ones.path).groups["own/swap"].checks == judged_by(checks_identity(), lax)
    own().unlink()
    again = run(tmp_path / "run", 16, rewording, resume="always", **asked)
    assert "weights" not in again.manifest
    keep([], fitted=lax)
    same = run(tmp_path / "other", 12, rewording, **asked)
    own().unlink()
    assert (
        run(tmp_path / "other", 12, rewording, **asked).manifest["counts"]
        == (same.manifest["counts"])
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"checks": "00"}, "read under other checks (00, now "),
        ({"model": "big"}, "read with another model (big)"),
    ],
)
def test_own_weights_made_with_something_else_are_not_used_and_said(
    planned: Planned, change: dict[str, str], why: str
) -> None:
    plan, config = planned()
    digest = next(prompt.digest for prompt in plan.variants if prompt.id == "own/swap")
    made = {"model": "tiny", "revision": "", **change}
    held = own_fitted({"own/swap": digest}, 0.01, **made)
    chosen = believed_plan(plan, config, MADE, Calibration(fitted=(held,)))
    assert not chosen.own
    said = [line for line in choice_lines(chosen) if "weights of your own are not used" in line]
    assert why in said[0]


def test_a_reading_under_the_shipped_threshold_says_nothing_of_another(planned: Planned) -> None:
    plan, config = planned()
    found = reading(plan, "own/swap")
    held = own_fitted({"own/swap": found.digest}, model="tiny", revision="4f1c")
    chosen = believed_plan(plan, config, MADE, Calibration((found,), (held,)))
    assert "own/swap" in ids(chosen)
    assert "read under other checks" in chosen.misfits["own/swap"]
    judged = reading(plan, "own/swap", checks=judged_by(checks_identity(), held))
    chosen = believed_plan(plan, config, MADE, Calibration((judged,), (held,)))
    assert "own/swap" not in ids(chosen)
