"""Cells: codes in words, units, printed lists, money, missing values."""

from datetime import datetime

import pytest

from textcentric.data.readings import as_float, identifier, items, number, read_cell, read_text
from textcentric.data.schema import Column

MISSING = ("", "NaN")


@pytest.mark.parametrize(
    ("raw", "column", "value"),
    [
        ("1", Column(codes={"1": "dog", "2": "cat"}), "dog"),
        (2.0, Column(codes={"1": "dog", "2": "cat"}), "cat"),
        ("9", Column(codes={"1": "dog"}), "unknown code 9"),
        ("0", Column(codes={"0": None}), None),
        ("3", Column(unit="months"), "3 months"),
        ("1.0", Column(unit="months"), "1 month"),
        ("0", Column(unit="ringgit", codes={"0": "free"}), "free"),
        ("$1,200.00", Column(reads="money"), 1200),
        ("2.5", Column(reads="number"), 2.5),
        ("t", Column(reads="flag"), "yes"),
        ("['Wifi', 'Kettle']", Column(reads="list"), "Wifi, Kettle"),
        ('["Wifi", "Kettle"]', Column(reads="list"), "Wifi, Kettle"),
        ("[]", Column(reads="list"), None),
        ("007", None, "007"),
        ("1.0", None, "1.0"),
        (" NaN ", None, None),
        (float("nan"), None, None),
        (None, None, None),
        (b"raw", None, None),
    ],
)
def test_a_cell_reads_as_words_or_a_number(
    raw: str | float | bytes | None, column: Column | None, value: str | float | None
) -> None:
    assert read_cell(raw, column, MISSING) == value


def test_a_printed_list_is_parsed_never_executed() -> None:
    nasty = "[__import__('os').getpid()]"
    assert items(nasty, Column(reads="list")) == [nasty]


def test_headings_and_doubled_lines_of_a_printed_list_are_dropped() -> None:
    printed = "['About', 'The space', 'The space\\nA mill.', 'Unavailable: TV\\nTV', '']"
    column = Column(reads="list", drop=("About",))
    assert items(printed, column) == ["The space\nA mill.", "Unavailable: TV"]
    assert read_text(printed, column, MISSING) == "The space\nA mill.\nUnavailable: TV"


@pytest.mark.parametrize("raw", ["soon", "", "nan", "inf", "1,2", None])
def test_what_is_not_a_finite_number_is_none(raw: str | float | bytes | None) -> None:
    assert number(raw) is None


def test_an_id_stays_the_string_that_it_is() -> None:
    assert [identifier(raw) for raw in ("007", 7, 7.0, "", None)] == ["007", "7", "7", None, None]


def test_objects_and_moments_in_lists_are_said_without_python() -> None:
    day = datetime(2024, 1, 2)
    assert read_cell([{"kind": "owl", "on": day}, day], None, ("",)) == (
        '{"kind": "owl", "on": "2024-01-02"}, 2024-01-02'
    )


def test_a_number_of_thousands_of_digits_is_no_number_and_an_id_in_hexadecimal() -> None:
    assert number(10**5000) is None
    assert number("1" * 5000) is None
    assert read_cell(10**5000, Column(reads="number"), MISSING) == hex(10**5000)
    assert identifier(10**5000) == hex(10**5000)
    assert as_float(10**5000) is None
    assert as_float("1e400") == float("inf")
