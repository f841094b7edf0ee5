"""A large table is looked through once; counting and going on cost no second look."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from textcentric.data import load
from textcentric.data.dataset import Dataset
from textcentric.data.loading import locate, record_reader
from textcentric.data.scanning.scan import Scan, scan
from textcentric.data.scanning.scan_cache import (
    LARGE,
    read_scan,
    remembered_scan,
    scan_key,
    write_scan,
)
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Part, Table

SCHEMA = {"id": "key", "target": "grade", "text": ["words"], "split": "part"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a user's cache of our own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "textcentric" / "scans"


def write_table(path: Path, rows: int) -> Path:
    """Write rows in two splits; every tenth has no words, every hundredth no key."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "grade", "words", "part"])
        for n in range(rows):
            key = "" if n % 100 == 99 else f"k{n}"
            words = "" if n % 10 == 5 else f"a lamp, number {n}"
            writer.writerow([key, n % 3, words, "train" if n % 4 else "test"])
    return path


def load_rows(path: Path, **filters: Any) -> Dataset:
    return load(path, schema=SCHEMA, **filters)


def read_counted(table: Table, times: list[int]) -> Table:
    """Return `table`, noting in `times` each time that its rows are read."""

    def read(left_out: LeftOut) -> Iterator[Part]:
        times.append(1)
        return table.read(left_out)

    return replace(table, read=read)


@pytest.mark.parametrize(
    "filters",
    [{}, {"limit": 7}, {"split": "test"}, {"split": "train", "limit": 500}, {"require": ["text"]}],
)
def test_count_is_what_iterating_gives(tmp_path: Path, filters: dict[str, object]) -> None:
    rows = load_rows(write_table(tmp_path / "rows.csv", 300), **filters)
    assert rows.count() == len(list(rows))


def test_counting_without_required_modalities_reads_nothing(tmp_path: Path) -> None:
    rows = load_rows(write_table(tmp_path / "rows.csv", 300), split="train")
    times: list[int] = []
    rows = replace(rows, table=read_counted(rows.table, times))
    assert rows.count() == 225 - 30 - 3  # without those that lack words or a key
    assert times == []


def test_remaining_rows_are_those_that_are_not_finished(tmp_path: Path) -> None:
    rows = load_rows(write_table(tmp_path / "rows.csv", 12))
    assert [r.id for r in rows.remaining({"k0", "k1", "k4", "k7"})] == [
        "k2", "k3", "k6", "k8", "k9", "k10", "k11",
    ]  # fmt: skip


def test_finished_rows_count_towards_the_limit(tmp_path: Path) -> None:
    rows = load_rows(write_table(tmp_path / "rows.csv", 12), limit=4)
    assert [r.id for r in rows] == ["k0", "k1", "k2", "k3"]
    assert [r.id for r in rows.remaining({"k0", "k1", "k2"})] == ["k3"]


def test_a_large_table_is_scanned_once(tmp_path: Path, cache: Path) -> None:
    layout = locate(write_table(tmp_path / "rows.csv", LARGE), schema=SCHEMA).layout
    times: list[int] = []
    layout = replace(layout, table=read_counted(layout.table, times))
    first = remembered_scan(layout, record_reader(layout), "digest")
    again = remembered_scan(layout, record_reader(layout), "digest")
    assert first == again
    assert len(times) == 1
    assert len(list(cache.iterdir())) == 1


def test_a_small_table_leaves_nothing_in_the_cache(tmp_path: Path, cache: Path) -> None:
    load_rows(write_table(tmp_path / "rows.csv", 100))
    assert not cache.exists()


def test_another_content_or_schema_is_another_scan(tmp_path: Path) -> None:
    path = write_table(tmp_path / "rows.csv", 3)
    reader = record_reader(locate(path, schema=SCHEMA).layout)
    other = record_reader(locate(path, schema={**SCHEMA, "missing": ["none"]}).layout)
    assert len({scan_key(reader, "a"), scan_key(reader, "b"), scan_key(other, "a")}) == 3


def test_rows_with_files_are_scanned_each_time(tmp_path: Path, cache: Path) -> None:
    path = write_table(tmp_path / "rows.csv", LARGE)
    schema = {**SCHEMA, "image": {"pattern": "{id}.png", "folder": "."}, "allow_missing": "image"}
    load(path, schema=schema)
    assert not cache.exists()


def test_a_scan_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("key,grade,words,part\na,1,one,train\n,2,two,test\nb,3\nc,x,three,train\n")
    layout = locate(path, schema=SCHEMA).layout
    found = scan(layout.table, record_reader(layout))
    assert (found.rows, found.faulty, found.left_out.total()) == (3, 1, 1)
    write_scan(tmp_path / "scan.json", found)
    assert read_scan(tmp_path / "scan.json") == found


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": 3}', json.dumps({"splits": [1]})])
def test_a_broken_cache_is_no_scan(tmp_path: Path, text: str) -> None:
    (tmp_path / "scan.json").write_text(text)
    assert read_scan(tmp_path / "scan.json") is None


@pytest.mark.parametrize("name", ["rows", "kinds", "left_out", "labels", "columns", "faults"])
@pytest.mark.parametrize(
    "value", [None, "many", -1.5, {"lines": 3, "seen": 3}, [[1, 2, 3]], [["a", 5, "b"]]]
)
def test_a_cache_with_values_of_other_types_is_no_scan(
    tmp_path: Path, name: str, value: object
) -> None:
    path = tmp_path / "scan.json"
    write_scan(path, Scan())
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {name: value}))
    assert read_scan(path) is None
    path.write_text(json.dumps(kept))
    assert read_scan(path) == Scan()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    write_scan(tmp_path / "file" / "scan.json", Scan())
    assert read_scan(tmp_path / "file" / "scan.json") is None
