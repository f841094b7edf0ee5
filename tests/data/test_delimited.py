"""Delimited texts as strangers write them: read right, or refused with what would read them."""

from __future__ import annotations

import csv
import io
import random
import time
from pathlib import Path

import pytest

from textcentric.data import check, load
from textcentric.data.schema import Schema, read_schema
from textcentric.data.tables.encodings import name_of
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import open_table
from textcentric.errors import ConfigError, DataError

WORDS = ["id", "text", "label"]
UNPAIRED = "line(s) with a quotation mark that is not closed"


def rows_of(path: Path, content: bytes, **keys: object) -> tuple[list[list[str]], LeftOut]:
    """Write and read a table; return its values and what gave no row."""
    path.write_bytes(content)
    left_out = LeftOut()
    schema = read_schema(keys) if keys else None
    rows = [list(map(str, row.values())) for row in open_table(path, schema).rows(left_out)]
    return rows, left_out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("semicolons.csv", b"id;text;label\n1;plain, red;keep\n2;wide;sell\n"),
        ("tabs.csv", b"id\ttext\tlabel\n1\tplain, red\tkeep\n2\twide\tsell\n"),
        ("bars.txt", b"id|text|label\n1|plain, red|keep\n2|wide|sell\n"),
        ("sep.csv", b"sep=;\r\nid;text;label\r\n1;plain, red;keep\r\n2;wide;sell\r\n"),
        ("old_mac.csv", b'id,text,label\r1,"plain, red",keep\r2,wide,sell\r'),
        ("mark.csv", b'\xef\xbb\xbfid,text,label\n1,"plain, red",keep\n2,wide,sell\n'),
        ("utf16.csv", 'id,text,label\n1,"plain, red",keep\n2,wide,sell\n'.encode("utf-16")),
        ("empty_names.csv", b'id,text,label,,\n1,"plain, red",keep,,\n2,wide,sell,,\n'),
        ("index.csv", b',id,text,label\n0,1,"plain, red",keep\n1,2,wide,sell\n'),
        ("unnamed.csv", b'Unnamed: 0,id,text,label\n0,1,"plain, red",keep\n1,2,wide,sell\n'),
        ("empty_lines.csv", b'\n\nid,text,label\n\n1,"plain, red",keep\n\n2,wide,sell\n\n'),
    ],
)
def test_every_notation_gives_the_same_rows(tmp_path: Path, name: str, content: bytes) -> None:
    assert open_table_columns(tmp_path / name, content) == WORDS
    rows, left_out = rows_of(tmp_path / name, content)
    assert rows == [["1", "plain, red", "keep"], ["2", "wide", "sell"]]
    assert left_out == LeftOut()


def open_table_columns(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    return list(open_table(path).columns)


def test_what_was_decided_is_told_where_it_is_not_the_plainest(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("id,a\n1,2\n")
    (tmp_path / "other.csv").write_text("id;a;\n1;2;\n", encoding="utf-16")
    assert open_table(tmp_path / "plain.csv").notes == ()
    assert open_table(tmp_path / "plain.csv").form == "UTF-8, fields parted by commas"
    assert open_table(tmp_path / "other.csv").notes == (
        "other.csv is read as UTF-16, fields parted by semicolons",
        "column 3 of other.csv, which has no name and no value, is left out",
    )


def test_a_column_without_a_name_that_has_values_is_told_with_the_first(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,a,\n1,2,blue\n")
    (note,) = open_table(tmp_path / "rows.csv").notes
    assert "column 3 of rows.csv, which has no name (first value 'blue')" in note
    named = open_table(tmp_path / "rows.csv", read_schema({"header": ["id", "a", "b"], "skip": 1}))
    assert list(named.rows()) == [{"id": "1", "a": "2", "b": "blue"}]


def test_a_counter_that_the_schema_names_stays(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("Unnamed: 0,a\n0,x\n1,y\n")
    schema = read_schema({"id": "Unnamed: 0", "text": "a"})
    assert [row.id for row in load(tmp_path / "rows.csv", schema=schema)] == ["0", "1"]


@pytest.mark.parametrize(
    ("content", "keys", "rows"),
    [
        (b"made by hand\n\nid,a\n1,2\n", {"skip": 2}, [["1", "2"]]),
        (b"1,2\n3,4\n", {"header": ["id", "a"]}, [["1", "2"], ["3", "4"]]),
        (b"id#a\n1#2\n", {"delimiter": "#"}, [["1", "2"]]),
        (b"id,a\n1,'x, y'\n", {"quote": "'"}, [["1", "x, y"]]),
        (b'id,a\n1,"x\n2,"y"\n', {"quote": "none"}, [["1", '"x'], ["2", '"y"']]),
        ("id,a\n1,crème\n".encode("cp1252"), {"encoding": "cp1252"}, [["1", "crème"]]),
    ],
)
def test_the_schema_says_how_a_text_is_written(
    tmp_path: Path, content: bytes, keys: dict[str, object], rows: list[list[str]]
) -> None:
    assert rows_of(tmp_path / "rows.csv", content, **keys) == (rows, LeftOut())


def test_keys_that_a_format_has_no_use_for_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(ConfigError, match=r"schema: delimiter says nothing about rows\.jsonl"):
        open_table(tmp_path / "rows.jsonl", Schema(delimiter=";"))


def test_a_delimiter_is_one_character() -> None:
    assert read_schema({"delimiter": "tab"}).delimiter == "\t"
    with pytest.raises(ConfigError, match="needs one ASCII character"):
        read_schema({"delimiter": "::"})


# Encodings


WESTERN = "id,text\n" + "".join(f"{n},Une crème brûlée à 5 €\n" for n in range(9))


def test_an_encoding_that_is_not_sure_is_refused_with_the_readings(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(WESTERN.encode("cp1252"))
    with pytest.raises(DataError) as error:
        open_table(tmp_path / "rows.csv")
    assert "line 2 may read" in str(error.value)
    assert "'0,Une crème brûlée à 5 €' (cp1252)" in str(error.value)
    assert "`encoding: cp1252` in the schema" in str(error.value)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("shift_jis", "ランプは明るい。"),
        ("koi8-r", "Кошка ищет дом"),
        ("gb18030", "这是一盏灯。"),
    ],
)
def test_an_encoding_that_the_schema_names_is_taken_and_told(
    tmp_path: Path, encoding: str, words: str
) -> None:
    content = ("id,text\n" + "".join(f"{n},{words}\n" for n in range(9))).encode(encoding)
    rows, _ = rows_of(tmp_path / "rows.csv", content, encoding=encoding)
    assert rows == [[str(n), words] for n in range(9)]
    table = open_table(tmp_path / "rows.csv", Schema(encoding=encoding))
    assert table.notes == (f"rows.csv is read as {name_of(encoding)}, fields parted by commas",)
    with pytest.raises(DataError, match="is not UTF-8: its line 2 may read"):
        open_table(tmp_path / "rows.csv")


def test_utf16_without_a_mark_is_told_by_its_zeros(tmp_path: Path) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        rows, _ = rows_of(tmp_path / "rows.csv", "id,text\n1,A plain lamp.\n".encode(encoding))
        assert rows == [["1", "A plain lamp."]]


def test_stray_bytes_far_down_are_a_problem_where_they_are_many(tmp_path: Path) -> None:
    plain = b"".join(b"%d,%s\n" % (n, b"plain words " * 20) for n in range(2000))
    strange = b"".join(b"%d,cr\xe8me\n" % n for n in range(2000, 2100))
    (tmp_path / "rows.csv").write_bytes(b"id,text\n" + plain + strange)
    (problem,) = check(tmp_path / "rows.csv", schema={"id": "id", "text": "text"}).problems
    assert problem.startswith("100 of 2,100 rows have bytes that are not UTF-8")
    kept = check(tmp_path / "rows.csv", schema={"id": "id", "text": "text", "encoding": "utf-8"})
    assert kept.usable


def test_an_unknown_encoding_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id\n1\n")
    with pytest.raises(DataError, match="did you mean 'cp1252'"):
        open_table(tmp_path / "rows.csv", Schema(encoding="cp1522"))


# Quotation marks


MANY = b"".join(b"%d,lamp %d,sell\n" % (n, n) for n in range(3, 30))


def test_a_mark_that_is_never_closed_takes_no_other_line(tmp_path: Path) -> None:
    content = b'id,text,label\n1,a,keep\n2,"the rug,keep\n' + MANY
    rows, left_out = rows_of(tmp_path / "rows.csv", content)
    assert rows[1] == ["2", '"the rug', "keep"]
    assert [row[0] for row in rows] == [str(n) for n in range(1, 30)]
    assert list(left_out.notes()) == [
        f"read as they stand, 1 {UNPAIRED} (line 3: '2,\"the rug,keep')"
    ]


def test_a_mark_that_another_row_closes_merges_no_rows(tmp_path: Path) -> None:
    content = b'id,text,label\n1,"the rug,keep\n2,"red",sell\n' + MANY
    rows, _ = rows_of(tmp_path / "rows.csv", content)
    assert rows[:3] == [["1", '"the rug', "keep"], ["2", "red", "sell"], ["3", "lamp 3", "sell"]]


def test_a_line_whose_fields_cannot_be_told_is_left_out_alone(tmp_path: Path) -> None:
    content = b'id,text,label\n1,"a, b,keep\n' + MANY
    rows, left_out = rows_of(tmp_path / "rows.csv", content)
    assert len(rows) == 27
    assert list(left_out.notes()) == [f"left out 1 {UNPAIRED} (line 2: '1,\"a, b,keep')"]


def test_marks_inside_of_plain_fields_are_letters(tmp_path: Path) -> None:
    rows, left_out = rows_of(tmp_path / "rows.csv", b'id,text\n1,a 5" nail\n2,"say ""so"""\n')
    assert (rows, left_out) == ([["1", 'a 5" nail'], ["2", 'say "so"']], LeftOut())


def test_numbers_of_lines_count_line_breaks_in_values(tmp_path: Path) -> None:
    content = b'id,text\n1,"a\n\nb"\n2\n\n3,"c\nd"\n4,e,f\n5,"g\n'
    rows, left_out = rows_of(tmp_path / "rows.csv", content)
    assert rows == [["1", "a\n\nb"], ["3", "c\nd"], ["5", '"g']]
    assert left_out.examples["line(s) without exactly 2 fields"] == [
        "line 5: '2'",
        "line 9: '4,e,f'",
    ]
    assert left_out.examples[UNPAIRED] == ["line 10: '5,\"g'"]


def test_rows_are_parted_where_a_line_gives_none(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"id,a\n1,x\n2\n3,y\n4\n")
    left_out = LeftOut()
    seen = [
        (row["id"], left_out.total()) for row in open_table(tmp_path / "rows.csv").rows(left_out)
    ]
    assert seen == [("1", 0), ("3", 1)]
    assert left_out.total() == 2


@pytest.mark.parametrize("seed", range(5))
def test_what_the_standard_library_writes_is_read_as_it_was(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    letters = ['"', ",", "\n", "\r\n", "a", "é", " ", "'", ";", "\t", '""', '",']
    rows = [
        [str(n), *("".join(rng.choices(letters, k=rng.randrange(9))) for _ in range(3))]
        for n in range(3000)
    ]
    with (tmp_path / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "a", "b", "c"], *rows])
    found = [list(row.values()) for row in open_table(tmp_path / "rows.csv").rows()]
    assert found == rows


def test_a_value_longer_than_what_is_read_at_once_stays_whole(tmp_path: Path) -> None:
    long = "ab\n" * 400_000
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "a"], ["1", long], ["2", "b"]])
    assert [row["a"] for row in open_table(tmp_path / "rows.csv").rows()] == [long, "b"]


# The law


def test_lines_of_the_source_are_rows_given_and_rows_left_out(tmp_path: Path) -> None:
    content = b'id,price,text\na,1,x\nb,soon,y\n,3,z\nd,4\ne,"5,q\n\nf,6,w\n'
    (tmp_path / "rows.csv").write_bytes(content)
    schema = {"id": "id", "target": "price", "task": "regression", "text": "text"}
    report = check(tmp_path / "rows.csv", schema=schema)
    assert report.balance == "6 rows in the source = 2 given + 4 left out"
    rows = load(tmp_path / "rows.csv", schema=schema)
    assert rows.count() == len(list(rows)) == 2
    assert content.count(b"\n") == 1 + 1 + 6  # the header, an empty line, and those


@pytest.mark.parametrize(("first", "left"), [("0", True), ("1", True), ("7", False)])
def test_an_index_that_was_made_a_column_is_left_out_where_it_counts_rows(
    tmp_path: Path, first: str, left: bool
) -> None:
    lines = [f"{int(first) + n},r{n},lamp {n}" for n in range(5)]
    (tmp_path / "rows.csv").write_text("\n".join(["index,id,text", *lines]))
    assert ("index" not in open_table(tmp_path / "rows.csv").columns) is left


class Slow(io.StringIO):
    """A text that takes its time, and counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1) -> str:
        time.sleep(0.03)
        self.reads += 1
        return super().read(size)


def test_a_table_that_is_left_after_some_rows_is_not_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"r{n},lamp {n} {'words ' * 40}\n" for n in range(20_000)]
    (tmp_path / "rows.csv").write_text("id,text\n" + "".join(lines))
    opened: list[Slow] = []

    def open_slowly(path: Path, encoding: str) -> Slow:
        opened.append(Slow(path.read_text(encoding)))
        return opened[-1]

    monkeypatch.setattr("textcentric.data.tables.delimited.open_text", open_slowly)
    batches = open_table(tmp_path / "rows.csv").read(LeftOut())
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    reads = opened[-1].reads
    time.sleep(0.2)
    assert opened[-1].reads == reads < 15
