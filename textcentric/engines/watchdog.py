"""Ends an engine's processes once the program that started them is gone.

vLLM's core runs in processes of its own that wait for ever where their parent was killed
(`kill -9`, out of memory) and keep gigabytes. A tiny second process holds one end of a pipe; the
operating system closes the other end with the program, whatever ended it, and then the processes
that carry the program's mark in their environment are ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from uuid import uuid4

MARK = "TEXTCENTRIC_ENGINE_MARK"


class Watchdog:
    """Watch over the processes that start inside `marking()`, until `release()`."""

    def __init__(self) -> None:
        self.mark = uuid4().hex
        # -P: this folder's `openai.py` and `transformers.py` must not hide the real ones.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, self.mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the program alone
        )

    @contextmanager
    def marking(self) -> Iterator[None]:
        """Mark every process that this program starts inside the block."""
        # Renaming itself, vLLM's core would overwrite its environment: SPT_NOENV forbids that.
        names = {MARK: self.mark, "SPT_NOENV": "1"}
        resource_tracker.ensure_running()  # it outlives the engine, so it must not be marked
        with environment(names):
            yield

    def release(self) -> None:
        """End what is still there of the marked processes, and the watch itself."""
        self._process.communicate()


@contextmanager
def environment(names: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the length of a block."""
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def end_marked(mark: str) -> None:
    """Kill every process whose environment carries `mark`."""
    import psutil

    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                process.kill()
        except psutil.Error:
            continue  # gone meanwhile, or somebody else's


if __name__ == "__main__":
    sys.stdin.buffer.read()  # returns when the program has ended or released us
    end_marked(sys.argv[1])
