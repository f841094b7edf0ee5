"""Slips of the hand are read over; what is another word, a form or a name is not."""

from __future__ import annotations

import pytest

from textcentric.checks.edit import Edit
from textcentric.checks.slips import corrected, vocabulary, without_slips

pytestmark = pytest.mark.skipif(not vocabulary(), reason="the packaged encoder is not installed")


@pytest.mark.parametrize(
    ("source", "variant", "read"),
    [
        ("He could live here.", "He colud live here.", "He could live here."),
        ("Bed linen is there.", "Bed lonen is there.", "Bed linen is there."),
        ("Please give her a chance.", "Please give her a chaance.", "Please give her a chance."),
        ("They sell the farm.", "They sell the form.", "They sell the form."),
        ("He likes people.", "He like people.", "He like people."),
        ("This is Boots.", "This is Bootz.", "This is Bootz."),
        ("He is calm.", "He is calmm and calm.", "He is calmm and calm."),
    ],
)
def test_a_slip_is_one_letter_of_a_word_that_is_gone(source: str, variant: str, read: str) -> None:
    assert corrected(source, variant) == read


def test_an_edit_without_slips_stays_as_it_is() -> None:
    edit = Edit("He is calm.", "He is calm, really.")
    assert without_slips(edit) == edit
