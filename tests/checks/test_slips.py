"""Slips of the hand are read over; what is another word, a form or a name is not."""

from __future__ import annotations

import pytest

from textcentric.checks.edit import Edit
from textcentric.checks.slips import corrected, vocabulary, without_slips

pytestmark = pytest.mark.skipif(not vocabulary(), reason="the packaged encoder is not installed")


@pytest.mark.parametrize(
    ("source", "variant"),
    [
        ("He could live here.", "He colud live here."),
        ("Bed linen is there.", "Bed lonen is there."),
        ("Please give her a chance.", "Please give her a chaance."),
    ],
)
def test_a_slip_is_one_letter_of_a_word_that_is_gone(source: str, variant: str) -> None:
    assert corrected(source, variant) == source


def test_another_word_form_or_name_is_no_slip() -> None:
    assert corrected("They sell the farm.", "They sell the form.") == "They sell the form."
    assert corrected("He likes people.", "He like people.") == "He like people."
    assert corrected("This is Boots.", "This is Bootz.") == "This is Bootz."


def test_a_word_that_is_still_there_is_no_slip() -> None:
    assert corrected("He is calm.", "He is calmm and calm.") == "He is calmm and calm."


def test_an_edit_without_slips_stays_as_it_is() -> None:
    edit = Edit("He is calm.", "He is calm, really.")
    assert without_slips(edit) == edit
