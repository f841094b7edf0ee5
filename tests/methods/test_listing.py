"""What each method is good for: all are listed, by the needs that they check."""

from __future__ import annotations

import json

import pytest

from tests.support.commands import textcentric
from textcentric.methods import METHODS
from textcentric.methods.fusion.config import VARIANTS
from textcentric.methods.fusion.purposes import PURPOSES
from textcentric.methods.listing import list_methods


def test_every_variant_says_what_it_is_for_and_what_it_costs() -> None:
    assert list(PURPOSES) == list(VARIANTS)
    gentle = [n for n, one in VARIANTS.items() if one.inputs != "adversarial"]
    assert all(0 <= PURPOSES[name].cost <= 3 for name in gentle)


def test_every_method_is_listed() -> None:
    found = list_methods()
    assert [one.method for one in found.methods] == list(METHODS)
    assert [one.variant for one in found.variants] == list(VARIANTS)


@pytest.mark.parametrize(
    ("variant", "needs"),
    [
        ("jt", "a modality, a class of each row"),
        ("mcr", "2 modalities, features of one width, a class of each row"),
        ("umurl", "2 modalities, features of one width, a class of some rows"),
        ("mmlora", "a modality, a model of each modality alone, a class of each row"),
    ],
)
def test_needs_are_those_that_are_checked(variant: str, needs: str) -> None:
    assert {one.variant: one.needs for one in list_methods().variants}[variant] == needs


def test_the_command_shows_both_lists_and_gives_them_as_json() -> None:
    shown = textcentric("methods", "list")
    assert shown.code == 0
    assert "which items of two modalities belong together" in shown.out
    assert "crmt-at" in shown.out
    told = json.loads(textcentric("methods", "list", "--json").out)
    assert [one["variant"] for one in told["variants"]] == list(VARIANTS)
