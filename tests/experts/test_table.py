"""The table expert: {column: value} as short statements."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from textcentric.errors import ConfigError
from textcentric.experts.protocol import Description
from textcentric.experts.table import TableExpert


def say(row: Mapping[str, Any], **options: Any) -> Description:
    return TableExpert(**options).describe([row])[0]


def test_each_column_becomes_one_statement_in_order() -> None:
    assert say({"Type": "cat", "Age": "3 months"}).text == "Type: cat. Age: 3 months."


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3.0, "3"),
        (0.1 + 0.2, "0.3"),
        (-12.5, "-12.5"),
        (1e16, "10000000000000000"),
        (7, "7"),
        (True, "yes"),
        (False, "no"),
        (np.float64(4.0), "4"),
        (np.int64(9), "9"),
        (math.inf, "inf"),
        (["wifi", "kitchen", None], "wifi, kitchen"),
    ],
)
def test_numbers_and_lists_read_like_words(value: Any, words: str) -> None:
    assert say({"Value": value}).text == f"Value: {words}."


@pytest.mark.parametrize("value", [None, math.nan, np.float32("nan"), "", "  \u200b ", [], ()])
def test_a_missing_value_is_skipped_or_named(value: Any) -> None:
    row = {"Type": "cat", "Fee": value}
    assert say(row).text == "Type: cat."
    assert say(row, missing="name").text == "Type: cat. Fee: not stated."
    assert say(row).notes == ("missing columns: 1 of 2",)


def test_a_row_without_any_value_has_no_text_in_either_mode() -> None:
    for missing in ("skip", "name"):
        told = say({"Age": None, "Fee": math.nan}, missing=missing)
        assert told.text == ""
        assert told.notes == ("missing columns: 2 of 2",)


def test_zero_and_no_are_values() -> None:
    assert say({"Fee": 0, "Videos": 0.0, "Pool": False}).text == "Fee: 0. Videos: 0. Pool: no."


def test_newlines_and_control_characters_cannot_break_the_line() -> None:
    assert say({"Na\nme_x": "Mi\x00mi\r\n\x1b[31mred\u202e"}).text == "Na me x: Mimi [31mred."


def test_a_long_value_is_cut_at_a_word() -> None:
    text = say({"Rules": "no smoking " * 100}, longest=30).text
    assert text == "Rules: no smoking no smoking no …"


def test_a_value_that_ends_a_sentence_gets_no_second_full_stop() -> None:
    assert say({"Name": "Mr. Cat!"}).text == "Name: Mr. Cat!"


def test_markup_and_templates_stay_text() -> None:
    row = {"Name": "{{ 7*7 }} <script>alert(1)</script>"}
    assert say(row).text == "Name: {{ 7*7 }} <script>alert(1)</script>."


def test_the_choice_about_missing_values_is_part_of_the_version() -> None:
    assert TableExpert("skip").version != TableExpert("name").version
    mistyped: Any = "skipp"
    with pytest.raises(ConfigError, match="did you mean 'skip'"):
        TableExpert(mistyped)


def test_the_digest_follows_values_and_column_order() -> None:
    digest = TableExpert().digest
    assert digest({"a": 1, "b": None}) == digest({"a": 1, "b": None})
    assert len({digest({"a": 1, "b": 2}), digest({"b": 2, "a": 1}), digest({"a": 1})}) == 3
