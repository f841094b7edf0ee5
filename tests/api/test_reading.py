"""`tc.review` and `tc.calibrate`: a sheet, answers in hand or in a file, figures by prompt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import textcentric as tc
from tests.support.read_run import read_run
from textcentric.prompts.calibration import own
from textcentric.reading.items import READ
from textcentric.reading.sheet import open_sheet


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return read_run(tmp_path_factory.mktemp("read") / "run")


@pytest.fixture
def run(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_a_sheet_is_opened_once_and_shows_no_verdict(run: Path) -> None:
    sheet = tc.review(run, reader="anna")
    assert list(sheet.to_pandas().columns) == (
        "sheet item source variant changes declared word edited".split()
    )
    assert {row["word"] for row in sheet.table} == {""}
    assert (list(sheet.answers), list(sheet.figures)) == ([], [])
    assert tc.review(tc.Run(run)).table == sheet.table
    assert sheet["pairs"] == len(sheet.table)


def test_answers_in_hand_are_taken_and_counted_by_prompt(run: Path) -> None:
    pairs = tc.review(run).table
    said = pd.DataFrame([{"item": row["item"], "word": "same"} for row in pairs])
    read = tc.review(run, said, reader="anna", who="model tiny")
    assert {row["word"] for row in read.table} == {"same"}
    assert {row["word"] for row in tc.review(run, reader="bob").table} == {""}
    assert {(a["reader"], a["who"]) for a in read.answers} == {("anna", "model tiny")}
    by = {line["prompt"]: line for line in read.figures}
    accepted = [i for i in open_sheet(run).items if i.kind == READ[0] and i.group == "own/swap"]
    swap = by["own/swap"]
    assert (swap["read"], swap["true"], swap["high"]) == (len(accepted), len(accepted), 1.0)
    assert swap["same"] == swap["read"] + swap["refused_read"]
    assert 0 < swap["low"] < 1


def test_a_mended_text_is_taken_and_later_words_win(run: Path) -> None:
    item = next(i for i in open_sheet(run).items if i.kind == READ[0])
    tc.review(run, [{"item": item.item, "word": "changed", "edited": "A mended text."}])
    assert tc.review(run).answers[0]["edited"]["text"] == "A mended text."
    read = tc.review(run, [{"item": item.item, "word": "l"}])
    assert [(a["item"], a["word"]) for a in read.answers] == [(item.item, "less")]


def test_a_file_of_answers_is_taken_as_the_command_takes_it(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "sheet.jsonl"
    tc.review(run, export=path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**row, "word": "less"}) + "\n" for row in rows))
    assert {row["word"] for row in tc.review(run, path).table} == {"less"}


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([{"item": "001", "word": "nonsense"}], "answer 1: unknown word 'nonsense'"),
        ([{"item": "1000", "word": "same"}], "answer 1: the sheet has no pair '1000'"),
        ([{"item": "001"}], "answer 1: no column 'word'"),
        (3, "answers are int; expected rows of item and word, or a file"),
    ],
)
def test_answers_that_are_none_are_refused_and_none_is_taken(
    run: Path, answers: object, why: str
) -> None:
    with pytest.raises(tc.DataError, match=why):
        tc.review(run, answers)  # type: ignore[arg-type]
    assert list(tc.review(run).answers) == []


def test_settings_of_the_page_are_the_commands(run: Path) -> None:
    with pytest.raises(tc.ConfigError, match="unknown key of review 'port'"):
        tc.review(run, port=8000)


def test_calibrate_counts_and_keeps_what_was_read(run: Path, finished: Path) -> None:
    with pytest.raises(tc.RunError, match="nothing of"):
        tc.calibrate(run)
    said = [{"item": row["item"], "word": "same"} for row in tc.review(run).table]
    tc.review(run, said)
    found = tc.calibrate(run)
    assert found.path == run / "calibration.json"
    assert list(found.to_pandas()["prompt"]) == [line["prompt"] for line in found.table]
    assert any("a threshold of its own takes" in note for note in found.notes)
    assert "of 12 read 12 true" in (run / "report.html").read_text(encoding="utf-8")
    with pytest.raises(tc.PromptError, match=r"keep=True keeps nothing .* summarize/pick was"):
        tc.calibrate(run, keep=True)  # the packaged prompt of that name is another one
    prompts = finished.parent / "own-prompts"
    assert tc.calibrate(run, keep=True, prompt_dir=prompts).path == own()
    assert json.loads(own().read_text())["readings"] == [
        {k: v for k, v in reading.items() if k != "words"} for reading in found["readings"]
    ]
