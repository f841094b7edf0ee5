"""Whole sentences of a source alone: true wherever a variant may say less."""

from __future__ import annotations

import pytest

from textcentric.checks.documents import extracted
from textcentric.checks.edit import Edit
from textcentric.checks.verdict import judge

SOURCE = "Age: 3 months. Vaccinated: no. Dewormed: yes.\n\nHe likes boxes. He never bites, he says"


@pytest.mark.parametrize(
    ("variant", "true"),
    [
        ("Age: 3 months. Dewormed: yes. He likes boxes.", True),
        ("Vaccinated: no. He never bites, he says.", True),
        ("Vaccinated: yes. He likes boxes.", False),
        ("He likes.", False),
        ("He bites.", False),
        ("", False),
    ],
)
def test_whole_sentences_of_the_source_are_an_extract(variant: str, true: bool) -> None:
    assert extracted(Edit(SOURCE, variant)) is true


def test_an_extract_is_true_where_less_may_be_said() -> None:
    edit = Edit(SOURCE, "Age: 3 months. He likes boxes.")
    (fewer,) = judge([edit], "fewer")
    assert (fewer.true, fewer.score) == (True, 1.0)
    (same,) = judge([edit], "same")
    assert not same.true
