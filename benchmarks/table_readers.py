"""What libraries make of a million rows of CSV, and of texts as spreadsheets write them.

pip install duckdb polars clevercsv
python -m benchmarks.table_readers            # the million rows, each reader in its own process
python -m benchmarks.table_readers --texts    # what each reader gives for each small text
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import machine_line, peak_mb
from benchmarks.processes import child

COLUMNS = "id title text label price size date flag city code".split()
WORDS = (
    "lamp chair quiet bright garden window corner tea blue worn solid narrow, wide;"
    ' "old" new near the station with a view of fields and a small stove that heats the hall'
).split()
TEXTS = {
    "plain": b'id,text,label\n1,a lamp,keep\n2,"a, ""b""\nc",sell\n',
    "utf-16": "id,text,label\r\n1,caf\u00e9,keep\r\n".encode("utf-16"),
    "cp1252": ("id,text\n" + "1,Cr\u00e8me \u2013 f\u00fcr 5 \u20ac\n" * 9).encode("cp1252"),
    "stray byte": b"id,text\n1,a \xff b\n2,caf\xc3\xa9\n",
    "semicolons": b"id;text;label\n1;a, b;keep\n2;c, d;sell\n",
    "tabs": b"id\ttext\tlabel\n1\ta, b\tkeep\n2\tc\tsell\n",
    "sep=": b"sep=;\nid;text;label\n1;a;keep\n2;b;sell\n",
    "ragged": b"id,text,label\n1,a,keep\n2,b\n3,c,sell,more\n\n4,d,keep\n",
    "ragged after breaks": b'id,text\n1,"a\n\nb"\n2\n3,c\n',
    "open mark": b'id,text,label\n1,"a,keep\n' + b"2,b,sell\n" * 20,
    "mark closed by another row": b'id,text,label\n1,"a,keep\n2,"b",sell\n' + b"3,c,keep\n" * 20,
    "words behind a mark": b'id,text\n1,"a" nail\n2,b\n',
    "empty names": b"id,text,,\n1,a,,\n",
    "names twice": b"id,text,text\n1,a,b\n",
    "no header": b"1,a lamp,3.5\n2,a chair,4.5\n",
    "numbers": b"id;price\n01;1.234,50\n02;2,50\n",
    "labels": b"id,band,label\n01,10_20,NA\n02,20_30,010\n",
    "one column": b"id\n1\n\n2\n",
    "preamble": b"made by hand\n\nid,text\n1,a\n",
}


def write_rows(path: Path, rows: int) -> None:
    """Write a table of ten columns, about 325 bytes a row, with marks and line breaks in texts."""
    rng = random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(rng, number) for number in range(rows))


def _row(rng: random.Random, n: int) -> list[object]:
    text = " ".join(rng.choices(WORDS, k=46))
    text = text.replace(" ", "\n", 2) if n % 50 == 0 else text
    title, price = " ".join(rng.choices(WORDS, k=5)), f"{rng.random() * 1000:.2f}"
    date, city = f"20{n % 30:02}-0{n % 9 + 1}-1{n % 9}", rng.choice(["Ulm", "Linz", "Bern", ""])
    label, size = rng.choice(["keep", "sell", "rent"]), rng.randrange(5, 200)
    return [f"r{n:07}", title, text, label, price, size, date, "tf"[n % 2], city, f"{n % 1000:03}"]


def with_csv(path: Path) -> Iterator[list[Any]]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
        yield from ([fields] for fields in csv.reader(lines, strict=True))


def with_arrow(path: Path) -> Iterator[list[Any]]:
    import pyarrow as pa
    from pyarrow import csv as arrow

    rejected: list[tuple[int | None, str]] = []

    def refuse(row: arrow.InvalidRow) -> str:
        rejected.append((row.number, row.text))
        return "skip"

    with path.open(encoding="utf-8", errors="replace") as lines:
        names = next(csv.reader(lines))
    options = (
        arrow.ReadOptions(use_threads=False),
        arrow.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
        arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    yield from arrow.open_csv(path, *options)
    yield rejected


def with_duckdb(path: Path) -> Iterator[list[Any]]:
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.sql("SET enable_progress_bar = false")
    query = (
        f"SELECT * FROM read_csv('{path}', all_varchar=true, header=true, store_rejects=true,"
        " strict_mode=true, buffer_size=4000000)"
    )
    yield from connection.sql(query).to_arrow_reader(20_000)
    rejected = "SELECT line, error_type, csv_line FROM reject_errors"
    yield connection.execute(rejected).fetchall()


def with_polars(path: Path) -> Iterator[list[Any]]:
    import polars as pl

    yield from pl.scan_csv(path, infer_schema=False).collect_batches(chunk_size=20_000)


def with_textcentric(path: Path) -> Iterator[Any]:
    from textcentric.data.tables.left_out import LeftOut
    from textcentric.data.tables.table import open_table

    left_out = LeftOut()
    yield from open_table(path).read(left_out)
    yield list(left_out.notes())


READERS: dict[str, Callable[[Path], Iterator[Any]]] = {
    "csv": with_csv,
    "arrow": with_arrow,
    "duckdb": with_duckdb,
    "polars": with_polars,
    "textcentric": with_textcentric,
}


def show_texts(folder: Path) -> None:
    """Print what each reader gives for each text, and what the sniffers say."""
    for name, content in TEXTS.items():
        path = folder / "text.csv"
        path.write_bytes(content)
        print(f"\n== {name}")
        for reader, read in READERS.items():
            try:
                given: object = [_shown(part) for part in read(path)]
            except Exception as error:  # whatever a library raises is what it says of the text
                given = f"{type(error).__name__}: {str(error)[:100]!r}"
            print(f"{reader:12} {given}")
        print(f"{'sniffed':12} {_sniffed(path, content)}")


def _shown(part: Any) -> object:
    if hasattr(part, "to_pylist"):
        return [tuple(row.values()) for row in part.to_pylist()[:4]]
    return part.rows()[:4] if hasattr(part, "rows") else part[:4]


def _sniffed(path: Path, content: bytes) -> str:
    import clevercsv
    import duckdb
    from charset_normalizer import from_bytes

    text = content.decode("utf-8", "replace")
    query = f"SELECT Delimiter FROM sniff_csv('{path}', ignore_errors=true)"
    try:
        ours, theirs = clevercsv.Sniffer().sniff(text).delimiter, duckdb.sql(query).fetchall()
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:80]!r}"
    best = from_bytes(content).best()
    return f"clevercsv {ours!r}, DuckDB {theirs}, charset-normalizer {best and best.encoding}"


def read_once(reader: str, path: Path) -> dict[str, float]:
    """Return CPU seconds and peak MB of reading a table once."""
    parts = READERS[reader](path)
    begin = time.process_time()
    rows = sum(len(part) for part in parts)
    return {"rows": rows, "cpu": time.process_time() - begin, "mb": peak_mb()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader", nargs="?", choices=READERS)
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--texts", action="store_true")
    flags = parser.parse_args()
    if flags.reader:
        print(json.dumps(read_once(flags.reader, flags.path)))
        return
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        if flags.texts:
            show_texts(Path(name))
            return
        path = Path(name) / "rows.csv"
        write_rows(path, flags.rows)
        print(f"{path.stat().st_size / 1e6:.0f} MB, {flags.rows:,} rows; {machine_line()}")
        for reader in READERS:
            reading = child("table_readers", reader, path, POLARS_MAX_THREADS="1")
            print(f"{reader:12} {reading['cpu']:.2f} s CPU, {reading['mb']:.0f} MB")


if __name__ == "__main__":
    main()
