"""The reference pages say what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

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
