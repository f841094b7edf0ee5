"""The shipped calibration is made of runs that were read, and holds counts alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.ship_calibration import ship
from tests.support.read_run import call
from tests.support.small_run import run
from textcentric.checks.identity import checks_identity
from textcentric.errors import PromptError, RunError
from textcentric.prompts.calibration import added, read_calibration
from textcentric.reading.sheet import open_sheet


def read_run(folder: Path, rows: int) -> Path:
    """Return a run of two shipped rules, of which a sheet was read."""
    path = run(folder, rows, prompts="rule/typing,rule/dropping", own={}, summarize=False).path
    sheet = open_sheet(path)
    call(path, sheet, "anna", {"accepted": "same"})
    false = next(item for item in sheet.items if item.group == "rule/typing")
    call(path, sheet, "anna", {false.item: "changed"})
    return path


def test_runs_are_added_up_and_only_counts_are_shipped(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    runs = [read_run(tmp_path / "one" / "run", 6), read_run(tmp_path / "two" / "run", 8)]
    ship(runs, path)
    typing = [one for one in read_calibration(path).readings if one.prompt == "rule/typing"]
    both = added(typing)
    counts = [json.loads((r / "manifest.json").read_text())["counts"]["rule/typing"] for r in runs]
    assert both.accepted == both.read == sum(count["accepted"] for count in counts)
    assert both.true == both.read - 2
    assert both.checks == checks_identity()
    text = path.read_text()
    assert not any(word in text for word in ("bakery", "r3/", "anna", str(tmp_path)))


def test_what_was_not_read_or_is_not_of_today_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    unread = run(tmp_path / "unread", 2, prompts="rule/typing", own={}, summarize=False).path
    with pytest.raises(RunError, match=r"nothing of .* was read yet"):
        ship([unread], path)
    old = read_run(tmp_path / "old" / "run", 4)
    manifest = json.loads((old / "manifest.json").read_text())
    (old / "manifest.json").write_text(json.dumps({**manifest, "checks": "0" * 16}))
    (old / "reading" / "sheet-01.json").unlink()
    call(old, open_sheet(old), "anna", {"accepted": "same"})
    with pytest.raises(PromptError, match="the checks were changed after this run"):
        ship([old], path)
    assert not path.exists()


def test_a_prompt_that_is_not_shipped_is_refused(tmp_path: Path) -> None:
    own = run(tmp_path / "run", 4, prompts="own/swap").path
    call(own, open_sheet(own), "anna", {"accepted": "same", "refused": "changed"})
    with pytest.raises(PromptError, match="own/swap is no shipped prompt"):
        ship([own], tmp_path / "calibration.json")
