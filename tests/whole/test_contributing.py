"""The examples of CONTRIBUTING.md, written into a copy of the package and used as they say."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, DocTestParser, DocTestRunner
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from tests.support.commands import textcentric
from textcentric import methods
from textcentric.cli import app
from textcentric.machine import COMMANDS

ROOT = Path(methods.__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHAPTER = re.compile(r"^## (?:An? )?([a-z ]+)$", re.MULTILINE)
BLOCK = re.compile(
    r"^(?:In )?`([\w/.]+)`[^\n]*:\n\n|^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
LIGHT = ["modality", "data set", "prompt", "engine", "corruption"]  # all but what needs torch
CHAPTERS = CHAPTER.split(PAGE)[1:]
SESSIONS = """
import doctest, sys
options = {"module_relative": False, "optionflags": doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE}
sys.exit(any([doctest.testfile(path, **options).failed for path in sys.argv[1:]]))
"""
TRIED = ("pycon", "console")


class Block(NamedTuple):
    """Lines of the page: a new file, a change of one, or a session to try."""

    kind: str
    text: str
    path: str = ""


def blocks(chapter: str) -> Iterator[Block]:
    """Yield the blocks of a chapter; a path in backquotes before one names its file."""
    path = ""
    for named in BLOCK.finditer(chapter):
        if named[1]:
            path = named[1]
        else:
            yield Block(named[2], named[3], path)


EXAMPLES = {
    name: list(blocks(text)) for name, text in zip(CHAPTERS[::2], CHAPTERS[1::2], strict=True)
}


def changed(source: str, change: str) -> str:
    """Return `source` with a diff applied; its old lines must stand there once."""
    lines = change.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    assert source.count(old) == 1, f"these lines are not in the file once:\n{old}"
    return source.replace(old, new)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package with everything that the page adds."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("textcentric", "prompts"):
        shutil.copytree(ROOT / name, folder / name)
    for block in (block for example in EXAMPLES.values() for block in example):
        path = folder / block.path
        if block.kind == "diff":
            path.write_text(changed(path.read_text("utf-8"), block.text), "utf-8")
        elif block.kind not in TRIED:
            assert not path.exists(), f"{block.path} is there already"
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, "utf-8")
    return folder


def session(name: str) -> str:
    """Return what a chapter tries, as Python reads it: a command is a call."""
    tried = [block for block in EXAMPLES[name] if block.kind in TRIED]
    assert tried, f"the chapter on a {name} tries nothing"
    text = "\n".join(block.text for block in tried)
    return re.sub(r"^\$ (.*)$", r">>> command('\1')", text, flags=re.MULTILINE)


def command(line: str) -> None:
    """Print what a command prints."""
    said = textcentric(*shlex.split(line)[1:])
    print(said.out if said.code == 0 else said.err)


@pytest.fixture
def method_of_the_page(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process, which has torch in memory, know the method of the copy too."""
    listed = runpy.run_path(str(copy / "textcentric/methods/__init__.py"))["METHODS"]["words"]
    needs = runpy.run_path(str(copy / "textcentric/machine.py"))["COMMANDS"]["train words"]
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(copy / "textcentric/methods")])
    monkeypatch.setitem(methods.METHODS, "words", listed)
    monkeypatch.setitem(cast(dict[str, Any], COMMANDS), "train words", needs)
    monkeypatch.setitem(app.TRAIN, "words", app.Listed(listed.about, "train:words"))
    yield
    for name in [name for name in sys.modules if name.startswith("textcentric.methods.words")]:
        del sys.modules[name]


def test_the_page_has_an_example_of_everything_that_can_be_added() -> None:
    assert list(EXAMPLES) == [*LIGHT, "method"]


def test_the_examples_are_used_as_the_page_says(copy: Path, tmp_path: Path) -> None:
    for name in LIGHT:
        (tmp_path / name).write_text(session(name), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SESSIONS, *LIGHT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("method_of_the_page")
def test_the_method_of_the_page_is_trained_by_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = DocTestParser().get_doctest(
        session("method"), {"command": command}, "method", None, None
    )
    said: list[str] = []
    DocTestRunner(optionflags=ELLIPSIS | NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert said == [], "".join(said)


def test_the_examples_are_formatted_like_the_code(copy: Path) -> None:
    files = [
        copy / block.path
        for example in EXAMPLES.values()
        for block in example
        if block.path.endswith(".py")
    ]
    for command in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        config = ["--config", str(ROOT / "pyproject.toml")]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, *map(str, files)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
