"""Progress for people, on stderr: a live display on a terminal, else a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textcentric.cli.terminal import say
from textcentric.security.secrets import hidden
from textcentric.security.visible import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from textcentric.runs.columns import Failure, Output
    from textcentric.runs.counters import Metrics

LOADING = "loading the models"
PLAIN_SECONDS = 15.0
BEFORE = 20  # characters shown before the first that a variant changed


class Progress:
    """Show rows, requests, outputs, rate and remaining time of a run of `total` rows.

    Called at most four times a second by the driver. On a terminal the newest accepted variant
    stands below, beside its source. Work of other kinds calls `advance`; `start` is what is said
    until then.
    """

    def __init__(self, total: int = 1, *, start: str = "starting the engine", quiet: bool = False):
        self.total = total
        self.start = start
        self.quiet = quiet
        self._live: Any = None
        self._bars: Any = None
        self._task: Any = None
        self._newest: Output | None = None
        self._said = time.monotonic()
        self._step, self._done, self._begun = "", 0, 0.0

    def __enter__(self) -> Progress:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bars

            self._bars = Bars(BarColumn(10), TextColumn("{task.description}", markup=False))
            self._task = self._bars.add_task(self.start, total=self.total)
            console = Console(stderr=True)
            self._live = Live(get_renderable=self.display, console=console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._newest = None
            self._live.stop()

    def __call__(self, metrics: Metrics) -> None:
        """Show the present state of `metrics`."""
        self._show(metrics.rows, self.total, self.line(metrics))

    def advance(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` steps of `what` are done."""
        now = time.monotonic()
        if what != self._step or done < self._done:
            self._step, self._begun = what, now
        self._done = done
        left = (now - self._begun) * (total - done) / done if done else 0.0
        words = f", about {duration(left)} left" if round(left) else ""
        self._show(done, total, f"{what}: {done:,} of {total:,}{words}")

    def _show(self, done: int, total: int, line: str) -> None:
        if self._live is not None:
            shown = printable(line)
            self._bars.update(self._task, completed=done, total=total, description=shown)
        elif not self.quiet and time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            say(line)

    def show_row(self, outputs: Sequence[Output | Failure]) -> None:
        """Take the last accepted variant of a row as the newest."""
        from textcentric.runs.columns import Output

        for output in outputs:
            if isinstance(output, Output) and output.prompt != "clean" and not output.reason:
                self._newest = output

    def display(self) -> RenderableType:
        """Return what stands on the terminal: the bar, and the newest variant below its source.

        Texts of rows and models are shown as they are, never read as markup; a line is cut to
        the width.
        """
        from rich.console import Group
        from rich.text import Text

        pair = beside_source(self._newest) if self._newest else ()
        lines = zip(("source   ", "variant  "), pair, strict=False)
        texts = [Text(name + text, no_wrap=True, overflow="ellipsis") for name, text in lines]
        return Group(*([self._bars] if self._bars is not None else []), *texts)

    def line(self, metrics: Metrics) -> str:
        """Return one line: rows, outputs by fate, tokens a second, remaining time."""
        if not metrics.output_tokens and not metrics.rows:
            return f"starting the engine, {metrics.seconds:.0f} s"
        rate = metrics.output_tokens / max(metrics.busy_seconds, 1e-9)
        answered = metrics.sent - metrics.in_flight
        words = f"{metrics.rows}/{self.total} rows, {answered} requests answered"
        words += f", {metrics.accepted} accepted, {metrics.rejected} rejected"
        words += f", {metrics.failed} failed" if metrics.failed else ""
        return f"{words}, {rate:.0f} tokens/s, {self._remaining(metrics)}"

    def _remaining(self, metrics: Metrics) -> str:
        if not metrics.rows:
            return "remaining time not known yet"
        done = metrics.rows + max(0, metrics.admitted - metrics.rows) / 2  # rows on the way: half
        left = (self.total - done) * metrics.busy_seconds / done
        return f"about {duration(max(0.0, left))} left"


def beside_source(variant: Output) -> tuple[str, str]:
    """Return source and text of a variant, each in one line, from where they differ."""
    source, text = _one_line(variant.source_text), _one_line(variant.text)
    pairs = enumerate(zip(source, text, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(source), len(text)))
    start = max(0, same - BEFORE)
    start = source.rfind(" ", 0, start) + 1  # at a word's beginning
    before = "…" if start else ""
    return before + source[start:], before + text[start:]


def _one_line(text: str) -> str:
    """Return `text` in one line, without control characters, marks of direction and secrets."""
    return " ".join("".join(c if c.isprintable() else " " for c in hidden(text)).split())


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
