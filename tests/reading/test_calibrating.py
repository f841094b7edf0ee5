"""Calibrations made of a sheet: written into the run, kept on request, stale once things change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import textcentric
from tests.support.own_weights import own_fitted, rewording
from tests.support.read_run import call
from tests.support.small_run import KEEPING
from tests.support.small_run import run as run_of
from textcentric.prompts.calibration import CALIBRATION, own, read_calibration, write_calibration
from textcentric.reading.sheet import open_sheet
from textcentric.runs.lineage import lineage


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_what_was_read_is_written_into_the_run_and_shown_by_its_report_and_card(run: Path) -> None:
    call(run, open_sheet(run), "anna", {"accepted": "same", "refused": "garbled"})
    assert textcentric("calibrate", run).code == 0
    readings = {r.prompt: r for r in read_calibration(run / CALIBRATION).readings}
    swap = readings["own/swap"]
    assert swap.read == swap.true > 0
    assert swap.words() in (run / "report.html").read_text()
    assert f"of {swap.read} read {swap.true} true" in (run / "README.md").read_text()
    assert not own().exists()


def test_what_was_drafted_and_accepted_is_that_of_the_whole_run(run: Path) -> None:
    call(run, open_sheet(run, accepted=2, refused=0), "anna", {"accepted": "same"})
    textcentric("calibrate", run)
    readings = {r.prompt: r for r in read_calibration(run / CALIBRATION).readings}
    counts = json.loads((run / "manifest.json").read_text())["counts"]
    for name in ("own/swap", "own/whole"):
        assert readings[name].read == 2
        assert readings[name].accepted == counts[name]["accepted"] > 2
        assert readings[name].drafted == counts[name]["accepted"] + counts[name]["rejected"]
    gist = readings["summarize/pick"]
    assert gist.drafted == counts["clean"]["accepted"] >= gist.accepted > 2
    assert gist.run == json.loads((run / "manifest.json").read_text())["fingerprint"]


def test_a_sheet_of_another_run_in_the_folder_says_nothing_of_this_one(run: Path) -> None:
    call(run, open_sheet(run), "anna", {"accepted": "same"})
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": "00000000"}))
    said = textcentric("calibrate", run, "--keep")
    assert said.code == 4
    assert "was drawn from another run" in said.err
    assert not (run / CALIBRATION).exists()


def test_the_list_of_prompts_says_what_was_read_and_how_much_is_accepted(run: Path) -> None:
    call(run, open_sheet(run), "anna", {"accepted": "same"})
    textcentric("calibrate", run, "--keep", "--prompt-dir", run / "prompts")
    swap = next(r for r in read_calibration(own()).readings if r.prompt == "own/swap")
    said = textcentric("prompts", "list", "--prompt-dir", run / "prompts").out
    line = next(line for line in said.splitlines() if swap.words() in line)
    assert f"; {swap.accepted} of {swap.drafted} accepted with this model" in line


def test_a_calibration_is_kept_on_request(run: Path) -> None:
    call(run, open_sheet(run), "anna", {"accepted": "same"})
    said = textcentric("calibrate", run, "--keep", "--prompt-dir", run / "prompts")
    assert said.code == 0
    assert f"kept in {own()}" in said.err
    assert {r.prompt for r in read_calibration(own()).readings} >= {"own/swap", "own/whole"}


def test_checks_that_were_changed_make_a_sheet_training_data(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "checks": "0" * 16}))
    call(run, open_sheet(run), "anna", {"accepted": "same"})
    said = textcentric("calibrate", run, "--keep")
    assert said.code == 2
    assert "the checks were changed after this run (0000000000000000, now " in said.err
    assert "this sheet is training data for them" in said.err
    assert not own().exists()


def test_a_prompt_that_was_changed_makes_a_sheet_training_data(run: Path, tmp_path: Path) -> None:
    call(run, open_sheet(run), "anna", {"accepted": "same"})
    other = Path(shutil.copytree(run / "prompts", tmp_path / "other"))
    (other / "own/swap.jinja").write_text((other / "own/swap.jinja").read_text() + "\n")
    said = textcentric("calibrate", run, "--prompt-dir", other)
    assert "own/swap was changed after it was read" in said.err


def test_a_calibration_that_a_run_brings_is_shown_and_not_used(run: Path) -> None:
    call(run, open_sheet(run), "anna", {"accepted": "same"})
    textcentric("calibrate", run)
    shutil.rmtree(run / "reading")
    said = textcentric("calibrate", run, "--keep")
    assert "own/swap: of " in said.out
    assert "it is shown, not used" in said.err
    assert not own().exists()


def test_the_lineage_of_an_output_says_who_read_and_who_edited_it(run: Path) -> None:
    sheet = open_sheet(run)
    item = next(i for i in sheet.items if i.kind == "accepted" and i.group == "own/swap")
    call(run, sheet, "anna", {item.item: "same"})
    path = run.parent / "edit.jsonl"
    row = {"sheet": sheet.digest, "item": item.item, "word": "changed", "edited": "Mended."}
    path.write_text(json.dumps(row) + "\n")
    assert textcentric("review", run, "--reader", "bob", "--import", path).code == 0
    found = json.loads(textcentric("lineage", item.output, "--run", run, "--json").out)
    assert found["read"] == {"anna": "same", "bob": "changed"}
    assert found["edited_by"] == "bob"
    assert "Mended." in found["edited"].values()
    assert "edited_by" not in lineage(run, item.output)


def test_a_threshold_of_ones_own_is_made_shown_kept_and_makes_its_sheet_training_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    asked: dict[str, Any] = {"prompts": "own/swap", "own": KEEPING, "summarize": False}
    path = run_of(tmp_path / "run", 160, rewording, **asked).path
    sheet = open_sheet(path, accepted=200, refused=200)
    call(path, sheet, "anna", {"accepted": "same", "refused": "changed"})
    shown = textcentric("calibrate", path, "--prompt-dir", path / "prompts")
    assert "threshold of its own: threshold 0." in shown.out
    assert "held-out precision" in shown.out
    (made,) = read_calibration(path / CALIBRATION).fitted
    assert not own().exists()
    kept = textcentric("calibrate", path, "--keep", "--prompt-dir", path / "prompts")
    assert f"from now on {made.words()} judge own/swap" in kept.err
    assert read_calibration(own()).fitted == (made,)
    again = textcentric("calibrate", path, "--prompt-dir", path / "prompts")
    assert "threshold or weights are not those of this run any more" in again.err
    assert "figures need a new sheet of a new run" in again.err
    other = run_of(tmp_path / "other", 20, rewording, **asked)
    assert other.manifest["weights"] == f"judged by {made.words()}: own/swap"
    call(other.path, open_sheet(other.path), "anna", {"accepted": "same"})
    fresh = textcentric("calibrate", other.path, "--keep", "--prompt-dir", path / "prompts")
    assert fresh.code == 0
    assert "training data" not in fresh.err


def test_weights_that_a_run_brings_are_shown_and_not_used(run: Path) -> None:
    call(run, open_sheet(run), "anna", {"accepted": "same"})
    textcentric("calibrate", run)
    brought = own_fitted({"own/swap": "0"})
    write_calibration(run / CALIBRATION, read_calibration(run / CALIBRATION).readings, [brought])
    shutil.rmtree(run / "reading")
    said = textcentric("calibrate", run, "--keep")
    assert f"{brought.words()}, for own/swap" in said.out
    assert "it is shown, not used" in said.err
    assert not own().exists()
