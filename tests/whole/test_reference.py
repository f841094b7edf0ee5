"""The reference pages say what the code says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import FunctionType

import pytest

import textcentric

DOCS = Path(textcentric.__file__).parents[1] / "docs"
PAGES = runpy.run_path(str(DOCS / "reference.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_the_code_says(name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert PAGES[name]() == written, "run: python docs/reference.py"


def test_no_other_page_is_called_a_reference() -> None:
    assert {path.name for path in (DOCS / "reference").iterdir()} == {*PAGES}


def test_every_public_function_says_what_it_returns_and_that_is_described() -> None:
    page = PAGES["python.md"]()
    titles, texts = (re.split(r"^##? (.*)$", page, flags=re.MULTILINE)[n::2] for n in (1, 2))
    chapters = dict(zip(titles, texts, strict=True))
    functions = [
        n for n in textcentric.__all__ if isinstance(getattr(textcentric, n), FunctionType)
    ]
    assert "Returns [`Trained`](#trained)." in chapters["`train`"]
    for name in functions:
        returned = re.search(r"^Returns (.*)\.$", chapters[f"`{name}`"], re.MULTILINE)
        assert returned, name
        for link in re.findall(r"\[(`\w+`)\]", returned[1]):
            assert chapters[link].strip(), f"{name} returns {link}"
