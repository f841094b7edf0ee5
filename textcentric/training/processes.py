"""The processes of a training: which one prints, and how an interruption reaches all."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

# What handles a signal: a function, or one of the system's own ways.
Handling = Callable[[int, FrameType | None], object] | int | None
SIGNALS = (signal.SIGINT, signal.SIGTERM)
LAUNCH = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Interrupts:
    """Note the first signal in `asked`; the second one raises KeyboardInterrupt at once.

    Outside the main thread, where Python allows no handlers, nothing is noted.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Handling] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = {one: signal.signal(one, self._note) for one in SIGNALS}
        return self

    def __exit__(self, *exc: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler if handler is not None else signal.SIG_DFL)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def first_process() -> bool:
    """Say whether this process is the one that prints and writes."""
    return os.environ.get("RANK", "0") == "0"


def first_of_machine() -> bool:
    """Say whether this process is the first one on its machine."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def processes() -> int:
    """Return how many processes were launched together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def lone_on_cpu() -> bool:
    """Say whether `accelerate launch` started this process on a CPU: it never starts two there."""
    asked = os.environ.get("ACCELERATE_USE_CPU")
    if asked is None or processes() > 1:
        return False
    import torch

    return asked.lower() == "true" or not torch.accelerator.is_available()


def alone() -> bool:
    """Make the first process forget the others; False in those, which have nothing to do."""
    if not first_process():
        return False
    if processes() > 1:
        print(f"{processes()} processes were launched; one does all of this", file=sys.stderr)
    for name in LAUNCH:
        os.environ.pop(name, None)
    return True
