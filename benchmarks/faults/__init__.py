"""What is done to the toolkit as a stranger or bad luck would, how often, and what was lost.

    python -m benchmarks faults

Kills at random moments, full and read-only disks, hostile folders, odd replies of servers, and
mutated files. A try is lost where a text or a weight differs from that of an undisturbed run,
anything stands twice or nowhere, a command ends by a traceback, or a wall did not hold.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.faults import disks, folders, kills, mutations, replies
from benchmarks.faults.scene import Scene
from benchmarks.figure import Bar, Figure

QUICK: dict[str, Any] = {"times": 1, "seconds": 0.5, "most": 1}


def measure(times: int = 20, seconds: float = 45.0, most: int = 99) -> Figure:
    """Try each kind: `times` kills of a command, `seconds` of mutations, `most` disks and links."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name, Scene(Path(name)) as at:
        tried = [
            *kills.killed(at, times),
            *kills.terminated(at, times),
            *disks.full(at, most),
            *disks.read_only(at),
            *folders.hostile(at, most),
            *replies.mutated(at, seconds),
            *mutations.mutated(at, seconds),
        ]
    minutes = (time.perf_counter() - began) / 60
    lost = sum(one.lost for one in tried)
    return Bar("faults", "<=", 0, "lost").figure(
        f"{sum(one.times for one in tried):,} faults of {len(tried)} kinds, {minutes:.1f} min",
        lost,
        raw={"tried": [one._asdict() for one in tried], "minutes": minutes},
        notes=tuple(map(str, tried)),
    )
