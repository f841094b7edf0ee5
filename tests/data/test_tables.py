"""Tables: the same rows from every format, and broken files explained."""

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from textcentric.data import load, open_picture
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import from_hub, open_table
from textcentric.errors import DataError

ROWS = [{"id": "007", "words": 'a "quoted",\nbroken line', "n": "1"}] + [
    {"id": f"{i:03}", "words": f"word {i}", "n": str(i)} for i in range(8, 12)
]
CSV = "id,words,n\n" + "".join(
    f'{row["id"]},"{row["words"].replace(chr(34), chr(34) * 2)}",{row["n"]}\n' for row in ROWS
)


def zstandard(path: Path, content: bytes) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as file:
        file.write(content)


def zipped(path: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def stream(path: Path, opener: Callable[..., Any] = open) -> None:
    table = pa.Table.from_pylist(ROWS)
    with opener(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    for line in (ROWS[0], *(row.values() for row in ROWS)):
        book.active.append(list(line))
    book.save(path)


def write(path: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    writers = {
        "rows.csv": lambda: path.write_text(CSV),
        "rows.csv.gz": lambda: path.write_bytes(gzip.compress(CSV.encode())),
        "rows.csv.bz2": lambda: path.write_bytes(bz2.compress(CSV.encode())),
        "rows.csv.xz": lambda: path.write_bytes(lzma.compress(CSV.encode())),
        "rows.csv.zst": lambda: zstandard(path, CSV.encode()),
        "rows.csv.zip": lambda: zipped(path, {"inner/rows.csv": CSV}),
        "rows.zip": lambda: zipped(path, {"rows.jsonl": lines, "__MACOSX/._rows.jsonl": "x"}),
        "mute.csv": lambda: path.write_bytes(gzip.compress(CSV.encode())),
        "rows.feather": lambda: feather.write_feather(pa.Table.from_pylist(ROWS), path),
        "stream.arrow": lambda: stream(path),
        "rows.arrow.gz": lambda: stream(path, gzip.open),
        "rows.jsonl": lambda: path.write_text(lines),
        "rows.json.gz": lambda: path.write_bytes(gzip.compress(lines.encode())),
        "rows.parquet": lambda: pq.write_table(pa.Table.from_pylist(ROWS), path),
        "rows.parquet.gzip": lambda: pq.write_table(pa.Table.from_pylist(ROWS), path),
        "rows.pq": lambda: pq.write_table(pa.Table.from_pylist(ROWS), path),
        "no-ending": lambda: pq.write_table(pa.Table.from_pylist(ROWS), path),
        "rows.xlsx": lambda: workbook(path),
        "rows.saved": lambda: datasets.Dataset.from_list(ROWS).save_to_disk(path),
    }
    writers[path.name]()


@pytest.mark.parametrize(
    "name",
    "rows.csv rows.csv.gz rows.csv.bz2 rows.csv.xz rows.csv.zst rows.csv.zip rows.zip mute.csv"
    " rows.feather stream.arrow rows.arrow.gz rows.jsonl rows.json.gz rows.parquet rows.pq"
    " rows.parquet.gzip no-ending rows.xlsx rows.saved".split(),
)
def test_every_format_gives_the_same_rows_twice(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    table = open_table(tmp_path / name)
    assert table.columns == ("id", "words", "n")
    assert list(table.rows()) == ROWS
    assert list(table.rows()) == ROWS


def test_a_folder_of_parquet_shards_is_one_table(tmp_path: Path) -> None:
    for i, row in enumerate(ROWS):
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / f"shard-{i}.parquet")
    assert list(open_table(tmp_path).rows()) == ROWS


def test_the_splits_of_a_saved_data_set_become_the_split(tmp_path: Path) -> None:
    parts = {"train": ROWS[:3], "test": ROWS[3:]}
    made = {name: datasets.Dataset.from_list(rows) for name, rows in parts.items()}
    datasets.DatasetDict(made).save_to_disk(tmp_path / "both")
    assert [row.id for row in load(tmp_path / "both", split="test")] == ["010", "011"]


def test_pictures_inside_a_data_set_become_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    features = datasets.Features({"id": datasets.Value("string"), "photo": datasets.Image()})
    picture = Image.new("RGB", (8, 6), "red")
    made = datasets.Dataset.from_dict({"id": ["a"], "photo": [picture]}, features=features)
    (row,) = load(made, schema={"image": "photo"})
    assert open_picture(row.inputs["image"][0]).size == (8, 6)


@pytest.mark.parametrize("name", ["pets", "pets.parquet"])
def test_the_words_of_class_labels_are_kept(tmp_path: Path, name: str) -> None:
    kinds, sizes = datasets.ClassLabel(names=["owl", "newt"]), datasets.ClassLabel(names=["s", "l"])
    text = datasets.Value("string")
    features = datasets.Features({"id": text, "of": kinds, "size": sizes, "told": text})
    cells = {"id": ["a", "b"], "of": [1, 0], "size": [0, 1], "told": ["wet", "grey"]}
    made = datasets.Dataset.from_dict(cells, features=features)
    made.to_parquet(tmp_path / name) if "." in name else made.save_to_disk(tmp_path / name)
    rows = load(tmp_path / name, schema={"target": "of", "text": "told"})
    assert (rows.schema.task, rows.schema.choices) == ("classification", {0: "owl", 1: "newt"})
    assert [row.target for row in rows] == [1, 0]
    assert [row.inputs["table"] for row in rows] == [{"size": "s"}, {"size": "l"}]


def test_the_hub_loader_reads_a_data_set_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `load_dataset` takes a folder with data files where a hub name would stand.
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "rows.parquet")
    rows = list(from_hub(str(tmp_path)).rows())
    assert rows == [{**row, "split": "train"} for row in ROWS]


def test_lines_that_do_not_fit_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("id,a\n1,x\n2\n3,y,z\n\n4,w\n")
    left_out = LeftOut()
    rows = list(open_table(path).rows(left_out))
    assert [row["id"] for row in rows] == ["1", "4"]
    assert list(left_out.notes()) == [
        "left out 2 line(s) without exactly 2 fields (line 3: '2'; line 4: '3,y,z')"
    ]


def test_half_a_surrogate_pair_is_replaced_because_no_file_could_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1", "words": "a \\ud800 b \\ud83d\\udc36"}\n')
    assert next(open_table(path).rows())["words"] == "a \ufffd b \U0001f436"


def test_a_column_that_only_the_last_rows_have_is_a_column(tmp_path: Path) -> None:
    lines = [{"id": n} for n in range(1500)] + [{"id": 1500, "grade": "high"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert open_table(tmp_path / "rows.jsonl").columns == ("id", "grade")


ROW = {"id": "1", "words": "a"}


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        ({"id": {"0": "1", "1": "2"}, "words": {"0": "a", "1": "b"}}, "is one object of columns"),
        ({"columns": ["id"], "index": [0], "data": [["1"]]}, "in pandas' layout `split`"),
        ({"data": [ROW, ROW]}, "holds its rows under 'data'"),
        ({"train": [ROW, ROW], "test": [ROW, ROW]}, "holds its rows under 'train' and 'test'"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_one_object_that_holds_many_rows_is_no_row(
    tmp_path: Path, whole: object, message: str, indent: int | None
) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(whole, indent=indent))
    with pytest.raises(DataError, match=message):
        open_table(tmp_path / "rows.json")


@pytest.mark.parametrize(
    "row", [{"id": 1, "size": {"w": 2}}, {"chosen": [ROW, ROW], "rejected": [ROW, ROW]}]
)
def test_one_row_that_holds_objects_is_a_row(tmp_path: Path, row: dict[str, object]) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    assert list(open_table(tmp_path / "rows.jsonl").rows()) == [row]


def test_lines_of_json_that_give_no_row_are_told_by_number(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n\n[2]\n{"id": 3\n')
    left_out = LeftOut()
    assert list(open_table(tmp_path / "rows.jsonl").rows(left_out)) == [{"id": 1}]
    assert left_out.examples == {
        "line(s) that are not one JSON object": ["line 3: '[2]'", "line 4: '{\"id\": 3'"]
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty (0 bytes)"),
        ("twice.csv", b"id,a,a\n1,2,3\n", "has column 'a' twice"),
        ("fake.parquet", b"not parquet at all", "is a text, not Parquet"),
        ("cut.csv.gz", gzip.compress(CSV.encode() * 50, mtime=0)[:60], "cut.csv.gz"),
        ("text.json", b"[1, 2]\n", "expected one JSON object a line"),
        ("what.dat", b"x", "has an unknown format"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        list(open_table(tmp_path / name).rows())
    assert message in str(error.value)


def test_a_mistyped_path_names_the_nearest_file(tmp_path: Path) -> None:
    (tmp_path / "listing.csv").write_text("id\n1\n")
    with pytest.raises(DataError, match=r"did you mean .*listing\.csv"):
        load(tmp_path / "listings.csv")
