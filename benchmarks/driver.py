"""What a request costs the driver in CPU time: everything on, a scripted engine without delay.

Everything from opening the run to its manifest counts. A further run, its functions timed where
they stand, gives the breakdown; what that does not explain is what tasks and waiting cost.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.breakdown import components
from benchmarks.figure import Bar, Figure, median
from benchmarks.rows import write_table
from benchmarks.scripted_run import Remembered, configure, run
from textcentric.runs.manifest import Manifest

BAR = Bar("driver", "<=", 250, "µs", " of CPU")  # a request
QUICK = {"rows": 60, "repeats": 2}


def measure(rows: int = 3000, repeats: int = 5) -> Figure:
    """Run `repeats` times over `rows` synthetic rows and the shipped adversarial set."""
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        folder = Path(name)
        table = write_table(folder / "rows.csv", rows)
        answers = Remembered()
        manifest = run(configure(table, folder / "first"), answers)
        times = [
            _cpu_seconds(configure(table, folder / f"run{n}"), answers) for n in range(repeats)
        ]
        sent = manifest["requests"]["sent"]
        parts = components(lambda: run(configure(table, folder / "parts"), answers))
    costs = [1e6 * seconds / sent for seconds in times]
    cost = median(costs)
    shares = {name: 1e6 * seconds / sent for name, seconds in parts.items()}
    shares["tasks and the rest"] = cost[0] - sum(shares.values())
    return BAR.figure(
        "driver cost a request, scripted engine, everything on",
        cost,
        raw={"cpu_seconds": times, "requests": sent, "rows": rows, "parts": shares}
        | {"totals": manifest["totals"], "reasons": manifest["reasons"]},
        notes=(_breakdown(shares), _mix(manifest)),
    )


def _cpu_seconds(config: Any, answers: Remembered) -> float:
    """Return the CPU time (all threads) of one whole run, from opening it to its manifest."""
    before = time.process_time()
    run(config, answers)
    return time.process_time() - before


def _breakdown(shares: dict[str, float]) -> str:
    return "µs a request: " + ", ".join(f"{name} {cost:.0f}" for name, cost in shares.items())


def _mix(manifest: Manifest) -> str:
    totals, sent = manifest["totals"], manifest["requests"]["sent"]
    return (
        f"{sent} requests, {totals['accepted']} outputs accepted, {totals['rejected']} rejected,"
        f" {totals['failed']} failed"
    )
