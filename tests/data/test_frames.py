"""Tables that a program holds: frames of pandas, Polars and Arrow, mappings, Hugging Face sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from textcentric.data import load, open_picture
from textcentric.data.memory import in_hand
from textcentric.data.tables.frames import table_in_hand
from textcentric.errors import ConfigError, DataError

ROWS: list[dict[str, Any]] = [
    {"id": "01", "kind": "owl", "n": 2},
    {"id": "02", "kind": "newt", "n": None},
]
SCHEMA = {"target": "kind"}


def generator() -> Iterator[dict[str, Any]]:
    yield from ROWS


def split_set() -> datasets.DatasetDict:
    return datasets.DatasetDict({"test": datasets.Dataset.from_list(ROWS)})


FORMS: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame(ROWS),
    "indexed": lambda: pd.DataFrame(ROWS).set_index("id"),
    "filtered": lambda: pd.DataFrame([{}, *ROWS]).loc[1:],
    "polars": lambda: pl.DataFrame(ROWS),
    "arrow": lambda: pa.Table.from_pylist(ROWS),
    "mappings": lambda: ROWS,
    "generator": generator,
    "set": lambda: datasets.Dataset.from_list(ROWS),
    "split set": split_set,
    "streamed": lambda: datasets.Dataset.from_list(ROWS).to_iterable_dataset(),
    "streamed without features": lambda: datasets.IterableDataset.from_generator(generator),
    "streamed split": lambda: datasets.IterableDatasetDict(
        {"test": datasets.Dataset.from_list(ROWS).to_iterable_dataset()}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows(form: str) -> None:
    rows = in_hand(FORMS[form](), SCHEMA)
    for _ in range(2):
        assert [(row.id, row.target, row.inputs) for row in rows] == [
            ("01", "owl", {"table": {"n": 2}})
        ]
    assert [row.id for row in in_hand(FORMS[form](), {**SCHEMA, "table": ["n", "kind"]})] == ["01"]


@pytest.mark.parametrize("form", sorted({*FORMS} - {"generator"}))
def test_the_same_rows_have_the_same_digest(form: str) -> None:
    first, second = (table_in_hand(FORMS[form]()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"id": ["a", "b"], **columns})


def values(rows: object, column: str) -> list[Any]:
    table = table_in_hand(rows)
    assert table is not None
    return [row[column] for row in table.rows()]


def test_values_of_pandas_come_out_as_they_went_in() -> None:
    assert values(frame(n=[2, None]), "n") == [2, None]
    assert values(frame(n=[2.5, None]), "n") == [2.5, None]
    assert values(frame(n=np.array([0.1, 0.2], np.float32)), "n") == [0.1, 0.2]
    assert values(frame(n=pd.array([1, None], dtype="Int64")), "n") == [1, None]
    assert values(frame(n=[["a"], None]), "n") == [["a"], None]
    assert values(frame(n=[Path("a/b"), None]), "n") == ["a/b", None]
    moment = datetime(2024, 1, 2, 10, 30)
    assert values(frame(n=pd.Series([moment, pd.NaT])), "n") == [moment, None]
    assert values(frame(n=pd.period_range("2024-01", periods=2, freq="M")), "n")[0] == "2024-01"


def test_a_column_of_several_types_is_read_as_text_and_told() -> None:
    table = table_in_hand(frame(n=[1, "x"]))
    assert table is not None
    assert table.notes == ("column 'n' holds int and str; it is read as text",)
    assert values(frame(n=[1, "x"]), "n") == ["1", "x"]


@pytest.mark.parametrize(
    "ages",
    [
        pd.Categorical(["old", "young"], ["young", "middle", "old"], ordered=True),
        pl.Series(["old", "young"], dtype=pl.Enum(["young", "middle", "old"])),
    ],
)
def test_ordered_categories_are_ordered_classes(ages: Any) -> None:
    made = {"id": ["a", "b"], "n": [1, 2], "age": ages}
    rows = load(
        pl.DataFrame(made) if isinstance(ages, pl.Series) else pd.DataFrame(made),
        schema={"target": "age"},
    )
    assert (rows.schema.task, list(rows.schema.choices or {})) == (
        "ordinal",
        ["young", "middle", "old"],
    )


def test_ranges_of_cut_are_classes_in_their_order() -> None:
    ages = pd.cut(pd.Series([7, 1]), [0, 3, 9])
    rows = load(frame(n=[1, 2], age=ages), schema={"target": "age"})
    assert list(rows.schema.choices or {}) == ["(0, 3]", "(3, 9]"]
    assert [row.target for row in rows] == ["(3, 9]", "(0, 3]"]


SQUARE = np.zeros((4, 6), np.uint8)


@pytest.mark.parametrize("photo", [Image.fromarray(SQUARE), SQUARE, SQUARE.astype(float)])
@pytest.mark.parametrize("form", [list, pd.DataFrame])
def test_pictures_in_cells_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Callable[[Any], Any], photo: Any
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (row,) = load(form([{"id": "a", "photo": photo}]), schema={"image": "photo"})
    opened = open_picture(row.inputs["image"][0])
    assert (opened.size, opened.getpixel((1, 1))) == ((6, 4), (0, 0, 0))


def test_an_array_that_is_no_picture_is_refused() -> None:
    with pytest.raises(DataError, match=r"shape \(3, 64, 64\) is no picture; expected \(height"):
        table_in_hand([{"id": "a", "photo": np.zeros((3, 64, 64))}])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pl.DataFrame(ROWS).lazy(), r"a LazyFrame, not a data frame; give rows.collect\(\)"),
        (pd.Series([1]), r"a Series, not a data frame; give rows.to_frame\(\)"),
        (
            {"id": ["a"]},
            r"rows are a dict \(pandas.DataFrame\(rows\) makes rows of columns\), expected",
        ),
        ([["a"]], "rows are a list of list, expected a data frame"),
        (Path("no/such"), "table 'no/such' does not exist"),
        ("a long text " * 50, "no data set is called 'a long text"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(rows: object, message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        load(rows)


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="the data frame has column '1' twice"):
        table_in_hand(pd.DataFrame([[1, 2]], columns=[1, "1"]))


def test_a_generator_and_a_reader_of_batches_are_loaded() -> None:
    table = pa.Table.from_pylist(ROWS)
    for rows in (generator(), table.to_reader(), table.to_batches()[0]):
        assert [row.target for row in load(rows, schema=SCHEMA)] == ["owl"]


@pytest.mark.parametrize("numbers", [[0, 1], [7, 3]])
@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame, datasets.Dataset.from_dict])
def test_numbers_of_rows_that_pandas_wrote_are_no_column(
    form: Callable[[Any], Any], numbers: list[int]
) -> None:
    table = table_in_hand(form({"Unnamed: 0": numbers, "id": ["a", "b"]}))
    assert table is not None
    assert table.columns == ("id",)
    assert table.notes == ("column 'Unnamed: 0', which counts rows, is left out",)
