"""Targets as they stand: classes are words, numbers of a column have one notation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textcentric.data import Dataset, check, load
from textcentric.errors import DataError


def table(path: Path, cells: list[str], **schema: Any) -> Dataset:
    """Write a table of lamps with `cells` as its column `of`, and load it with that target."""
    lines = [f"{n}\tlamp {n}\t{cell}\n" for n, cell in enumerate(cells)]
    path.write_text("id\ttext\tof\n" + "".join(lines))
    return load(path, schema={"id": "id", "text": "text", "target": "of", **schema})


def targets(rows: Dataset) -> list[Any]:
    assert rows.count() == len(list(rows))
    return [row.target for row in rows]


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["red ", "blue", "red", "\u00a0blue"], ["red", "blue", "red", "blue"]),
        (["10_20", "20_30"], ["10_20", "20_30"]),
        (["01", "1", "1.0"], ["01", "1", "1.0"]),
        (["01", "02"], ["01", "02"]),
        (["NA", "EU", "NA"], ["NA", "EU", "NA"]),
        (["red", "NaN", "", "null"], ["red", None, None, None]),
        (["1e5", "inf", "0x10"], ["1e5", "inf", "0x10"]),
        (["٣", "٤"], ["٣", "٤"]),
        (["0", "1", "NA"], [0, 1, None]),
        (["1.0", "2.0"], [1, 2]),
    ],
)
def test_classes_are_what_stands_in_the_column(
    tmp_path: Path, cells: list[str], classes: list[Any]
) -> None:
    rows = table(tmp_path / "rows.tsv", cells)
    ranks = all(isinstance(one, int | None) for one in classes)
    assert rows.schema.task == ("ordinal" if ranks else "classification")
    assert targets(rows) == classes
    assert set(rows.schema.choices or {}) == {one for one in classes if one is not None}


def test_what_the_schema_calls_missing_is_missing_and_nothing_else(tmp_path: Path) -> None:
    rows = table(tmp_path / "rows.tsv", ["?", "red", "NaN"], missing=["?"])
    assert targets(rows) == [None, "red", "NaN"]
    own = {"of": {"missing": ["red", -999]}}
    assert targets(table(tmp_path / "rows.tsv", ["NA", "red", "-999"], columns=own)) == [
        "NA", None, None,
    ]  # fmt: skip


def test_rows_without_a_label_are_given_and_counted(tmp_path: Path) -> None:
    rows = table(tmp_path / "rows.tsv", ["1.5", "NA", "", "2.5", "NaN"])
    assert targets(rows) == [1.5, None, None, 2.5, None]
    assert "3 rows without of" in rows.notes


def test_a_missing_number_of_parquet_is_no_label(tmp_path: Path) -> None:
    values = pa.table({"id": ["a", "b", "c"], "of": [1.0, float("nan"), 0.0]})
    pq.write_table(values, tmp_path / "rows.parquet")
    schema = {"id": "id", "target": "of", "table": ["id"], "text": "id"}
    rows = load(tmp_path / "rows.parquet", schema=schema)
    assert targets(rows) == [1, None, 0]


@pytest.mark.parametrize("several", [["red", "old"], {"red": 1}, "['red', 'old']", '["red"]'])
def test_several_labels_of_a_row_are_refused(tmp_path: Path, several: object) -> None:
    lines = [{"id": n, "text": "lamp", "of": several} for n in range(3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(DataError, match="expected one label a row"):
        load(tmp_path / "rows.jsonl", schema={"id": "id", "text": "text", "target": "of"})


# Numbers


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["€1,50", "€2,50"], [1.5, 2.5]),
        (["1.234,50", "7"], [1234.5, 7]),
        (["1.234", "2,5"], [1234, 2.5]),
        (["$1,234.50", "$1,000"], [1234.5, 1000]),
        (["5,50 EUR", "12 345,00 EUR"], [5.5, 12345]),
        (["1'200", "3.5"], [1200, 3.5]),
        (["0.125", "2.500"], [0.125, 2.5]),
    ],
)
def test_a_column_of_numbers_has_one_notation(
    tmp_path: Path, cells: list[str], numbers: list[float]
) -> None:
    assert targets(table(tmp_path / "rows.tsv", cells, task="regression")) == numbers


@pytest.mark.parametrize(
    ("cells", "doubt"),
    [
        (["1,500", "950"], "'1,500' reads as 1500 or as 1.5"),
        (["1,5", "2.5"], "'2.5' and '1,5' are written in two notations"),
    ],
)
def test_a_notation_that_cannot_be_told_is_refused_with_both_readings(
    tmp_path: Path, cells: list[str], doubt: str
) -> None:
    with pytest.raises(DataError) as error:
        table(tmp_path / "rows.tsv", cells, task="regression")
    assert doubt in str(error.value)
    assert 'decimal: "."' in str(error.value)


def test_the_schema_says_which_notation(tmp_path: Path) -> None:
    path, cells = tmp_path / "rows.tsv", ["1,500", "950"]
    assert targets(table(path, cells, task="regression", decimal=".")) == [1500, 950]
    assert targets(table(path, cells, task="regression", decimal=",")) == [1.5, 950]
    own = {"of": {"thousands": "."}}
    assert targets(table(path, cells, task="regression", columns=own)) == [1.5, 950]


def test_columns_of_the_table_are_read_in_their_notation(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('id;price;size\na;"1,50";2.5\nb;"2.000,00";3\n')
    columns = {"price": {"reads": "money"}, "size": {"unit": "metres", "max": 9}}
    schema = {"id": "id", "columns": columns}
    first, second = load(tmp_path / "rows.csv", schema=schema)
    assert first.inputs["table"] == {"price": 1.5, "size": "2.5 metres"}
    assert second.inputs["table"] == {"price": 2000, "size": "3 metres"}
    report = check(tmp_path / "rows.csv", schema=schema)
    assert [column.unreadable for column in report.columns] == [0, 0, 0]


# Schema files


def test_words_of_a_schema_file_are_read_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,land,zip,on,of\na,NO,010,12:30,no\nb,NA,01,off,yes\n")
    (tmp_path / "rows.yaml").write_text(
        "id: id\ntarget: of\nmissing: ['', 'off']\ncolumns:\n"
        "  land: {codes: {NO: Norway, NA: Namibia}}\n"
        "  zip: {codes: {010: Aube, 01: Ain, 0: }}\n"
        "  on: {codes: {12:30: noon, 1_000: late, 2024-01-01: new}}\n"
    )
    first, second = load(tmp_path / "rows.csv", schema=str(tmp_path / "rows.yaml"))
    assert first.inputs["table"] == {"land": "Norway", "zip": "Aube", "on": "noon"}
    assert second.inputs["table"] == {"land": "Namibia", "zip": "Ain", "on": None}
    assert [first.target, second.target] == ["no", "yes"]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["red|old", "old|red", "new"], "'red|old' beside 'old|red'"),
        (["red; old", "red", "old"], "'red; old' beside 'red'"),
        (["red, old", "old", "red"], "'red, old' beside 'red'"),
    ],
)
def test_several_labels_in_a_cell_are_refused(tmp_path: Path, names: list[str], shown: str) -> None:
    lines = [f'{n},x{n},"{names[n % 3]}"' for n in range(12)]
    (tmp_path / "rows.csv").write_text("\n".join(["id,words,tags", *lines]))
    schema = {"target": "tags", "text": ["words"]}
    with pytest.raises(DataError, match=re.escape(shown)):
        load(tmp_path / "rows.csv", schema=schema)
    assert load(tmp_path / "rows.csv", schema={**schema, "choices": names}).count() == 12


@pytest.mark.parametrize("names", [["S/M", "S", "M"], ["a, b", "c, d", "e"], ["NY, NY", "LA", "|"]])
def test_signs_in_names_of_classes_are_no_several_labels(tmp_path: Path, names: list[str]) -> None:
    lines = [f'{n},x{n},"{names[n % 3]}"' for n in range(12)]
    (tmp_path / "rows.csv").write_text("\n".join(["id,words,tags", *lines]))
    assert load(tmp_path / "rows.csv", schema={"target": "tags", "text": ["words"]}).count() == 12


def test_one_number_that_is_written_in_two_ways_is_told(tmp_path: Path) -> None:
    lines = [f"{n},x{n},{('3', '3.0', '4')[n % 3]}" for n in range(12)]
    (tmp_path / "rows.csv").write_text("\n".join(["id,words,stars", *lines]))
    schema = {"target": "stars", "text": ["words"]}
    notes = load(tmp_path / "rows.csv", schema=schema).notes
    assert any("classes '3' and '3.0' of stars are two" in note for note in notes)
    with pytest.raises(DataError, match=r"'3' and '3\.0' are one number"):
        load(tmp_path / "rows.csv", schema={**schema, "task": "ordinal"})
