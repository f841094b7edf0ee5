"""What `datasets` says of columns: words for classes, wherever they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

from textcentric.data import check, load
from textcentric.data.tables.table import open_table

KINDS = datasets.ClassLabel(names=["owl", "newt"])
TEXT = datasets.Value("string")


def stored(folder: Path, name: str, features: dict[str, object], rows: list[Any]) -> Path:
    made = datasets.Dataset.from_list(rows, features=datasets.Features({"id": TEXT, **features}))
    if name.endswith(".parquet"):
        made.to_parquet(folder / name)
    elif name == "splits":
        datasets.DatasetDict({"train": made}).save_to_disk(folder / name)
    else:
        made.save_to_disk(folder / name)
    return folder / name


STORES = pytest.mark.parametrize("name", ["saved", "splits", "rows.parquet"])


@STORES
def test_classes_in_lists_and_objects_are_said_in_words(tmp_path: Path, name: str) -> None:
    features = {"seen": datasets.Sequence(KINDS), "of": {"kind": KINDS, "size": TEXT}}
    rows = [
        {"id": "a", "seen": [1, 0], "of": {"kind": 0, "size": "s"}},
        {"id": "b", "seen": None, "of": None},
    ]
    first, second = open_table(stored(tmp_path, name, features, rows)).rows()
    assert (first["seen"], first["of"]) == (["newt", "owl"], {"kind": "owl", "size": "s"})
    assert second["of"] is None


@STORES
def test_no_class_is_no_label(tmp_path: Path, name: str) -> None:
    rows = [{"id": i, "of": of, "n": "x"} for i, of in (("a", 1), ("b", -1), ("c", 0))]
    path = stored(tmp_path, name, {"of": KINDS, "n": TEXT}, rows)
    assert [row.target for row in load(path, schema={"target": "of"})] == [1, None, 0]


@STORES
def test_a_class_may_be_a_text_a_group_or_a_split(tmp_path: Path, name: str) -> None:
    parts = datasets.ClassLabel(names=["test", "train"])
    path = stored(tmp_path, name, {"of": KINDS, "part": parts}, [{"id": "a", "of": 1, "part": 0}])
    (row,) = load(path, schema={"text": "of", "group": "of", "split": "part"})
    assert (row.inputs["text"], row.group, row.split) == ("newt", "newt", "test")


def test_a_column_called_names_is_no_class(tmp_path: Path) -> None:
    rows = [{"id": "a", "of": {"names": "Ada"}}]
    path = stored(tmp_path, "rows.parquet", {"of": {"names": TEXT}}, rows)
    assert open_table(path).names == {}


def test_the_classes_of_a_split_are_said_with_their_words(tmp_path: Path) -> None:
    rows: list[Any] = [{"id": str(n), "of": n % 2, "n": "x"} for n in range(3)]
    path = stored(tmp_path, "splits", {"of": KINDS, "n": TEXT}, rows)
    counts = check(path, schema={"target": "of"}).splits["train"].classes
    assert counts == {"0 (owl)": 2, "1 (newt)": 1}
