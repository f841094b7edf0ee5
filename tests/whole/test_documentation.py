"""The documentation names what is there: files, definitions, rooms, pages."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import textcentric
from tests.whole import test_rooms

ROOT = Path(textcentric.__file__).parents[1]
PACKAGE = ROOT / "textcentric"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#:]+)(#[^)]*)?\)")
CODE = re.compile(r"```.*?```", re.DOTALL)
NAMED = re.compile(r"(?<=`)(?:[a-z_\d-]+/)+[a-z_\d-]+\.(?:py|jinja|yaml|md|svg)(?=`)")
ADDED = re.compile(r"^`[\w/.]+`:$", re.MULTILINE)  # a file that an example of CONTRIBUTING adds
DOTTED = re.compile(r"\btextcentric((?:\.[a-z_]+)+)\b")
ROOM = re.compile(r"^  ([\w*]+(?:/|\.py)) ", re.MULTILINE)


class Place(NamedTuple):
    """A line of a table of architecture.md: what is asked for, the file, the definition in it."""

    question: str
    path: str
    name: str


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def places() -> Iterator[Place]:
    for line in text(ROOT / "docs" / "architecture.md").splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and re.fullmatch(r"[\w/]+\.(py|jinja)", cells[1]):
            yield Place(*cells)


def found(path: str) -> Path:
    """Return the file of a path as the pages name it: in the package, or from the root."""
    return next((base / path for base in (PACKAGE, ROOT) if (base / path).exists()), ROOT / path)


def is_there(dotted: str) -> bool:
    """Say whether a name behind `textcentric.` is a module, a name in one, or public."""
    path = PACKAGE / dotted.replace(".", "/")
    head, name = path.parent.with_suffix(".py"), path.name
    if path.is_dir() or path.with_suffix(".py").is_file() or dotted in textcentric.__all__:
        return True
    return head.is_file() and name in defined(head)


def defined(path: Path) -> set[str]:
    """Return the names that a Python file defines: at its head, and in its classes."""
    names = set[str]()
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("place", [*places()], ids=lambda place: place.question)
def test_what_is_asked_for_is_where_the_architecture_says(place: Place) -> None:
    path = found(place.path)
    if path.suffix == ".py":
        assert place.name in defined(path)
    else:
        assert f"id: {place.name}\n" in text(path)


def test_the_architecture_says_where_the_eight_are_that_a_newcomer_looks_for() -> None:
    asked = " ".join(place.question for place in places())
    for words in (
        "check for invented numbers",
        "order of a row's parts",
        "default of the learning rate",
        "reader of Airbnb",
        "certified radius",
        "text of the summary prompt",
        "drop ratio",
        "lock of a run directory",
    ):
        assert words in asked


def test_the_picture_is_made_from_the_imports() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "rooms.py"))["picture"](vars(test_rooms))
    assert made == text(ROOT / "docs" / "rooms.svg"), "run: python docs/rooms.py"


def test_the_tree_of_the_readme_is_that_of_the_package() -> None:
    rooms = {f"{path.name}/" for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert {*ROOM.findall(text(ROOT / "README.md"))} == rooms | {"*.py"}


def test_the_architecture_lists_every_room_and_every_file_of_the_ground() -> None:
    table = text(ROOT / "docs" / "architecture.md").partition("## Rooms")[2].partition("\n## ")[0]
    named = {*re.findall(r"`(\w+(?:/|\.py))`", table)}
    rooms = {f"{path.name}/" for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    ground = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert named == rooms | ground


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_files_and_modules_of_a_page_are_there(page: Path) -> None:
    prose = ADDED.sub("", CODE.sub("", text(page)))
    links = [page.parent / link for link, _ in LINK.findall(prose) if "NAME" not in link]
    assert [str(link) for link in links if not link.exists()] == []
    assert [name for name in NAMED.findall(prose) if not found(name).exists()] == []
    assert [name[0] for name in DOTTED.finditer(prose) if not is_there(name[1][1:])] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_public_names_of_a_page_are_public(page: Path) -> None:
    assert {*re.findall(r"\btc\.(\w+)", text(page))} <= {*textcentric.__all__}


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link, _ in LINK.findall(text(index))}
    pages = {page.resolve() for page in PAGES} - {index.resolve()}
    assert pages - linked == set()
