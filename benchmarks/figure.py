"""A figure as measured, its bar, and how both are printed and kept."""

from __future__ import annotations

import json
import operator
import os
import platform
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from textcentric.machine import machine, versions

RESULTS = Path(__file__).parent / "results"
COMPARE = {"<": operator.lt, "<=": operator.le, ">=": operator.ge}
Median = tuple[float, tuple[float, float]]  # and its 95 % interval


@dataclass(frozen=True)
class Figure:
    """One measured figure; `met` is None where the design sets no bar.

    `interval` holds the 95 % bounds of `value`, where it is a median of repeated readings.
    """

    name: str
    what: str
    bar: str
    value: float
    unit: str
    met: bool | None
    interval: tuple[float, float] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def measured(self) -> str:
        """Return value, interval and unit as the table shows them."""
        bounds = "" if self.interval is None else " [{:.3g}, {:.3g}]".format(*self.interval)
        return f"{self.value:.4g}{bounds} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """Return "met", "missed" or "" where there is no bar."""
        return "" if self.met is None else "met" if self.met else "missed"


@dataclass(frozen=True)
class Bar:
    """What the figure called `name` is to reach; the table shows it with what there is `more`."""

    name: str
    sign: Literal["<", "<=", ">="]
    bound: float
    unit: str = "x"
    more: str = ""

    def __str__(self) -> str:
        unit = "" if self.unit == "x" else f" {self.unit}"
        return f"{self.sign} {self.bound:g}{unit}{self.more}"

    def reached(self, value: float) -> bool:
        """Say whether `value` meets the bar."""
        return bool(COMPARE[self.sign](value, self.bound))

    def figure(self, what: str, value: float | Median, *, also: bool = True, **more: Any) -> Figure:
        """Return the figure `value`, which meets its bar where `also` is true too."""
        middle, interval = value if isinstance(value, tuple) else (value, None)
        met = self.reached(middle) and also
        return Figure(self.name, what, str(self), middle, self.unit, met, interval, **more)


def median(values: Sequence[float]) -> Median:
    """Return the median and its 95 % bootstrap interval (10,000 draws, a fixed seed)."""
    rng = random.Random(0)
    draws = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(10_000))
    return statistics.median(values), (draws[249], draws[9749])


def show(figures: Sequence[Figure]) -> None:
    """Print one table, what the figures have to add, and the machine they were measured on."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "bar", "measured [95 %]", "verdict")
    for figure in figures:
        table.add_row(figure.what, figure.bar, figure.measured, figure.verdict)
    console = Console(width=120)
    console.print(table)
    for figure in figures:
        for note in figure.notes:
            print(f"{figure.name}: {note}")
    print(machine_line())


def keep(figures: Sequence[Figure], file: Path | None = None) -> None:
    """Write the raw readings of each figure, and all of them into `file` if one is named."""
    RESULTS.mkdir(exist_ok=True)
    entries = {f.name: {**asdict(f), "verdict": f.verdict, "machine": about()} for f in figures}
    for name, entry in entries.items():
        (RESULTS / f"{name}.json").write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
    if file is not None:
        file.write_text(json.dumps(list(entries.values()), indent=2) + "\n", encoding="utf-8")


def peak_mb() -> float:
    """Return the peak memory of this process in MB.

    Not `ru_maxrss`: a process that was started by a larger one inherits that one's peak.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024  # kB on Linux


def about() -> dict[str, Any]:
    """Return the machine, its load (processes waiting, last minute) and the versions."""
    return {
        **machine(),
        "cpu": cpu_model(),
        "load": round(os.getloadavg()[0], 2),
        "versions": versions(),
    }


def machine_line() -> str:
    """Return one line on the machine and the versions."""
    facts = about()
    found = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return f"{facts['cpu']}, {facts['cores']} cores, load {facts['load']}; {found}"


def cpu_model() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
