"""Files of Arrow and Parquet: values and categories as they went in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from textcentric.data import load
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError

SIZES = ["small", "middle", "large"]
Write = Callable[[pa.Table, Path], None]
WRITERS = pytest.mark.parametrize("write", [pq.write_table, feather.write_feather])


@WRITERS
def test_values_come_out_as_they_went_in(tmp_path: Path, write: Write) -> None:
    values = {
        "words": pa.array(["01", None]),
        "long": pa.array(["01", None], pa.large_string()),
        "whole": pa.array([2, None], pa.int64()),
        "share": pa.array([0.1, None], pa.float32()),
        "price": pa.array([Decimal("10.50"), None]),
        "day": pa.array([date(2024, 1, 2), None]),
        "moment": pa.array([datetime(2024, 1, 2, 10, 30), None], pa.timestamp("ns")),
        "calm": pa.array([True, None]),
        "tags": pa.array([["a", "b"], None]),
        "of": pa.array([{"kind": "owl"}, None]),
    }
    write(pa.table(values), tmp_path / "rows")
    first, second = open_table(tmp_path / "rows").rows()
    wanted = {name: column[0].as_py() for name, column in values.items()}
    assert first == {**wanted, "share": 0.1, "moment": datetime(2024, 1, 2, 10, 30)}
    assert set(second.values()) == {None}


@WRITERS
def test_the_order_of_categories_is_that_of_the_classes(tmp_path: Path, write: Write) -> None:
    sizes = pd.Categorical(["large", "small"], SIZES, ordered=True)
    frame = pd.DataFrame({"id": ["a", "b"], "n": [1, 2], "size": sizes})
    write(pa.Table.from_pandas(frame), tmp_path / "rows")
    rows = load(tmp_path / "rows", schema={"target": "size"})
    assert (rows.schema.task, list(rows.schema.choices or {})) == ("ordinal", SIZES)
    assert [row.target for row in rows] == ["large", "small"]
    assert "order in the table (small < middle < large), so its task is ordinal" in rows.notes[0]
    other = load(tmp_path / "rows", schema={"target": "size", "task": "classification"})
    assert (other.schema.task, other.notes) == ("classification", ())


def test_categories_of_polars_keep_their_order(tmp_path: Path) -> None:
    sizes = pl.Series(["large", "small", "middle"], dtype=pl.Enum(SIZES))
    pl.DataFrame({"id": ["a", "b", "c"], "n": [1, 2, 3], "size": sizes}).write_parquet(
        tmp_path / "rows.parquet"
    )
    rows = load(tmp_path / "rows.parquet", schema={"target": "size"})
    assert (rows.schema.task, list(rows.schema.choices or {})) == ("ordinal", SIZES)


@WRITERS
def test_an_index_without_a_name_is_no_column(tmp_path: Path, write: Write) -> None:
    frame = pd.DataFrame({"id": ["a", "b"]}, index=[7, 3])
    write(pa.Table.from_pandas(frame), tmp_path / "rows")
    table = open_table(tmp_path / "rows")
    assert table.columns == ("id",)
    assert table.notes == (
        "column '__index_level_0__', an index of pandas without a name, is left out",
    )
    named = load(tmp_path / "rows", schema={"id": "__index_level_0__"})
    assert [row.id for row in named] == ["7", "3"]


def test_a_named_index_is_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1]}, index=pd.Index(["a"], name="id"))
    frame.to_parquet(tmp_path / "rows.parquet")
    assert list(open_table(tmp_path / "rows.parquet").rows()) == [{"n": 1, "id": "a"}]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    columns = [pa.array([1]), pa.array(np.array([2]))]
    pq.write_table(pa.Table.from_arrays(columns, names=["id", "id"]), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="has column 'id' twice"):
        open_table(tmp_path / "rows.parquet")
