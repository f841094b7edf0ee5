"""The reference pages say what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

import textcentric

DOCS = Path(textcentric.__file__).parents[1] / "docs"


def test_the_page_of_settings_is_that_of_the_fields() -> None:
    page = runpy.run_path(str(DOCS / "reference.py"))["page"]()
    written = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    assert page == written, "run: python docs/reference.py"
