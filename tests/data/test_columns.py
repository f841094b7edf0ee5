"""What is asked of a column at once is what is asked of its values one by one."""

import datetime
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from textcentric.data.notation import COMMA, POINT, Notation, NumberSurvey
from textcentric.data.readings import identifier, number, plain
from textcentric.data.scanning.keys import Keys, hashes, split_of, splits_of
from textcentric.data.scanning.survey import ColumnReader, ColumnSurvey
from textcentric.data.schema import Column
from textcentric.data.tables.columns import (
    BLANKS,
    Values,
    column_of,
    distinct,
    garbled,
    gathered,
    identifiers,
    missing,
    plain_numbers,
    rows_of,
    where,
)
from textcentric.values import Cell

MARKERS = ("", "NA", "none")
WORDS = ["oak", " NA", "none\u2003", "", "  ", None, "01", "1.0", "n\ufffda", "oak"]
COLUMNS: dict[str, Values] = {
    "texts": pa.array(WORDS),
    "large texts": pa.array(WORDS, pa.large_string()),
    "categories": pa.array(WORDS).dictionary_encode(),
    "list of cells": [*WORDS, 1, 1.0, True, float("nan"), b"x", ["a"], {"bytes": b""}, {"a": 1}],
    "whole": pa.array([3, None, 0, -7]),
    "floats": pa.array([1.0, float("nan"), None, 2.5]),
    "flags": pa.array([True, None, False]),
    "dates": pa.array([datetime.date(2024, 5, 1), None]),
    "decimals": pa.array([Decimal("1.50"), None]),
    "lists": pa.array([["a", "b"], None, []]),
    "nothing": pa.nulls(3),
    "bytes": pa.array([b"abc", None]),
}


def values_of(column: Values) -> list[Cell]:
    return column if isinstance(column, list) else column.to_pylist()


def test_the_blanks_are_those_of_python() -> None:
    assert set(BLANKS) == {chr(c) for c in range(sys.maxunicode + 1) if chr(c).isspace()}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_missing_and_ids_are_those_of_each_value(column: Values) -> None:
    values = values_of(column)
    assert missing(column, MARKERS).tolist() == [plain(v, MARKERS) is None for v in values]
    assert identifiers(column, MARKERS) == [identifier(v, MARKERS) for v in values]


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_the_distinct_values_give_the_column_back(column: Values) -> None:
    found = distinct(column)
    assert [repr(found.values[at]) for at in found.places] == [repr(v) for v in values_of(column)]
    assert len({(type(v), repr(v)) for v in found.values}) == len(found.values)
    assert sum(count for _, count, _ in found) == len(column)


def test_some_values_of_a_column_are_kept() -> None:
    kept = np.array([True, False, True])
    assert where([1, 2, 3], kept) == [1, 3]
    assert values_of(where(pa.array([1, 2, 3]), kept)) == [1, 3]


def test_plain_numbers_read_as_one_by_one() -> None:
    texts = ["7", "-7.25", "1.234", "1,234", "", None, "7.0", "1e3", "seven", " 12 "]
    found = plain_numbers(pa.array(texts))
    assert found is not None
    plainly = {
        text: amount
        for text, amount in zip(texts, found.amounts, strict=False)
        if np.isfinite(amount)
    }
    assert plainly == {"7": 7, "-7.25": -7.25, "7.0": 7, " 12 ": 12}  # 1.234 may be a thousand
    assert found.decimals.tolist() == [text in ("-7.25", "7.0") for text in texts]


def test_rows_and_batches_come_together_in_their_order() -> None:
    small = [pa.record_batch({"n": [i]}) for i in range(3)]
    other = pa.record_batch({"m": ["x"]})
    parts = [*small, other, {"n": 4}, {"n": 5}, *small]
    batches = list(gathered(parts))
    assert [len(batch) for batch in batches] == [3, 1, 2, 3]
    rows = [row for batch in batches for row in rows_of(batch)]
    assert rows == [{"n": 0}, {"n": 1}, {"n": 2}, {"m": "x"}, {"n": 4}, {"n": 5}, *rows[:3]]
    assert values_of(column_of(batches[1], "n")) == [None]


def test_rows_with_bytes_that_are_no_text_are_seen() -> None:
    batch = pa.record_batch(
        {"a": ["x", "\ufffd", None], "b": ["y", "z", "z\ufffd"], "c": [1, 2, 3]}
    )
    assert garbled(batch).tolist() == garbled(batch.to_pylist()).tolist() == [False, True, True]


def test_the_splits_of_many_keys_are_those_of_each() -> None:
    keys = [f"k{n}" for n in range(500)] + ["", "\ud800"]
    assert splits_of(hashes(keys)) == [split_of(key) for key in keys]


def test_doubled_ids_and_groups_in_two_splits_are_found_over_batches() -> None:
    ids: list[list[str | None]] = [["a", "b", None], ["c", "a", "d"], ["c", "e", "f"]]
    groups: list[list[str | None]] = [["g", None, "h"], ["g", "h", None], ["i", "h", "g"]]
    splits = [["train", "test", "train"], ["train", "train", "test"], ["test", "train", "test"]]
    keys = Keys()
    for some, of, to in zip(ids, groups, splits, strict=True):
        keys.add_ids(hashes([key for key in some if key]))
        keys.add_groups(of, to)
    assert sorted(keys.doubled(ids)) == ["a", "c"]
    rows = (zip(of, to, strict=True) for of, to in zip(groups, splits, strict=True))
    assert keys.straddling(rows) == ["g"]


@pytest.mark.parametrize("notation", [POINT, COMMA])
def test_a_column_is_judged_like_its_values(notation: Notation) -> None:
    values = [
        "7",
        "7.5",
        "7,5",
        "1.234",
        "1,234.5",
        "900",
        "soon",
        "",
        None,
        "12.25",
        "3",
        "€ 4,20",
    ]
    setting = Column(min=0, max=500)
    reader = ColumnReader(setting, MARKERS, surveyed=True, numeric=True)
    for at in range(0, len(values), 5):
        reader.add(pa.array(values[at : at + 5], pa.string()), [f"r{n}" for n in range(at, at + 5)])
    amounts = [number(v, notation) for v in values if v]
    odd = reader.found.odd_in(notation)
    assert (reader.found.values, reader.found.missing) == (10, 2)
    assert odd.unreadable == amounts.count(None)
    assert odd.out_of_range == sum(a is not None and not 0 <= a <= 500 for a in amounts)
    assert len(odd.examples) == min(5, odd.unreadable + odd.out_of_range)


def test_codes_are_known_and_others_out_of_range() -> None:
    found: list[ColumnSurvey] = []
    for column in (pa.array(["1", "1.0", "NA", "9", ""]), pa.array([1.0, 1.0, None, 9.0, None])):
        reader = ColumnReader(Column(codes={"1": "dog", "NA": "none known"}), MARKERS)
        reader.add(column, ["a", "b", "c", "d", "e"])
        found.append(reader.found)
    assert [(one.missing, one.odd[0].out_of_range) for one in found] == [(1, 1), (2, 1)]
    assert found[0].odd[0].examples == ["d: '9'"]


@pytest.mark.parametrize(
    ("texts", "doubt"),
    [
        (["1,234", "2,345"], "'1,234' reads as 1234 or as 1.234"),
        (["1.234", "2.345"], "'1.234' reads as 1.234 or as 1234"),
        (["1.234", "0.345"], ""),  # no thousands begin with 0
        (["1.234", "5.5"], ""),
        (["0,123", "1,234"], ""),
        (["1.234", "7,50"], ""),
    ],
)
def test_a_notation_is_doubted_where_all_values_have_two_readings(
    texts: list[str], doubt: str
) -> None:
    survey = NumberSurvey()
    for text in texts:
        survey.add(text)
    assert survey.doubt() == doubt
