"""Peak memory of the driver: 10 thousand against 1 million requests, in processes of their own."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figure import Bar, Figure, peak_mb
from benchmarks.processes import child
from benchmarks.rows import write_table
from benchmarks.scripted_run import configure, run

BAR = Bar("memory", "<", 150, "MB")
REQUESTS_PER_ROW = 24  # about; the figure counts those that were made
QUICK = {"few": 1000, "many": 4000}


def measure(few: int = 10_000, many: int = 1_000_000) -> Figure:
    """Measure the peaks at about `few` and `many` requests."""
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        readings = [_reading(Path(name) / str(n), -(-n // REQUESTS_PER_ROW)) for n in (few, many)]
    small, large = readings
    return BAR.figure(
        f"growth of the driver's peak memory, {few:,} to {many:,} requests",
        large["peak_mb"] - small["peak_mb"],
        raw={"readings": readings},
        notes=tuple(
            f"{r['requests']:,} requests of {r['rows']:,} rows: peak {r['peak_mb']:.0f} MB"
            f" in {r['seconds']:.0f} s"
            for r in readings
        ),
    )


def _reading(folder: Path, rows: int) -> dict[str, Any]:
    """Run `rows` rows in a new process; return its peak memory, requests and seconds."""
    table = write_table(folder.with_suffix(".csv"), rows)
    return {"rows": rows, **child("memory", table, folder)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a table once; print the peak memory.")
    parser.add_argument("table", type=Path)
    parser.add_argument("output_dir", type=Path)
    flags = parser.parse_args()
    started = time.monotonic()
    manifest = run(configure(flags.table, flags.output_dir))
    peak = peak_mb()
    totals, sent = manifest["totals"], manifest["requests"]["sent"]
    assert totals["pending"] == totals["failed"] == 0, totals
    print(json.dumps({"requests": sent, "peak_mb": peak, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main()
