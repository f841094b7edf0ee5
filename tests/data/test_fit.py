"""New rows are fitted to the columns that a training read; every line keeps its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from textcentric.data import load
from textcentric.data.fit import Fit
from textcentric.data.new_rows import NewRows, Unusable, lines_of, read_new
from textcentric.data.schema import Schema
from textcentric.data.trained import read_of
from textcentric.errors import DataError
from textcentric.rows import Record

ROLES = {"id": "id", "text": "text", "target": "sold", "split": "part"}
TRAINED = "id,text,size,age,part,sold\na,a lamp,big,3,train,yes\nb,a rug,small,4,test,no\n"
Write = Callable[[str], Path]


@pytest.fixture
def table(tmp_path: Path) -> Write:
    def write(content: str, name: str = "new.csv") -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


def fit(path: Path, **how: Any) -> Fit:
    read = read_of(load(path, schema={**ROLES, "columns": {"age": {"unit": "years"}}}))
    assert read["columns"] == ["size", "age"]
    return Fit(Schema.model_validate(read["schema"]), tuple(read["columns"]), **how)


def new(table: Write, content: str, **how: Any) -> NewRows:
    options = {name: how.pop(name) for name in ("split", "limit", "schema") if name in how}
    blind = fit(table(TRAINED), blind=True, splits="split" in options, **how)
    return read_new(table(content), blind, **options)


def said(rows: NewRows) -> list[tuple[str, Any]]:
    return [
        (line.id, line.why if isinstance(line, Unusable) else line.inputs.get("table"))
        for line in rows.lines
    ]


CELLS = {"size": "big", "age": "9 years"}


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("id,text,size,age\nn,a jar,big,9\n", ""),
        ("age,size,text,id\n9,big,a jar,n\n", ""),
        ("id,text,size,age,part,sold\nn,a jar,big,9,dev,\n", ""),
        ("id,note,text,size,age\nn,seen,a jar,big,9\n", "did not read are left out: note"),
        ("ID,text,Size ,age\nn,a jar,big,9\n", "are read: 'Size' as 'size', 'ID' as 'id'"),
    ],
)
def test_new_rows_have_the_columns_of_the_training_in_its_order(
    table: Write, content: str, note: str
) -> None:
    rows = new(table, content)
    assert [list(cells.items()) for _, cells in said(rows)] == [list(CELLS.items())]
    assert [line for line in rows.notes if note in line] == list(rows.notes)
    assert bool(note) == bool(rows.notes)


def test_columns_that_lack_are_refused_all_at_once_or_read_as_empty(table: Write) -> None:
    content = "id,text\nn,a jar\n"
    with pytest.raises(DataError, match=r"training read: size, age \(it has id, text\)"):
        new(table, content)
    rows = new(table, content, allow_missing=True)
    assert said(rows) == [("n", None)]
    assert rows.notes == ("columns of the training that lack are read as empty: size, age",)


def test_every_line_keeps_its_place_with_what_is_wrong(table: Write) -> None:
    content = (
        "id,text,size,age\na,a jar,big,9\nb,,,\n,a rug,big,9\na,a lid,big,9\nc,x\nd,a pot,big,9\n"
    )
    assert said(new(table, content)) == [
        ("a", CELLS),
        ("b", "the row has nothing in any modality"),
        ("", "row 3 has no value in its id column 'id'"),
        ("a", "row 4 has the id of row 1; ids are unique"),
        ("", "line 6: a line without exactly 4 fields: 'c,x'"),
        ("d", CELLS),
    ]
    assert len(new(table, content, limit=2).lines) == 2


def test_a_loaded_data_set_keeps_the_places_of_rows_that_it_leaves_out(table: Write) -> None:
    content = "id,text,sold,size\na,a jar,1.5,big\nb,,,\nc,a pot,much,small\n"
    schema = {"id": "id", "text": "text", "target": "sold", "task": "regression"}
    rows = NewRows(lines_of(load(table(content), schema=schema)))
    assert said(rows) == [
        ("a", {"size": "big"}),
        ("b", "the row has nothing in any modality"),
        ("c", {"size": "small"}),
    ]


def test_unknown_splits_do_not_matter_to_new_rows(table: Write) -> None:
    content = "id,text,size,age,part\na,a jar,big,9,dev\nb,a rug,big,9,test\n"
    assert [line.id for line in new(table, content).lines] == ["a", "b"]
    assert [line.id for line in new(table, content, split="test").lines] == ["b"]


def test_what_a_schema_says_of_new_rows_wins_and_the_rest_is_the_trainings(table: Write) -> None:
    content = "ref;text;size;age\nn;a jar;big;9\n"
    rows = new(table, content, schema={"id": "ref", "delimiter": ";"})
    assert said(rows) == [("n", CELLS)]


def test_a_frame_is_read_as_the_training_was(table: Write) -> None:
    blind = fit(table(TRAINED), blind=True, splits=False)
    frame = pd.DataFrame({"age": [9], "Size": ["big"], "id": ["n"], "text": ["a jar"]})
    assert said(read_new(frame, blind)) == [("n", CELLS)]


def test_numbers_are_read_in_the_notation_of_the_training(table: Write) -> None:
    schema = {"text": "text", "columns": {"price": {"reads": "money"}}}
    trained = load(table('id,text,price\na,x,"1,50"\nb,y,"2,25"\n'), schema=schema)
    read = read_of(trained)
    fitted = Fit(Schema.model_validate(read["schema"]), tuple(read["columns"]), blind=True)
    rows = read_new(table("id,text,price\nn,a jar,1.500\n"), fitted)
    assert said(rows) == [("n", {"price": 1500})]


def test_records_have_the_cells_of_the_training_in_its_order(table: Write) -> None:
    record = Record("n", {"text": "a jar", "table": {"age": 9, "note": "x", "size": "big"}})
    fitted = fit(table(TRAINED))
    (row,) = fitted.records([record])
    assert list(row.inputs.items()) == [("text", "a jar"), ("table", {"size": "big", "age": 9})]
    assert fitted.notes == ["columns that the training did not read are left out: note"]
    with pytest.raises(DataError, match=r"the table of the rows lacks .* size"):
        fitted.records([Record("n", {"table": {"age": 9}})])


def test_values_that_do_not_fit_what_the_training_says_are_told(table: Write) -> None:
    schema = {
        "text": "text",
        "columns": {"heat": {"codes": {"1": "gas"}}, "age": {"unit": "years"}},
    }
    read = read_of(load(table("id,text,heat,age\na,x,1,1.5\n"), schema=schema))
    fitted = Fit(Schema.model_validate(read["schema"]), tuple(read["columns"]), blind=True)
    rows = read_new(table('id,text,heat,age\nn,a jar,7,"2,5"\nm,a lid,1,old\nk,x,1,1.5\n'), fitted)
    assert rows.notes == (
        "column heat: 1 value(s) without a word in `codes`, such as n: '7'",
        "column age: 2 value(s) that are no number, such as n: '2,5', m: 'old'",
    )


def test_numbers_in_another_notation_than_the_schemas_are_refused(table: Write) -> None:
    rows = "id;text;size;age;part;sold\na;a lamp;big;3,5;train;yes\nb;a rug;small;4,1;test;no\n"
    blind = fit(table(rows), blind=True)
    other = table("id,text,size,age\nn,a jar,big,9.125\nm,a jar,big,7.5\n")
    with pytest.raises(DataError, match=r"age: '7.5' reads as 7.5 with `decimal: \".\"`, and is"):
        read_new(other, blind)
    for schema in ({"decimal": "."}, {"columns": {"age": {"decimal": "."}}}):
        first = read_new(other, blind, schema=schema).lines[0]
        assert isinstance(first, Record)
        assert first.inputs["table"] == {"size": "big", "age": "9.125 years"}


def test_a_column_that_lacks_is_told_with_the_one_of_nearly_its_name(table: Write) -> None:
    blind = fit(table(TRAINED), blind=True)
    with pytest.raises(DataError, match=r"the training read: age \('A_ge' is there\) \(it has"):
        read_new(table("id,text,size,A_ge\nn,a jar,big,9\n"), blind)
    files = {"image": {"column": "File Name"}}
    allowed = Fit(Schema.model_validate({"id": "id", **files}), ("size",), allow_missing=True)
    with pytest.raises(DataError, match=r"image files: File Name \('file_name' is there\); name"):
        read_new(table("id,file_name,size\nn,a.png,big\n"), allowed)
