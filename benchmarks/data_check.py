"""What a million rows of 10 columns cost: `data check` of 325 MB of CSV and of Parquet, and a plan.

Each reading is a process of its own. The table is written once and kept in the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Bar, Figure, median, peak_mb
from benchmarks.processes import child
from benchmarks.table_readers import write_rows

CSV_BAR, PARQUET_BAR, PLAN_BAR = 10.0, 6.0, 5.0  # CPU seconds
MEMORY_BAR = 300.0  # MB
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
    readings: dict[str, list[dict[str, float]]] = {"csv": [], "parquet": [], "plan": []}
    child("data_check", tables[0], "--plan")  # from then on the file is known
    for _ in range(repeats):
        readings["csv"].append(child("data_check", tables[0]))
        readings["parquet"].append(child("data_check", tables[1]))
        readings["plan"].append(child("data_check", tables[0], "--plan"))
    (csv_cpu, bounds), (parquet_cpu, _), (plan_cpu, _) = (
        median([one["cpu"] for one in found]) for found in readings.values()
    )
    memory = max(one["mb"] for found in readings.values() for one in found)
    more = f" of CPU, Parquet {PARQUET_BAR:g} s, plan {PLAN_BAR:g} s, 300 MB"
    bar = Bar("data_check", "<=", CSV_BAR, "s", more)
    return bar.figure(
        f"`data check` of {rows:,} rows of 10 columns of CSV",
        (csv_cpu, bounds),
        also=parquet_cpu <= PARQUET_BAR and plan_cpu <= PLAN_BAR and memory <= MEMORY_BAR,
        raw=readings,
        notes=(
            f"Parquet {parquet_cpu:.1f} s of CPU; plan of a known CSV {plan_cpu:.1f} s; peak memory"
            f" {memory:.0f} MB",
        ),
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


def check(table: Path) -> dict[str, float]:
    """Return the CPU seconds and the peak MB of this process's check of `table`."""
    begin = time.process_time()
    from textcentric.data import check

    report = check(table, schema=SCHEMA)
    assert report.usable, report.problems
    return {"cpu": time.process_time() - begin, "mb": peak_mb()}


def plan(table: Path) -> dict[str, float]:
    """Return the CPU seconds and the peak MB of `augment --dry-run` on `table`."""
    schema = table.with_name("schema.yaml")
    schema.write_text(json.dumps(SCHEMA))  # JSON is YAML
    command = [str(Path(sys.executable).with_name("textcentric")), "augment", "--dry-run"]
    command += ["--dataset", str(table), "--schema", str(schema), "--prompts", "rule"]
    subprocess.run(command, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"cpu": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description="Read a table; print CPU seconds and peak MB.")
    parser.add_argument("table", type=Path)
    parser.add_argument("--plan", action="store_true", help="plan a run on it")
    flags = parser.parse_args()
    print(json.dumps(plan(flags.table) if flags.plan else check(flags.table)))


if __name__ == "__main__":
    main()
