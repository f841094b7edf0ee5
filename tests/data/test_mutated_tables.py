"""Tables of whatever values and damaged bytes: read, left out or refused; nothing else happens."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mutated import BOUNDED, FEW, ODD, cells, flipped, words
from textcentric.data import load
from textcentric.data.checks import check
from textcentric.data.inspection.inspection import inspect
from textcentric.data.media.photo_labels import read_photo_labels
from textcentric.data.pairs import read_pairs
from textcentric.data.pairs.candidates import read_candidates
from textcentric.data.readings import are_several, identifier, in_text, items, number
from textcentric.data.scanning.scan import Scan
from textcentric.data.scanning.scan_cache import read_scan, write_scan
from textcentric.data.schema import Column, read_schema
from textcentric.errors import TextCentricError
from textcentric.models.languages import card_languages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
SCHEMA = {
    "id": "id",
    "target": "label",
    "text": ["text"],
    "image": "photo",
    "allow_missing": ["image"],
    "columns": {"tags": {"reads": "list"}, "price": {"reads": "money", "min": 0}},
}
NAMES = ("id", "text", "label", "tags", "price", "photo")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(autouse=True, scope="module")
def _own_cache(place: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        yield


def look(path: Path) -> None:
    """Check a table, load its rows, draft a schema, and read it as pairs and as candidates."""
    tries: list[Callable[[], Any]] = [
        lambda: json.dumps(check(str(path), schema=SCHEMA).to_dict()),
        lambda: [repr(row) for row in load(path, schema=SCHEMA)],
        lambda: inspect(path),
        lambda: read_pairs(path),
        lambda: read_candidates(path),
    ]
    for one in tries:
        with suppress(TextCentricError):
            one()


@BOUNDED
@given(
    rows=st.lists(st.fixed_dictionaries({name: cells() for name in NAMES}), min_size=1, max_size=5)
)
def test_rows_of_json_are_read_whatever_they_hold(
    rows: list[dict[str, object]], place: Path
) -> None:
    path = place / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    look(path)
    path = place / "rows.json"
    path.write_text(json.dumps(rows))
    look(path)


@BOUNDED
@given(value=cells(), text=words())
def test_a_cell_is_read_whatever_it_holds(value: Any, text: str) -> None:
    for cell in (value, text):
        in_text(cell)
        are_several(cell)
        items(cell, Column(reads="list"))
        identifier(cell)
        number(cell)


def arrays() -> st.SearchStrategy[pa.Array]:
    """Return columns of three values of every type of Arrow."""
    wide = st.integers(-(2**63), 2**63 - 1)
    units = st.sampled_from(["s", "ms", "us", "ns"])
    zones = st.sampled_from([None, "UTC", "Europe/Berlin", "+14:00", "Mars/Phobos", ""])

    def three(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
        return st.lists(st.one_of(st.none(), values), min_size=3, max_size=3)

    days = st.tuples(three(wide), units, zones)
    text = st.text(st.characters(codec="utf-8"), max_size=20)
    flat = st.one_of(
        days.map(lambda all_: pa.array(all_[0], pa.int64()).cast(pa.timestamp(*all_[1:]))),
        three(st.integers(-(2**31), 2**31 - 1)).map(lambda v: pa.array(v, pa.date32())),
        three(wide).map(lambda v: pa.array(v, pa.int64()).view(pa.date64())),
        three(wide).map(lambda v: pa.array(v, pa.int64()).view(pa.time64("us"))),
        three(wide).map(lambda v: pa.array(v, pa.duration("s"))),
        three(st.binary(max_size=9)).map(lambda v: pa.array(v, pa.binary())),
        three(st.binary(max_size=9)).map(_as_text),
        three(st.decimals(-(10**9), 10**9, places=3)).map(pa.array),
        three(st.floats(width=16)).map(lambda v: pa.array(v, pa.float16())),
        three(text).map(lambda v: pa.array(v, pa.large_string())),
        three(text).map(lambda v: pa.array(v, pa.string()).dictionary_encode()),
        three(st.booleans()).map(pa.array),
        three(st.sampled_from(ODD)).map(lambda v: pa.array(v, pa.string())),
        st.just(pa.nulls(3)),
        st.just(pa.array([(1, 2, 3), None, (0, 0, -1)], pa.month_day_nano_interval())),
        three(st.dictionaries(text, st.integers(0, 9), max_size=2).map(lambda d: [*d.items()])).map(
            lambda v: pa.array(v, pa.map_(pa.string(), pa.int8()))
        ),
    )  # fmt: skip
    nested = st.tuples(flat, st.booleans()).map(_nested)
    return st.one_of(flat, nested)


def _as_text(values: list[bytes | None]) -> pa.Array:
    column = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), 3, column.buffers(), column.null_count)


def _nested(drawn: tuple[pa.Array, bool]) -> pa.Array:
    column, listed = drawn
    if listed:
        return pa.ListArray.from_arrays(pa.array([0, 1, 3, 3], pa.int32()), column)
    return pa.StructArray.from_arrays([column, column], ["a", "b"])


@BOUNDED
@given(columns=st.fixed_dictionaries({name: arrays() for name in NAMES}), counted=st.booleans())
def test_columns_of_arrow_are_read_whatever_they_hold(
    columns: dict[str, pa.Array], counted: bool, place: Path
) -> None:
    table = pa.table(columns | ({"id": pa.array(["a", "b", "c"])} if counted else {}))
    with suppress(pa.ArrowException, ValueError):  # not every type can be written
        pq.write_table(table, place / "rows.parquet")
        look(place / "rows.parquet")
    with suppress(pa.ArrowException, ValueError):
        feather.write_feather(table, place / "rows.arrow", compression="uncompressed")
        look(place / "rows.arrow")
    with suppress(TextCentricError):
        list(load(table, schema=SCHEMA))


VALUES: dict[str, list[Any]] = {
    "id": ["a", "b", "c"],
    "text": ["A calm dog.", "A shy cat, old.", None],
    "label": ["yes", "no", "yes"],
    "tags": ["['a', 'b']", "[]", '["c"]'],
    "price": ["1,200", "7.50", "soon"],
    "photo": ["a.jpg", "", "b.jpg"],
}
TYPED: dict[str, list[Any]] = VALUES | {
    "label": [1, 2, 1],
    "tags": [["a"], [], None],
    "price": [Decimal("1.50"), None, Decimal(7)],
    "photo": [{"bytes": b"\x89PNG", "path": "a.png"}, None, {"bytes": None, "path": "b.png"}],
}


BINARY = ("xlsx", "parquet", "plain.parquet", "arrow", "stream.arrow")


def stored() -> dict[str, bytes]:
    """Return one small table in every format, by the name of its file."""
    delimited, book = StringIO(), openpyxl.Workbook()
    lines = [list(VALUES), *map(list, zip(*VALUES.values(), strict=True))]
    csv.writer(delimited).writerows(lines)
    for line in lines:
        book.active.append(line)
    rows = [dict(zip(VALUES, line, strict=True)) for line in lines[1:]]
    typed = pa.table(TYPED | {"day": [date(2024, 1, 2), None, None]})
    typed = typed.append_column("at", pa.array([datetime(2024, 1, 2), None, None]))
    typed = typed.append_column("took", pa.array([timedelta(1), None, None]))
    typed = typed.append_column("hour", pa.array([time(3), None, None]))
    written = {
        name: BytesIO() for name in ("xlsx", "parquet", "plain.parquet", "arrow", "stream.arrow")
    }
    book.save(written["xlsx"])
    pq.write_table(typed, written["parquet"], compression="zstd")
    pq.write_table(typed, written["plain.parquet"], compression="none", use_dictionary=False)
    feather.write_feather(typed, written["arrow"], compression="uncompressed")
    with pa.ipc.new_stream(written["stream.arrow"], typed.schema) as stream:
        stream.write_table(typed)
    return {
        "rows.csv": delimited.getvalue().encode(),
        "wide.csv": delimited.getvalue().encode("utf-16"),
        "rows.csv.gz": gzip.compress(delimited.getvalue().encode(), mtime=0),
        "rows.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
        "rows.json": json.dumps(rows).encode(),
        **{f"rows.{name}": held.getvalue() for name, held in written.items()},
    }


STORED = stored()


@pytest.mark.parametrize("name", STORED)
@FEW
@given(data=st.data())
def test_a_damaged_table_is_read_or_refused(name: str, data: st.DataObject, place: Path) -> None:
    (place / name).write_bytes(data.draw(flipped(STORED[name])))
    look(place / name)


@BOUNDED
@given(name=words(1), row_id=words(1))
def test_a_file_may_have_any_name_in_a_table(name: str, row_id: str, place: Path) -> None:
    for rule in ("photo", {"folder": "photos", "pattern": "{id}-*.jpg"}, {"pattern": "{id}.jpg"}):
        rows = [{"id": row_id, "text": "A dog.", "photo": name}, {"id": "b", "text": "A cat."}]
        with suppress(TextCentricError):
            found = load(rows, schema={**SCHEMA, "image": rule, "target": None}, data_dir=place)
            assert not any("image" in row.inputs for row in found)


@BOUNDED
@given(data=st.data())
def test_a_damaged_schema_is_read_or_refused(data: st.DataObject, place: Path) -> None:
    text = (
        b"id: id\ntext: [a, b]\nchoices: {0: no, 1: yes}\ncolumns: {a: {codes: {NO: x}, min: 0}}\n"
    )
    (place / "rows.yaml").write_bytes(data.draw(flipped(text)))
    with suppress(TextCentricError):
        read_schema(place / "rows.yaml")


@BOUNDED
@given(data=st.data())
def test_a_damaged_card_lists_languages_or_nothing(data: st.DataObject, place: Path) -> None:
    card = b"---\nlanguage: [en, de]\ntags:\n- a\ndate: 2024-01-02\nsize: 1e3\n---\n# A model\n"
    (place / "README.md").write_bytes(data.draw(flipped(card)))
    found = card_languages(place / "README.md")
    assert found is None or all(isinstance(name, str) for name in found)


@BOUNDED
@given(data=st.data(), name=st.sampled_from(["rows", "labels", "kinds", "columns", "left_out"]))
def test_a_damaged_scan_is_a_scan_or_none(data: st.DataObject, name: str, place: Path) -> None:
    path = place / "scan.json"
    write_scan(path, Scan(rows=3))
    kept = path.read_bytes()
    path.write_bytes(data.draw(flipped(kept)))
    assert isinstance(read_scan(path), Scan | None)
    path.write_text(json.dumps(json.loads(kept) | {name: data.draw(cells())}))
    assert isinstance(read_scan(path), Scan | None)


@FEW
@given(data=st.data())
def test_damaged_photo_labels_are_read_or_left_out(data: st.DataObject, place: Path) -> None:
    header = b"PetID,ImageNo,labels,colors,crop_confidence,n_faces,n_text"
    lines = header + b"\np1,1,dog:0.9,0a0b0c:0.5,1,0,0\n"
    (place / "labels.csv").write_bytes(data.draw(flipped(lines, first=110)))
    for photos in read_photo_labels(place / "labels.csv").values():
        assert all(0 <= share <= 1 for photo in photos for _, share in photo.labels)
