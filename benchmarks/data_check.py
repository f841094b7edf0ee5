"""What `data check` of a million rows of 10 columns takes: 325 MB of CSV, and the same as Parquet.

Each reading is a process of its own. The table is written once and kept in the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Bar, Figure, median, peak_mb
from benchmarks.processes import child
from benchmarks.table_readers import write_rows

CSV_BAR, PARQUET_BAR, MEMORY_BAR = 10.0, 6.0, 300.0  # CPU seconds, CPU seconds, MB
QUICK = {"rows": 2_000, "repeats": 1}
SCHEMA = {
    "id": "id",
    "target": "label",
    "text": ["title", "text"],
    "columns": {
        "price": {"reads": "money", "min": 0, "max": 1000},
        "size": {"unit": "metres"},
        "flag": {"reads": "flag"},
    },
}


def measure(rows: int = 1_000_000, repeats: int = 3) -> Figure:
    """Check both tables `repeats` times each, in turn."""
    place = Path(tempfile.gettempdir()) / f"textcentric-bench-check-{os.getuid()}-{rows}"
    tables = [place / "rows.csv", place / "rows.parquet"]
    build(place, rows)
    readings: dict[str, list[dict[str, float]]] = {"csv": [], "parquet": []}
    for _ in range(repeats):
        for kind, table in zip(readings, tables, strict=True):
            readings[kind].append(child("data_check", table))
    (csv_cpu, bounds), (parquet_cpu, _) = (
        median([one["cpu"] for one in found]) for found in readings.values()
    )
    memory = max(one["mb"] for found in readings.values() for one in found)
    bar = Bar("data_check", "<=", CSV_BAR, "s", f" of CPU, Parquet {PARQUET_BAR:g} s, 300 MB")
    return bar.figure(
        f"`data check` of {rows:,} rows of 10 columns of CSV",
        (csv_cpu, bounds),
        also=parquet_cpu <= PARQUET_BAR and memory <= MEMORY_BAR,
        raw=readings,
        notes=(f"Parquet {parquet_cpu:.1f} s of CPU; peak memory {memory:.0f} MB",),
    )


def build(place: Path, rows: int) -> None:
    """Write both tables, unless they are there."""
    import pyarrow.parquet as pq
    from pyarrow import csv

    if (place / "rows.parquet").is_file():
        return
    place.mkdir(exist_ok=True)
    write_rows(place / "rows.csv", rows)
    parse = csv.ParseOptions(newlines_in_values=True)
    pq.write_table(csv.read_csv(place / "rows.csv", parse_options=parse), place / "rows.parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description="Check a table; print CPU seconds and peak MB.")
    parser.add_argument("table", type=Path)
    flags = parser.parse_args()
    begin = time.process_time()
    from textcentric.data import check

    report = check(flags.table, schema=SCHEMA)
    assert report.usable, report.problems
    print(json.dumps({"cpu": time.process_time() - begin, "mb": peak_mb()}))


if __name__ == "__main__":
    main()
