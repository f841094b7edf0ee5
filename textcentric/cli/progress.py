"""Progress for people, on stderr: a live line on a terminal, else a plain line now and then."""

from __future__ import annotations

import sys
import time
from typing import Any

from textcentric.metrics import Metrics

PLAIN_SECONDS = 15.0


class Progress:
    """Show rows, outputs, rate and remaining time of a run of `total` rows.

    Called at most four times a second by the driver.
    """

    def __init__(self, total: int, *, quiet: bool = False):
        self.total = total
        self.quiet = quiet
        self._live: Any = None
        self._task: Any = None
        self._said = time.monotonic()

    def __enter__(self) -> Progress:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Live

            columns = (BarColumn(30), TextColumn("{task.description}"))
            self._live = Live(*columns, console=Console(stderr=True), refresh_per_second=4)
            self._live.start()
            self._task = self._live.add_task("starting the engine", total=self.total)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, metrics: Metrics) -> None:
        """Show the present state of `metrics`."""
        if self._live is not None:
            self._live.update(self._task, completed=metrics.rows, description=self.line(metrics))
        elif not self.quiet and time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            print(self.line(metrics), file=sys.stderr, flush=True)

    def line(self, metrics: Metrics) -> str:
        """Return one line: rows, outputs by fate, tokens a second, remaining time."""
        if not metrics.output_tokens and not metrics.rows:
            return f"starting the engine, {metrics.seconds:.0f} s"
        rate = metrics.output_tokens / max(metrics.busy_seconds, 1e-9)
        words = f"{metrics.rows}/{self.total} rows, {metrics.accepted} accepted"
        words += f", {metrics.rejected} rejected"
        words += f", {metrics.failed} failed" if metrics.failed else ""
        return f"{words}, {rate:.0f} tokens/s, {self._remaining(metrics)}"

    def _remaining(self, metrics: Metrics) -> str:
        if not metrics.rows:
            return "remaining time not known yet"
        done = metrics.rows + max(0, metrics.admitted - metrics.rows) / 2  # rows on the way: half
        left = (self.total - done) * metrics.busy_seconds / done
        return f"about {duration(max(0.0, left))} left"


def duration(seconds: float) -> str:
    """Return a duration as people say it.

    >>> duration(75), duration(5400)
    ('1 min 15 s', '1 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
