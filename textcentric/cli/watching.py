"""What a long job shows on stderr: messages, and a live line while an LLM is asked."""

from __future__ import annotations

import time
from contextlib import ExitStack

from textcentric.cli.progress import Progress
from textcentric.cli.run_augment import say

STALE = 2.0  # seconds without a change after which a run is over; it changes four times in one


class Watching:
    """Messages and the progress of one LLM run after another, none in the other's way."""

    def __init__(self, *, quiet: bool = False):
        self.quiet = quiet
        self._open = ExitStack()
        self._now: Progress | None = None

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def watch(self, total: int) -> Progress:
        """Return what shows a run of `total` rows; the one before it is over."""
        self.close()
        self._now = self._open.enter_context(Progress(total, quiet=self.quiet))
        return self._now

    def say(self, line: str) -> None:
        """Print a message for people, above the live line if there is one."""
        if self._now is not None and time.monotonic() - self._now.changed > STALE:
            self.close()
        if not self.quiet:
            (self._now.say if self._now is not None else say)(line)

    def close(self) -> None:
        """Take the live line away."""
        self._open.close()
        self._now = None
