"""An engine that its owner forgot is closed when Python ends, and nothing is printed."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from textcentric.engines import ScriptedEngine
from textcentric.engines.closing import close_at_exit
from textcentric.engines.event_loop import off_loop, run_in_background

class Heard(ScriptedEngine):
    async def close(self):
        await off_loop(lambda: print("closed", flush=True))
        {failing}

async def use():
    await asyncio.sleep(0)

engine = close_at_exit(Heard())
{use}
"""


@pytest.mark.parametrize("use", ["run_in_background(use)", "asyncio.run(use())"])
@pytest.mark.parametrize("failing", ["pass", "raise RuntimeError('Event loop is closed')"])
def test_a_forgotten_engine_is_closed_quietly(use: str, failing: str) -> None:
    code = PROGRAM.format(use=use, failing=failing)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed\n", "")


def test_an_engine_that_is_gone_is_not_kept_alive() -> None:
    from textcentric.engines import open_engine
    from textcentric.engines.closing import _opened

    before = len(_opened)
    engine = open_engine("scripted")
    assert len(_opened) == before + 1
    del engine
    assert len(_opened) == before


STARTED = """
import atexit
from textcentric.engines import ScriptedEngine
from textcentric.engines.closing import close_at_exit, close_first

class Heard(ScriptedEngine):
    async def close(self):
        print("closed", flush=True)

engine = close_at_exit(Heard())
atexit.register(print, "its processes are ended")
close_first()
"""


def test_an_engine_is_closed_before_the_processes_that_it_started_are_ended() -> None:
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["closed", "its processes are ended"]
