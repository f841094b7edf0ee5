"""docs/tutorial.md from top to bottom: its files, its commands and what they print."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import NamedTuple

import pytest

import textcentric as package
from tests.support.commands import textcentric
from tests.support.tiny_models import tiny_model
from textcentric.evaluation.comparison.config import CompareConfig
from textcentric.settings import read

PAGE = (Path(package.__file__).parents[1] / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```$|^```console\n(.*?)^```$", re.M | re.S)
SMALL = {"model: packaged": "model: tiny", "num_train_epochs: 3": "num_train_epochs: 1"}
WRITTEN = "A flat with a kitchen that was renewed."


class Command(NamedTuple):
    """A command and what it prints, with `...` for anything."""

    line: str
    printed: str


def commands(block: str) -> Iterator[Command]:
    for command in block.split("$ ")[1:]:
        line, _, printed = command.partition("\n")
        yield Command(line, printed)


def run(command: Command) -> None:
    name, *arguments = shlex.split(command.line)
    if name == "python":
        runpy.run_path(arguments[0])
        return
    said = textcentric(*arguments)
    assert said.code == 0, f"{command.line}\n{said.err}"
    printed = f"{command.printed}\n".removesuffix("\n...\n\n")
    fits = OutputChecker().check_output(f"{printed.strip()}...", said.out.strip(), ELLIPSIS)
    assert fits, f"{command.line}\n{said.out}"


def test_the_tutorial_works_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTCENTRIC_ENGINE", "scripted")
    monkeypatch.setenv("TEXTCENTRIC_ENGINE_SETTINGS", f"{{answer: {WRITTEN}}}")
    monkeypatch.setenv("TEXTCENTRIC_EMBEDDINGS", "false")
    tiny_model(Path("tiny"), max_position_embeddings=256)
    for name, content, console in BLOCK.findall(PAGE):
        for packaged, small in SMALL.items():
            content = content.replace(packaged, small)
        if name:
            Path(name).write_text(content, encoding="utf-8")
        for command in commands(console):
            run(command)
    assert read(CompareConfig, Path("compare.yaml")).arms[-1] == "text-centric"
    for left in ("runs/flats/report.html", "runs/flats-damage/robustness.html", "predictions.csv"):
        assert Path(left).is_file()
