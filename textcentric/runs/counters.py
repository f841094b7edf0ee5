"""Counters of a run, and the line a second that `metrics.jsonl` keeps of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from textcentric.security import files

METRICS = "metrics.jsonl"
INTERVAL = 1.0  # seconds between two lines
LONGEST_LINE = 4096  # bytes
MOST_COUNTED = 10**18
COUNTED = frozenset(
    "capacity rows accepted rejected failed sent reused likelihoods in_flight prompt_tokens"
    " cached_tokens output_tokens".split()
)
GROWING = ("t", "rows", "sent", "reused")  # within one process; where one falls, another began
Steps = Callable[[str, int, int], None]  # what is being done, so many of so many
Bottleneck = Literal["engine", "driver", "none"]


@dataclass
class Metrics:
    """What happened so far; all counts are cumulative over this process.

    `starved` and `full` count seconds in which the engine had room, or had none: where it was
    starved most of the time the driver was the bottleneck, else the engine was.
    """

    capacity: int = 1
    admitted: int = 0
    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    sent: int = 0
    reused: int = 0
    likelihoods: int = 0  # asked of the engine; what was sent counts answers alone
    waiting: int = 0  # requests without an answer yet, those in flight among them
    in_flight: int = 0
    describing: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    starved: float = 0.0
    full: float = 0.0
    first_answer: float | None = None  # seconds until the engine had started and answered
    on_leave: Callable[[], None] = lambda: None
    _started: float = field(default_factory=time.monotonic)
    _since: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Return the seconds since the run started in this process."""
        return time.monotonic() - self._started

    @property
    def busy_seconds(self) -> float:
        """Return the seconds since the first answer: what rates are measured over."""
        return 0.0 if self.first_answer is None else self.seconds - self.first_answer

    def enter(self, answers: int = 1) -> None:
        """Note that a request goes to the engine, for so many answers; for none, to read."""
        self._account()
        self.in_flight += answers or 1
        self.sent += answers

    def leave(self, answers: int = 1) -> None:
        """Note that a request came back from the engine."""
        if self.first_answer is None:
            self.first_answer = self.seconds
            self._since = time.monotonic()  # the engine's start is nobody's idle time
            self.full = self.starved = 0.0
        self._account()
        self.in_flight -= answers or 1
        self.on_leave()

    def bottleneck(self) -> Bottleneck:
        """Say which side limited this process."""
        return bottleneck(self.reading())

    def reading(self) -> dict[str, float]:
        """Return the present counts under the names of `metrics.jsonl`."""
        counts = {k: v for k, v in vars(self).items() if k in COUNTED}
        counts["starved"], counts["full"] = round(self.starved, 3), round(self.full, 3)
        return {"t": round(self.seconds, 3), **counts}

    def append(self, path: Path) -> None:
        """Append one line to `path`."""
        line = json.dumps(self.reading()) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(files.open_real(path, flags), "a", encoding="utf-8") as file:
            file.write(line)

    def _account(self) -> None:
        now = time.monotonic()
        if self.in_flight >= self.capacity:
            self.full += now - self._since
        else:
            self.starved += now - self._since
        self._since = now


def bottleneck(counts: Mapping[str, float]) -> Bottleneck:
    """Say which side limited a run, by how long the engine had free places."""
    if not counts["sent"]:
        return "none"
    return "engine" if counts["full"] >= counts["starved"] else "driver"


def added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Return the sum of two readings, name by name.

    >>> added({"sent": 1}, {"sent": 2, "reused": 3})
    {'sent': 3, 'reused': 3}
    """
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def ranked(counts: Mapping[str, int]) -> str:
    """Return counts as people read them, the highest first.

    >>> ranked({"loop": 1, "new word": 2})
    'new word 2, loop 1'
    """
    often = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {n}" for name, n in often)


def spent(path: Path) -> dict[str, float]:
    """Return what all processes that wrote to `path` counted: the sum of their last lines.

    Killed ones are among them: they left a line a second.
    """
    total: dict[str, float] = {}
    last: dict[str, float] = {}
    for line in readings(path):
        if any(line.get(name, 0) < last.get(name, 0) for name in GROWING):
            total = added(total, last)  # another process begins to count
        last = line
    return added(total, last)


def readings(path: Path) -> Iterator[dict[str, float]]:
    """Yield the lines of `path`; a process that runs or was killed may have left half a line.

    What is no number that can be counted with is left out, as is a line longer than ours are.
    Raises RunError where `path` is a link or a pipe.
    """
    try:
        file = files.reading(path)
    except OSError:
        return
    with file:
        while line := file.readline(LONGEST_LINE):
            try:
                values = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(values, dict) and countable(values.get("t")):
                yield {name: value for name, value in values.items() if countable(value)}


def countable(value: object) -> bool:
    """Say whether `value` is a number that a run can have counted: no truth, infinity or NaN."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < MOST_COUNTED  # type: ignore[arg-type]
