"""Wherever rows come from: what is counted is what iterating gives, the rest is accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from textcentric.data.memory import in_hand

SCHEMA = {"id": "key", "target": "grade", "text": ["words"], "choices": ["keep", "sell"]}
ROWS: list[dict[str, Any]] = [
    {"key": "a", "grade": "keep", "words": "an oak table", "size": "3"},
    {"key": "b", "grade": " sell ", "words": None, "size": "4"},
    {"key": "c", "grade": None, "words": "a lamp", "size": None},
    {"key": None, "grade": "keep", "words": "no id", "size": "1"},
    {"key": "e", "grade": "lend", "words": "an unknown class", "size": "2"},
    {"key": "f", "grade": "sell", "words": None, "size": None},
]
GIVEN, LEFT_OUT = ["a", "b", "c"], 3  # without an id, with another class, with nothing


def table() -> pa.Table:
    return pa.Table.from_pylist(ROWS)


def as_text(delimiter: str) -> str:
    lines = [list(ROWS[0]), *([cell or "" for cell in row.values()] for row in ROWS)]
    return "\n".join(map(delimiter.join, lines)) + "\n"


def as_csv(path: Path) -> object:
    path.with_suffix(".csv").write_text(as_text(","))
    return path.with_suffix(".csv")


def as_tsv(path: Path) -> object:
    path.with_suffix(".tsv").write_text(as_text("\t"))
    return path.with_suffix(".tsv")


def as_lines(path: Path) -> object:
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path.with_suffix(".jsonl")


def as_list(path: Path) -> object:
    path.with_suffix(".json").write_text(json.dumps(ROWS))
    return path.with_suffix(".json")


def as_parquet(path: Path) -> object:
    pq.write_table(table(), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def as_feather(path: Path) -> object:
    feather.write_feather(table(), str(path.with_suffix(".feather")))
    return path.with_suffix(".feather")


def as_data_set(path: Path) -> object:
    return pytest.importorskip("datasets").Dataset(table())


def as_splits(path: Path) -> object:
    datasets = pytest.importorskip("datasets")
    parts = {"train": table().slice(0, 4), "test": table().slice(4)}
    return datasets.DatasetDict({name: datasets.Dataset(part) for name, part in parts.items()})


def as_saved(path: Path) -> object:
    pytest.importorskip("datasets").Dataset(table()).save_to_disk(path)
    return path


def as_pandas(path: Path) -> object:
    return pytest.importorskip("pandas").DataFrame(ROWS)


def as_polars(path: Path) -> object:
    return pytest.importorskip("polars").DataFrame(ROWS)


def as_arrow(path: Path) -> object:
    return table()


def as_mappings(path: Path) -> object:
    return ROWS


def as_generator(path: Path) -> object:
    return (row for row in ROWS)


SOURCES: list[Callable[[Path], object]] = [
    as_csv, as_tsv, as_lines, as_list, as_parquet, as_feather, as_data_set, as_splits, as_saved,
    as_pandas, as_polars, as_arrow, as_mappings, as_generator,
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
@pytest.mark.parametrize("filters", [{}, {"limit": 2}, {"require": ["text"]}], ids=str)
def test_count_is_what_iterating_gives_and_the_balance_adds_up(
    tmp_path: Path, source: Callable[[Path], object], filters: dict[str, Any]
) -> None:
    rows = in_hand(source(tmp_path / "rows"), SCHEMA, **filters)  # type: ignore[arg-type]
    ids = [row.id for row in rows]
    balance = rows.balance
    assert rows.count() == len(ids) == balance["given"]
    assert balance["source"] == len(ROWS)
    assert sum(of["rows"] for of in balance["left_out"].values()) == len(ROWS) - len(ids)
    if not filters:
        assert (ids, len(ROWS) - len(ids)) == (GIVEN, LEFT_OUT)
        assert [row.target for row in rows] == ["keep", "sell", None]
