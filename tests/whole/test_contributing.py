"""The examples of CONTRIBUTING.md, written into a copy of the package and used as they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import textcentric

ROOT = Path(textcentric.__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHAPTER = re.compile(r"^## (?:An? )?([a-z ]+)$", re.MULTILINE)
BLOCK = re.compile(
    r"^(?:In )?`([\w/.]+)`[^\n]*:\n\n|^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
CHAPTERS = CHAPTER.split(PAGE)[1:]
SESSIONS = """
import doctest, sys
flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
failed = [p for p in sys.argv[1:] if doctest.testfile(p, False, optionflags=flags).failed]
sys.exit(1 if failed else 0)
"""


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
        elif block.kind != "pycon":
            assert not path.exists(), f"{block.path} is there already"
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, "utf-8")
    return folder


def try_sessions(copy: Path, folder: Path, names: list[str]) -> None:
    """Run the sessions of some chapters in one process that imports the copy."""
    paths = []
    for name in names:
        sessions = [block.text for block in EXAMPLES[name] if block.kind == "pycon"]
        assert sessions, f"the chapter on a {name} tries nothing"
        paths.append(folder / f"{name.replace(' ', '-')}.txt")
        paths[-1].write_text("\n".join(sessions), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SESSIONS, *map(str, paths)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_has_an_example_of_everything_that_can_be_added() -> None:
    kinds = ["modality", "data set", "prompt", "engine", "corruption"]
    assert list(EXAMPLES) == kinds


def test_the_examples_are_used_as_the_page_says(copy: Path, tmp_path: Path) -> None:
    try_sessions(copy, tmp_path, ["modality", "data set", "prompt", "engine", "corruption"])


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
