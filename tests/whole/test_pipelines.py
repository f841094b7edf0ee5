"""Pipelines with nothing behind them: something sensible, or one line of what is missing."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from tests.support.small_run import run

PIPELINES = Path(__file__).parents[2] / "pipelines"
pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def launch(monkeypatch: pytest.MonkeyPatch, name: str, *words: str) -> int:
    """Run a pipeline as a program; return its exit code."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *words])
    try:
        runpy.run_path(str(PIPELINES / f"{name}.py"), run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_training_takes_the_newest_finished_run_and_says_when_it_is_done(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(place / "runs" / "older", 2)
    newest = run(place / "runs" / "newest", 6)
    assert newest.status == "finished"
    assert launch(monkeypatch, "train") == 0
    said = capsys.readouterr().out
    assert said.startswith("downstream on runs/newest, the newest finished run; choose another by")
    (folder,) = Path("models").glob("downstream-????????")
    assert f"model    {folder}\n" in said
    assert json.loads((folder / "train.json").read_text())["identity"]["method"] == "downstream"
    assert launch(monkeypatch, "train") == 0
    assert f"{folder} is trained already; remove it to train anew" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("evaluate", "there is no downstream model in models/: train one by `pipelines/train.py`"),
        ("ablate", "what is to be taken apart? latents/ holds none; `pipelines/ablate.py crmt"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    name: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert launch(monkeypatch, name) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"textcentric: {line}")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "words", "command"),
    [
        ("train", ["reward", "--help"], "train reward"),
        ("augment", ["--help"], "augment"),
        ("evaluate", ["--help"], "evaluate downstream"),
        ("ablate", ["crmt", "--help"], "ablate crmt"),
        ("ablate", ["--help"], "compare"),
    ],
)
def test_with_words_behind_it_a_pipeline_is_the_command(
    name: str,
    words: list[str],
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert launch(monkeypatch, name, *words) == 0
    assert f"{command.rpartition(' ')[2]} [OPTIONS]" in capsys.readouterr().out
