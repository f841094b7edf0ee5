"""The format of a file: what is read, and what is refused with what to do."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textcentric.data.tables.table import open_table
from textcentric.errors import DataError

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "old.xls",
            OLE,
            "is an Excel file of before 2007, which is not read here; save it as .xlsx",
        ),
        ("locked.xlsx", OLE, "without a password"),
        ("export.xls", b"id\tkind\n1\towl\n", "is a text, .*name it .csv"),
        (
            "export.xls",
            b"<html><table>",
            "is an HTML page, which is not read here; save it as .xlsx",
        ),
        ("page.csv", b"<!DOCTYPE html>\n<p>404", "is an HTML page, which is not read here"),
        ("rows.pkl", b"\x80\x05\x95", "is a pickle, .*; loading it would run what it holds"),
        ("rows.csv", b"\x80\x04\x95", "is a pickle"),
        ("rows.joblib", b"\x01\x02", "is a file that ends in .joblib"),
        ("stata.dta", b"<stata_dta>\x01", r"pandas' read_stata\(...\).to_parquet"),
        ("rows.h5", b"\x89HDF\r\n\x1a\n", r"is HDF5, .*read_hdf"),
        ("paper.pdf", b"%PDF-1.7 ", "is a PDF, .*give one of .csv"),
        ("rows.parquet", b"version https://git-lfs.github.com/spec/v1", "`git lfs pull` fetches"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        open_table(tmp_path / name)


def test_a_data_base_is_refused(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "rows.db")
    base.execute("create table pets (id)")
    base.close()
    with pytest.raises(DataError, match=r"is an SQLite database, .*; export the table as CSV"):
        open_table(tmp_path / "rows.db")


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        ("rows.zip", ["a.csv", "b.csv"], r"holds 2 files \(a.csv, b.csv\); unpack it"),
        ("rows.ods", ["mimetype", "content.xml"], "save it as .xlsx or CSV"),
        ("rows.npz", ["a.npy", "b.npy"], "loading it would run"),
    ],
)
def test_an_archive_of_several_files_is_refused(
    tmp_path: Path, name: str, files: list[str], message: str
) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for file in files:
            archive.writestr(file, "id\n1\n")
    with pytest.raises(DataError, match=message):
        open_table(tmp_path / name)


def test_the_first_bytes_count_more_than_the_ending(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "rows.csv")
    assert list(open_table(tmp_path / "rows.csv").rows()) == [{"id": "a"}]


@pytest.mark.parametrize("header", ["PAR1,id", "ID3,id", "BZh,id", "GIF8,id", "Rar!,id"])
def test_a_header_that_begins_like_another_format_is_one(tmp_path: Path, header: str) -> None:
    (tmp_path / "rows.csv").write_text(f"{header}\n1,2\n")
    assert open_table(tmp_path / "rows.csv").columns == tuple(header.split(","))
