"""Excel workbooks: the sheet that is meant, and values as they went in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from textcentric.data import load
from textcentric.data.schema import Schema
from textcentric.data.tables.table import open_table
from textcentric.errors import ConfigError, DataError

HEADER = ["id", "kind", "born"]
ROW = ["01", "owl", date(2024, 1, 2)]


def book(path: Path, merged: Sequence[str] = (), **sheets: Sequence[Any]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, lines in sheets.items():
        sheet = made.create_sheet(name)
        for line in lines:
            sheet.append(line)
        for area in merged:
            sheet.merge_cells(area)
    made.save(path)
    return path


def rows(path: Path, **keys: object) -> list[dict[str, object]]:
    return [dict(row) for row in open_table(path, Schema.model_validate(keys)).rows()]


def test_values_come_out_as_they_went_in(tmp_path: Path) -> None:
    header = ["id", "number", "share", "day", "moment", "calm", "words", "none"]
    values = ["01", 2.0, 2.5, date(2024, 1, 2), datetime(2024, 1, 2, 10, 30), True, " a ", None]
    path = book(tmp_path / "pets.xlsx", Pets=[header, values])
    assert rows(path) == [dict(zip(header, ["01", 2, *values[2:]], strict=True))]


def test_a_date_is_read_without_a_needless_time(tmp_path: Path) -> None:
    path = book(tmp_path / "pets.xlsx", Pets=[HEADER, ["1", "owl", datetime(2024, 1, 2)]])
    (row,) = load(path)
    assert row.inputs["table"] == {"kind": "owl", "born": "2024-01-02"}


def test_empty_rows_and_columns_around_the_values_are_passed_over(tmp_path: Path) -> None:
    lines = [[None], [*HEADER, None, None], [*ROW, None, None], [None], ["", None, None, None, ""]]
    path = book(tmp_path / "pets.xlsx", Pets=lines)
    assert open_table(path).columns == ("id", "kind", "born")
    assert rows(path) == [dict(zip(HEADER, ROW, strict=True))]


def test_a_sheet_is_named_by_the_path_or_by_the_schema(tmp_path: Path) -> None:
    path = book(tmp_path / "pets.xlsx", Owls=[["id"], ["a"]], Newts=[["id"], ["b"]])
    assert rows(tmp_path / "pets.xlsx:Newts") == [{"id": "b"}]
    assert rows(path, sheet="Owls") == [{"id": "a"}]
    with pytest.raises(DataError, match=r"several sheets \(Owls, Newts\); .*`pets.xlsx:Owls`"):
        open_table(path)
    with pytest.raises(DataError, match="unknown sheet 'Newt'; did you mean 'Newts'"):
        open_table(tmp_path / "pets.xlsx:Newt")


def test_empty_sheets_beside_the_only_filled_one_need_no_name(tmp_path: Path) -> None:
    path = book(tmp_path / "pets.xlsx", Sheet1=[["id"], ["a"]], Sheet2=[])
    assert rows(path) == [{"id": "a"}]


def test_merged_cells_stand_in_all_that_they_cover(tmp_path: Path) -> None:
    lines = [["id", "size", None], [None, "w", "h"], ["a", 1, 2], ["b", None, 3]]
    path = book(tmp_path / "pets.xlsx", ["A1:A2", "B1:C1", "B3:B4"], Pets=lines)
    assert rows(path) == [
        {"id": "a", "size w": 1, "size h": 2},
        {"id": "b", "size w": 1, "size h": 3},
    ]
    assert [note.split(",")[0] for note in open_table(path).notes] == [
        "the header has two lines",
        "1 merged cell(s) stand in each row that they cover",
    ]


def test_a_title_over_all_columns_is_no_header(tmp_path: Path) -> None:
    lines = [["Pets of 2024", None, None], HEADER, ROW]
    path = book(tmp_path / "pets.xlsx", ["A1:C1"], Pets=lines)
    with pytest.raises(DataError, match=r"title of .*'Pets of 2024'.* say `skip: 1`"):
        open_table(path)
    assert rows(path, skip=1) == [dict(zip(HEADER, ROW, strict=True))]


def test_a_column_that_only_counts_rows_is_left_out(tmp_path: Path) -> None:
    path = book(tmp_path / "pets.xlsx", Pets=[[None, "id"], [0, "a"], [1, "b"]])
    table = open_table(path)
    assert table.columns == ("id",)
    assert "which has no name and counts rows, is left out" in table.notes[0]


def test_keys_that_say_nothing_about_a_workbook_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "pets.xlsx", Pets=[HEADER, ROW])
    with pytest.raises(ConfigError, match="delimiter says nothing about pets"):
        open_table(path, Schema(delimiter=";"))
    assert rows(path, header=["a", "b", "c"])[0] == dict(zip("abc", HEADER, strict=True))
