"""Tables that say gigabytes in a few kilobytes are read in pieces, or refused."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from textcentric.data.tables.bounds import BYTES, LONGEST, refuse_nested, within
from textcentric.data.tables.columns import BYTES as ENOUGH
from textcentric.data.tables.columns import gathered
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.long_texts import bounded_lines, items_of
from textcentric.data.tables.table import open_table
from textcentric.data.tables.workbook_size import refuse_large
from textcentric.errors import DataError

LONG = "a" * 2**20
ENDLESS = "a" * (LONGEST + 1)
ROWS = 200


def repeated(value: str = LONG, rows: int = ROWS) -> pa.Array:
    """Return a column in which one value stands in every row, and in memory once."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([value]))


def views(value: str) -> pa.Array:
    """Return a column of views of one value: its length, its beginning, and where it lies."""
    view = struct.pack("<i4sii", len(value), value[:4].encode(), 0, 0)
    held = [None, pa.py_buffer(view * ROWS), pa.py_buffer(value.encode())]
    return pa.Array.from_buffers(pa.string_view(), ROWS, held)


def sizes(batches: list[pa.RecordBatch]) -> list[int]:
    return [batch.nbytes for batch in batches]


def test_a_dictionary_of_one_long_value_is_written_out_in_pieces() -> None:
    batch = pa.record_batch({"text": repeated(), "n": range(ROWS)})
    pieces = list(within(batch))
    assert [n for piece in pieces for n in piece["n"].to_pylist()] == list(range(ROWS))
    assert max(len(piece) for piece in pieces) <= BYTES // 2**20
    assert len(pieces) <= 2 * ROWS * 2**20 // BYTES + 1


@pytest.mark.parametrize(
    "column",
    [
        pa.StructArray.from_arrays([repeated()], ["inner"]),
        pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), repeated()),
        pa.RunEndEncodedArray.from_arrays(pa.array([ROWS], pa.int32()), pa.array([LONG])),
        views(LONG),
    ],
)
def test_what_refers_to_a_value_inside_of_others_is_counted_too(column: pa.Array) -> None:
    assert len(list(within(pa.record_batch({"text": column})))) > 4


def test_ordinary_batches_stay_whole() -> None:
    batch = pa.record_batch({"text": ["a" * 1000] * 1000, "kind": repeated("owl", 1000)})
    assert list(within(batch)) == [batch]


@pytest.mark.parametrize(
    "text", [pa.array(["a" * (LONGEST + 1)]), repeated("a" * (LONGEST + 1), 1)]
)
def test_a_row_of_more_than_a_text_can_have_is_refused(text: pa.Array) -> None:
    with pytest.raises(DataError, match=f"a row has 67,108,8.* bytes, more than {LONGEST:,}"):
        list(within(pa.record_batch({"text": text})))


@pytest.mark.parametrize("stored", [repeated(), repeated().cast(pa.string())])
@pytest.mark.parametrize("plain", [True, False])
def test_parquet_gives_long_rows_a_few_at_once(
    tmp_path: Path, stored: pa.Array, plain: bool
) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table({"id": range(ROWS), "text": stored})
    pq.write_table(table, path, compression="zstd", use_dictionary=not plain)
    assert path.stat().st_size < 200_000
    batches = list(open_table(path).batches())
    assert sum(map(len, batches)) == ROWS
    assert max(sizes(batches)) <= BYTES + ENOUGH + 2**21  # type: ignore[arg-type]
    assert {len(text) for batch in batches for text in batch["text"].to_pylist()} == {2**20}  # type: ignore[call-overload]


def test_arrow_files_give_long_rows_a_few_at_once(tmp_path: Path) -> None:
    feather.write_feather(
        pa.table({"id": range(ROWS), "text": repeated()}), tmp_path / "rows.arrow"
    )
    batches = list(open_table(tmp_path / "rows.arrow").batches())
    assert max(sizes(batches)) <= BYTES + ENOUGH + 2**21  # type: ignore[arg-type]


def test_rows_are_put_together_by_their_bytes() -> None:
    rows = ({"text": LONG, "more": [{"deep": LONG}]} for _ in range(20))
    together = [len(batch) for batch in gathered(rows)]
    assert sum(together) == 20
    assert max(together) * 2 * 2**20 <= ENOUGH + 2**21


def test_lists_that_are_nested_without_end_are_refused() -> None:
    kind: pa.DataType = pa.int8()
    for _ in range(50):
        kind = pa.list_(kind)
    refuse_nested(pa.schema([("a", kind)]))
    for _ in range(60):
        kind = pa.list_(kind)
    with pytest.raises(DataError, match="nested more than 100 deep"):
        refuse_nested(pa.schema([("a", kind)]))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("12345\n123456\n1234", ["12345\n", "123456\n", "1234"]),
        ("1234567", ["1234567"]),
        ("12345678", [None]),
        ("1\r\n12345678\r\n12\r\n", ["1\r\n", None, "12\r\n"]),
        ("12345678901234\n\n1", [None, "\n", "1"]),
    ],
)
def test_lines_have_a_longest_length(text: str, lines: list[str | None]) -> None:
    assert list(bounded_lines(StringIO(text, ""), 7)) == lines


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("[]", []),
        (" [ ] ", []),
        ('[1, 23 ,"a]" , {"b": [1]}]', ["1", "23", '"a]"', '{"b": [1]}']),
        (f"[{'7' * 5000}]", ["7" * 5000]),
    ],
)
def test_the_items_of_a_list_are_read_one_by_one(text: str, items: list[str]) -> None:
    assert list(items_of(StringIO(text))) == items


class Drop(StringIO):
    """A text that is read sign by sign."""

    def read(self, size: int | None = -1) -> str:
        return super().read(1)


def test_an_item_may_be_cut_anywhere_by_what_is_read_at_once() -> None:
    assert list(items_of(Drop('[12, "a\\u00e9", {"b": -1.5e3}, null ]'))) == [
        "12",
        '"a\\u00e9"',
        '{"b": -1.5e3}',
        "null",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected '\\['"),
        ("{}", "at character 1: expected '\\[', not '{'"),
        ("[1", "expected ','"),
        ("[1 2]", "at character 4: expected ','"),
        ("[1,]", "at character 4: Expecting value"),
        ("[" * 10**5, "nested without end"),
        (f'["{"a" * 100}"', "more than 50 characters"),
    ],
)
def test_a_list_that_breaks_off_says_where(text: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        list(items_of(Drop(text) if "aaa" in text else StringIO(text), 50))


def write_line(path: Path, before: str, after: str) -> None:
    with gzip.open(path, "wt", 1) as file:
        file.write(before)
        for _ in range(LONGEST // 2**20 + 1):
            file.write(LONG)
        file.write(after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "rows.jsonl.gz",
            '{"id": 1, "text": "owl"}\n{"id": 2, "text": "',
            '"}\n{"id": 3, "text": "newt"}\n',
        ),
        ("rows.csv.gz", "id,text\n1,owl\n2,", "\n3,newt\n"),
        ("rows.csv.gz", "id,text\n1,owl\n", ""),
    ],
)
def test_a_line_that_fills_the_memory_is_left_out(
    tmp_path: Path, name: str, before: str, after: str
) -> None:
    write_line(tmp_path / name, before, after)
    left_out = LeftOut()
    rows = list(open_table(tmp_path / name).rows(left_out))
    assert [row["text"] for row in rows] == ["owl", "newt"][: 2 if after else 1]
    (reason,) = left_out.lines
    assert reason.startswith(f"line(s) of more than {LONGEST:,} ")
    assert left_out.examples[reason][0].startswith(f"line {2 if 'json' in name else 3}: ")


FAR_AWAY = b'r="XFD1048576"'


def change(path: Path, member: str, edit: Callable[[bytes], bytes]) -> None:
    """Rewrite one member of a workbook."""
    with zipfile.ZipFile(path) as book:
        content = {name: book.read(name) for name in book.namelist()}
    content[member] = edit(content[member])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, held in content.items():
            book.writestr(name, held)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    for line in (["id", "text"], [1, "owl"], [2, "newt"], [3, "owl"]):
        sheet.append(line)
    made.save(tmp_path / "rows.xlsx")
    return tmp_path / "rows.xlsx"


def test_two_cells_far_apart_do_not_fill_the_memory(book: Path) -> None:
    change(book, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="B4"', b'r="XFD1048576"'))
    with pytest.raises(
        DataError, match="spans 1,048,576 rows and 16,384 columns; save the table as"
    ):
        open_table(book)


@pytest.mark.parametrize(("cells", "fits"), [(170, True), (180, False)])
def test_one_long_text_in_many_cells_does_not_fill_the_memory(
    tmp_path: Path, cells: int, fits: bool
) -> None:
    path = tmp_path / "rows.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        texts = f"<sst><si><t>id</t></si><si><t>{'o' * 3_000_000}</t></si></sst>"
        book.writestr("xl/sharedStrings.xml", texts)
        lines = (f'<row><c r="A{at}" t="s"><v>1</v></c></row>' for at in range(cells))
        book.writestr("xl/worksheets/sheet1.xml", f"<sheetData>{''.join(lines)}</sheetData>")
    if fits:
        refuse_large(path, "rows.xlsx")
        return
    with pytest.raises(DataError, match="has more than 536,870,912 characters; save the table"):
        refuse_large(path, "rows.xlsx")


def test_a_workbook_of_zeros_is_refused_by_its_size(book: Path) -> None:
    change(book, "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * (2**29 + 1))
    assert book.stat().st_size < 2**20
    with pytest.raises(DataError, match="bytes unpacked; save the table as CSV"):
        open_table(book)


def test_cells_merged_over_all_columns_stand_in_those_that_there_are(book: Path) -> None:
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="B2:XFD1048576"/></mergeCells>'
    change(book, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", merged))
    assert [row["text"] for row in open_table(book).rows()] == ["owl"] * 3
