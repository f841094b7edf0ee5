"""A file of predictions: never over another, and with nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textcentric.errors import ConfigError, RunError
from textcentric.evaluation.predictions_file import held_output, write_predictions

ENDINGS = (".csv", ".parquet", ".jsonl")
FORMULA = '=HYPERLINK("http://x")'
ROWS: list[dict[str, Any]] = [
    {"id": FORMULA, "prediction": "-5", "score": -0.5, "problem": ""},
    {"id": "@heron", "prediction": "calm", "score": 0.5, "problem": ""},
]


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("ending", ENDINGS)
def test_predictions_may_be_written_again(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"new{ending}"
    for _ in range(2):
        with held_output(path):
            write_predictions(ROWS, path)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mine{ending}"
    if ending == ".parquet":
        pq.write_table(pa.table({"id": [1], "age": [2]}), path)
    else:
        path.write_text("id,age\n1,2\n" if ending == ".csv" else '{"id": 1, "age": 2}\n')
    before = path.read_bytes()
    with pytest.raises(RunError, match="not a file of predictions that textcentric wrote"):
        held_output(path).__enter__()
    assert path.read_bytes() == before


def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    with held_output(path), pytest.raises(RunError, match="written by another command"):
        held_output(path).__enter__()


def test_an_ending_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown ending"):
        held_output(tmp_path / "new.txt").__enter__()


def test_formulas_are_told_of_once_and_written_as_text(tmp_path: Path) -> None:
    said: list[str] = []
    path = write_predictions(ROWS, tmp_path / "new.csv", tell=said.append)
    assert [row["id"] for row in cells(path)] == [f"'{FORMULA}", "'@heron"]
    assert [row["prediction"] for row in cells(path)] == ["-5", "calm"]
    assert [row["score"] for row in cells(path)] == ["-0.5", "0.5"]
    (line,) = said
    assert line.startswith("2 texts begin as formulas of spreadsheets do (first, in id: '=HYPER")


def test_formulas_are_written_as_they_are_where_that_is_asked_for(tmp_path: Path) -> None:
    said: list[str] = []
    path = write_predictions(ROWS, tmp_path / "new.csv", safe_csv=False, tell=said.append)
    assert [row["id"] for row in cells(path)] == [FORMULA, "@heron"]
    (line,) = said
    assert "written as they are; safe_csv=True" in line


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
def test_other_files_hold_texts_as_they_are(tmp_path: Path, ending: str) -> None:
    said: list[str] = []
    path = write_predictions(ROWS, tmp_path / f"new{ending}", tell=said.append)
    assert said == []
    if ending == ".jsonl":
        assert path.read_text().startswith('{"id": "=HYPERLINK')
    else:
        assert pq.read_table(path)["id"].to_pylist() == [FORMULA, "@heron"]
