"""Values of Arrow of every type: as Python has them, else as text; none ends the reading."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textcentric.data import load
from textcentric.data.tables.arrow_values import readable, sound
from textcentric.data.tables.batches import plain_batch
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError

NOT_TEXT = pa.array([b"calm", b"\xff\xfe owl", None])


def as_text(column: pa.Array) -> pa.Array:
    """Return bytes as texts without a look at them, as readers of files do."""
    return pa.Array.from_buffers(pa.string(), len(column), column.buffers(), column.null_count)


INSIDE = pa.StructArray.from_arrays([as_text(NOT_TEXT)[:2]], ["a"])
KINDS = [pa.array([1, 2]), pa.array(["a", "b"])]
EITHER = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), KINDS)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([10**15, None], pa.timestamp("s")), ["1000000000000000", None]),
        (pa.array([10**9], pa.date32()), ["1000000000"]),
        (pa.array([1], pa.timestamp("s", "Mars/Phobos")), ["1"]),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), [(1, 2, 3)]),
        (pa.array([{"a": datetime(2024, 1, 2)}]), [{"a": datetime(2024, 1, 2)}]),
        (pa.array([[10**15]], pa.list_(pa.timestamp("s"))), ["[1000000000000000]"]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), [[("k", 1)]]),
        (EITHER, ["1", "b"]),
        (pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["a"])), ["a", "a"]),
        (pa.array([b"12"], pa.binary(2)), [b"12"]),
        (as_text(NOT_TEXT), ["calm", "\ufffd\ufffd owl", None]),
        (INSIDE, [{"a": "calm"}, {"a": "\ufffd\ufffd owl"}]),
        (pa.array([None, None], pa.dictionary(pa.int8(), pa.string())), [None, None]),
    ],
)  # fmt: skip
def test_a_value_is_what_python_has_for_it_or_its_text(
    column: pa.Array, values: list[object]
) -> None:
    (made,) = plain_batch(pa.record_batch({"a": column})).columns
    assert made.to_pylist() == values


def test_places_that_lie_outside_of_the_values_are_refused() -> None:
    places = pa.array([0, 4, 2, 5], pa.int32()).buffers()[1]
    broken = pa.Array.from_buffers(pa.string(), 3, [None, places, pa.py_buffer(b"hello")])
    with pytest.raises(pa.ArrowInvalid):
        sound(broken)


def test_a_type_that_nothing_reads_is_named() -> None:
    def chokes(column: pa.Array) -> pa.Array:
        raise MemoryError

    with pytest.raises(DataError, match="values of the type struct<a: int64> are not read"):
        readable(Unwritable(), chokes)  # type: ignore[arg-type]


class Unwritable:
    """A column that neither Arrow nor Python can write."""

    type = pa.struct([("a", pa.int64())])

    def cast(self, kind: pa.DataType) -> pa.Array:
        raise RecursionError

    def to_pylist(self) -> list[object]:
        raise OverflowError


def test_bytes_that_are_no_text_are_counted_and_read(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b", "c"], "text": as_text(NOT_TEXT)})
    pq.write_table(table, tmp_path / "rows.parquet")
    rows = load(tmp_path / "rows.parquet", schema={"text": "text"})
    assert [row.inputs["text"] for row in rows] == ["calm", "\ufffd\ufffd owl"]
    assert any("no text" in note or "1 row" in note for note in rows.notes)


@pytest.mark.parametrize("kind", [{"_type": "ClassLabel", "names": 5}, [], [None], 3, {"a": [1]}])
def test_words_for_classes_that_are_none_are_passed_over(tmp_path: Path, kind: object) -> None:
    said = json.dumps({"info": {"features": {"kind": kind}}})
    table = pa.table({"id": ["a"], "kind": [1]}).replace_schema_metadata({"huggingface": said})
    pq.write_table(table, tmp_path / "rows.parquet")
    assert list(open_table(tmp_path / "rows.parquet").rows()) == [{"id": "a", "kind": 1}]
