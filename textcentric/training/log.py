"""What a training says while it runs: `metrics.jsonl`, trackers, and progress for people."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.folders import write_text, writing
from textcentric.runs.counters import Steps
from textcentric.security.files import read_text
from textcentric.security.visible import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

FILE = "metrics.jsonl"
PLAIN_SECONDS = 15.0
REDRAWS = 4  # a second


class TrainLog:
    """Figures of one training of `total` steps; does nothing where it is not `active`.

    On a terminal there is a live line; elsewhere, or with a long time between two, plain ones.
    """

    def __init__(
        self,
        folder: Path,
        *,
        active: bool = True,
        quiet: bool = False,
        track: Callable[[Mapping[str, float], int], None] | None = None,
        steps: Steps | None = None,
    ):
        self.path = folder / FILE
        self._active = active
        self._quiet = quiet or not active
        self._track = track
        self._steps = steps
        self._live: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> TrainLog:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (BarColumn(30), TextColumn("{task.description}"))
            console = Console(stderr=True)
            self._live = Progress(*columns, console=console, refresh_per_second=REDRAWS)
            self._live.start()
            self._task = self._live.add_task("starting", total=None)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, step: int, total: int) -> None:
        """Start at `step`: forget lines of later steps, which a killed training left."""
        self._first, self._total, self._rows = step, total, 0
        self._began = self._said = time.monotonic()
        if self._active:
            kept = [json.dumps(line) + "\n" for line in self.lines() if line["step"] <= step]
            write_text(self.path, "".join(kept))

    def note(self, step: int, **figures: float) -> None:
        """Keep figures of `step`, in the file and in the trackers."""
        if self._active:
            known = {k: v if math.isfinite(v) else None for k, v in figures.items()}
            with writing(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **known}) + "\n")
            if self._track is not None:
                self._track(figures, step)

    def show(self, step: int, epoch: float, loss: float, rows: int) -> None:
        """Show where the training is, after a step over `rows` rows."""
        self._rows += rows
        if self._steps is not None and self._active:
            self._steps("steps", step, self._total)
        if self._live is not None and self._task is not None:
            line = self._line(step, epoch, loss)
            self._live.update(self._task, completed=step, total=self._total, description=line)
        elif not self._quiet and time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            self.say(self._line(step, epoch, loss))

    def say(self, line: str) -> None:
        """Print a message for people."""
        if self._live is not None:
            self._live.console.print(printable(line), markup=False, highlight=False)
        elif not self._quiet:
            print(printable(line), file=sys.stderr, flush=True)

    def lines(self) -> list[dict[str, Any]]:
        """Return what was noted so far; a line cut off by a kill is left out."""
        try:
            texts = read_text(self.path).splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(text) for text in texts if text.endswith("}")]

    @property
    def rate(self) -> float:
        """Return rows a second since `begin`."""
        return self._rows / max(time.monotonic() - self._began, 1e-9)

    def _line(self, step: int, epoch: float, loss: float) -> str:
        a_step = (time.monotonic() - self._began) / max(step - self._first, 1)
        left = timedelta(seconds=round(a_step * (self._total - step)))
        return (
            f"step {step}/{self._total}, epoch {epoch:.2f}, loss {loss:.4f},"
            f" {self.rate:.1f} rows/s, {left} left"
        )
