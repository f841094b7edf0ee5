"""`review` and `calibrate` as commands: what they print, where they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.commands import textcentric
from tests.support.read_run import drawn, filled, read_run
from textcentric.reading.sheet import open_sheet


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return read_run(tmp_path_factory.mktemp("read") / "run")


def test_a_sheet_goes_out_and_comes_back_and_calibrate_counts_it(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "sheet.jsonl"
    out = textcentric("review", run, "--reader", "anna", "--export", path)
    assert out.code == 0
    sheet = open_sheet(run)
    assert f"sheet {sheet.digest}: {len(sheet.items)} pairs" in out.err
    assert "nothing of this sheet was read yet" in out.out
    back = textcentric("review", run, "--reader", "anna", "--import", filled(path, "less"))
    assert back.code == 0
    assert f"{len(sheet.items)} answers of anna taken, 0 of" in back.err
    told = textcentric("calibrate", run)
    assert "one reader alone decides what is true" in told.out
    shown = json.loads(textcentric("calibrate", run, "--json").out)
    by = {reading["prompt"]: reading for reading in shown["readings"]}
    assert by["summarize/pick"]["true"] == by["summarize/pick"]["read"] > 0  # `fewer`
    assert by["own/whole"]["true"] == 0  # `same`


def test_a_run_of_which_nothing_was_read_has_no_figures(tmp_path: Path) -> None:
    run = read_run(tmp_path / "run", 3)
    said = textcentric("calibrate", run)
    assert said.code == 4
    assert "nothing of" in said.err
    assert "textcentric review" in said.err


def test_a_word_that_is_none_ends_with_2(tmp_path: Path) -> None:
    run, sheet = drawn(tmp_path / "run", 4)
    path = tmp_path / "sheet.csv"
    path.write_text(f"sheet,item,word\n{sheet.digest},001,nonsense\n")
    said = textcentric("review", run, "--import", path)
    assert said.code == 2
    assert "unknown word 'nonsense'" in said.err
