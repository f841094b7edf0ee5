"""`check`: everything wrong with a data set, counted, without ever giving up half-way."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from tests.data.test_pictures import broken
from textcentric.data import check
from textcentric.data.checks import CheckReport
from textcentric.data.fit import Fit
from textcentric.data.schema import read_schema
from textcentric.errors import ConfigError

SCHEMA = {
    "target": "price",
    "task": "regression",
    "text": "title",
    "image": "photo",
    "columns": {
        "age": {"unit": "months", "min": 0, "max": 300},
        "kind": {"codes": {"1": "dog", "2": "cat"}},
    },
}


@pytest.fixture
def report(tmp_path: Path) -> CheckReport:
    broken(tmp_path)
    Image.new("RGB", (20, 10)).save(tmp_path / "good.jpg")
    lines = [
        "id,price,title,photo,age,kind",
        "a,1,x,good.jpg,3,1",
        "b,cheap,x,cut.jpg,900,2",
        "c,2,,empty.jpg,old,9",
        "d,3,x,page.jpg,,1",
        "e,4,x,wide.png,5,",
        "f,5,x,bomb.png,6,1",
        "g,6,x,../x.jpg,7,1",
        "h,7,x,gone.jpg,8,1",
        "i,8",
        ",9,x,,8,1",
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    return check(tmp_path / "rows.csv", schema=SCHEMA)


def test_columns_are_counted_by_what_is_wrong_with_them(report: CheckReport) -> None:
    columns = {c.column: (c.role, c.missing, c.unreadable, c.out_of_range) for c in report.columns}
    assert columns == {
        "id": ("id", 1, 0, 0),
        "price": ("target", 0, 1, 0),
        "title": ("text[0]", 1, 0, 0),
        "photo": ("image", 1, 0, 0),
        "age": ("table", 1, 1, 1),
        "kind": ("table", 1, 0, 1),
    }
    assert report.columns[4].examples == ["b: '900'", "c: 'old'"]


def test_pictures_are_counted_by_what_is_wrong_with_them(report: CheckReport) -> None:
    (files,) = report.files
    assert (files.found, files.absent, files.refused) == (6, 1, 1)
    assert files.broken == {
        "is cut off or damaged": 1,
        "is empty (0 bytes)": 1,
        "is an HTML page, not an image": 1,
        "is too large": 2,
    }


def test_broken_rows_and_pictures_are_warnings_and_the_rest_is_usable(report: CheckReport) -> None:
    assert report.usable
    assert (report.rows, report.usable_rows) == (9, 7)
    assert "left out 1 line(s) without exactly 6 fields (line 10: 'i,8')" in report.warnings
    absent = next(line for line in report.warnings if "lack image files" in line)
    assert absent.startswith("2 of 8 rows lack image files: ")
    assert "1 that name files that do not exist ('gone.jpg' of row 'h')" in absent
    assert "column age: 1 out of range (b: '900', c: 'old')" in report.warnings


def test_the_report_is_plain_data(report: CheckReport) -> None:
    assert json.loads(json.dumps(report.to_dict()))["usable"] is True


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty (0 bytes)"),
        ("id,price,title,photo,age,kind\n", "no readable row"),
        ("id,prize,title,photo,age,kind\n1,2,3,4,5,6\n", "did you mean 'prize'?"),
        ("id,price,title,photo,age,kind\na,1,x,,1,1\na,1,x,,1,1\n", "in more than one row"),
        ('id,price,title,photo,age,kind\n"a,1,x', "no readable row"),
        ("\x00\x00\n\x00", "expected a header and rows"),
    ],
)
def test_only_rows_that_cannot_be_used_are_a_problem(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "rows.csv").write_text(text)
    found = check(tmp_path / "rows.csv", schema=SCHEMA | {"id": "id"})
    assert not found.usable
    assert problem in found.problems[0]


def test_a_folder_without_the_data_set_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    found = check("petfinder", data_dir=tmp_path)
    assert found.problems[0].endswith("holds no PetFinder: expected train/train.csv in it")


def test_an_unknown_data_set_is_wrong_usage() -> None:
    with pytest.raises(ConfigError, match="did you mean 'avito'"):
        check("avitto")


def test_classes_of_splits_are_told_where_the_target_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,label,part\na,1,train\nb,2,test\n")
    roles = {"target": "label", "split": "part", "table": []}
    counts = {
        task: check(path, schema=roles | {"task": task, "text": "label"}).splits["test"].classes
        for task in ("classification", "regression")
    }
    assert counts == {"classification": {"2": 1}, "regression": {}}


def test_sounds_are_opened_like_pictures_and_named_by_what_is_wrong(tmp_path: Path) -> None:
    whole = tmp_path / "whole.wav"
    soundfile.write(whole, np.full(8000, 0.25), 8000)
    (tmp_path / "half.wav").write_bytes(whole.read_bytes()[:8000])
    (tmp_path / "void.wav").write_bytes(b"")
    (tmp_path / "page.wav").write_text("<!DOCTYPE html><html>404</html>")
    table = tmp_path / "rows.csv"
    names = ["whole", "half", "void", "page", "whole"]
    table.write_text("id,clip\n" + "".join(f"{i},{n}.wav\n" for i, n in enumerate(names)))
    found = check(table, schema={"audio": "clip"})
    (files,) = found.files
    assert (files.opened, files.found, files.broken) == (
        True,
        5,
        {
            "is cut off or damaged": 1,
            "is empty (0 bytes)": 1,
            "is an HTML page, not a sound file": 1,
        },
    )
    first = f"sound '{tmp_path}/half.wav' is cut off or damaged: 0.497 seconds are left"
    assert f"audio files broken: 1, the first: {first}; copy it again" in found.warnings
    unopened = check(table, schema={"audio": "clip"}, pictures=False)
    assert not unopened.files[0].opened
    assert unopened.warnings == ["audio files were not opened, so broken ones are not known"]


def test_a_picture_in_a_cell_is_a_value(tmp_path: Path) -> None:
    drawn = BytesIO()
    Image.new("RGB", (8, 8)).save(drawn, "PNG")
    cell = {"bytes": drawn.getvalue(), "path": None}
    pq.write_table(pa.table({"id": ["a", "b"], "photo": [cell, cell]}), tmp_path / "r.parquet")
    found = check(tmp_path / "r.parquet", schema={"image": "photo"})
    assert [(c.values, c.missing) for c in found.columns] == [(2, 0), (2, 0)]


def test_what_differs_from_the_rows_of_a_training_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,Size,label,shop\na,1,red,x\nb,2,blue,y\n")
    trained = read_schema({"id": "id", "target": "label", "choices": ["red", "green"]})
    report = check(path, fit=Fit(trained, ("size", "age")))
    assert report.problems == [
        f"table '{path}' lacks columns that the training read: age (it has id, Size, label,"
        " shop); add them, or let `predict` or `evaluate` read them empty:"
        " allow_missing_columns=True"
    ]
    assert report.warnings[:3] == [
        "columns with other names than in training are read: 'Size' as 'size'",
        "columns of the training that lack are read as empty: age",
        "columns that the training did not read are left out: shop",
    ]
    assert report.faults == [
        "row 'b' has target label = 'blue', expected one of red, green; correct or remove the row"
    ]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_copies_of_rows_without_ids_are_counted(tmp_path: Path, ending: str) -> None:
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 1, "b": "x"}, {"a": 1, "b": "z"}]
    lines = [json.dumps(row) for row in rows]
    if ending == "csv":
        lines = ["a,b", *(f"{row['a']},{row['b']}" for row in rows)]
    path = tmp_path / f"rows.{ending}"
    path.write_text("\n".join(lines) + "\n")
    told = check(str(path), schema={"id": "row-number"}).warnings
    copies = [line for line in told if line.startswith("exact copies")]
    assert len(copies) == 1
    assert copies[0].startswith("exact copies of another row: 1 (row 3 is as row 1)")
