"""An event loop in a thread of its own, for what synchronous code asks for.

It lives until Python ends, so an engine that a program made answers one run after another: much
of an engine (connections, vLLM's reader) belongs to the loop in which it was first used.
"""

from __future__ import annotations

import asyncio
import atexit
import queue
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

LOOK = 0.2  # seconds between two looks at whether the caller was interrupted
Result = TypeVar("Result")
_Living = tuple[threading.Thread, asyncio.AbstractEventLoop]
ENDING = threading.Event()
_living: list[_Living] = []
_stops: dict[threading.Thread, Callable[[], object]] = {}


def run_in_background(begin: Callable[[], Coroutine[object, None, Result]]) -> Result:
    """Run `begin()` in the background; what interrupts the caller cancels it and is raised."""
    thread, loop = _background()
    started: list[asyncio.Task[Result]] = []
    over = threading.Event()

    def start() -> None:
        started.append(loop.create_task(begin()))
        started[0].add_done_callback(lambda _: over.set())

    caller = _caller()
    loop.call_soon_threadsafe(start)
    try:
        while not over.wait(LOOK) and thread.is_alive():
            if caller is not None and caller.cancelling():  # how asyncio.run passes Ctrl-C on
                raise asyncio.CancelledError
    except BaseException:
        loop.call_soon_threadsafe(lambda: started[0].cancel())
        over.wait()
        with suppress(BaseException):  # the interruption says more than what came of it
            started[0].result()
        raise
    return started[0].result()


def in_background_or_here(begin: Callable[[], Coroutine[object, None, Result]]) -> Result:
    """Run `begin()` in the background loop where there is one, else in one of its own."""
    if _living and _living[0][0].is_alive():
        return asyncio.run_coroutine_threadsafe(begin(), _living[0][1]).result()
    return asyncio.run(begin())


async def off_loop(work: Callable[[], object]) -> None:
    """Do what takes its time in a thread; here, where Python is ending and starts none any more."""
    if ENDING.is_set():
        work()
    else:
        await asyncio.to_thread(work)


async def in_loop(
    loop: asyncio.AbstractEventLoop, begin: Callable[[], Coroutine[object, None, Result]]
) -> Result:
    """Await `begin()` in `loop`, which may be this one or one that runs in another thread."""
    if loop is asyncio.get_running_loop() or not loop.is_running():
        return await begin()
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(begin(), loop))


def _caller() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None  # no event loop is running here


def _background() -> _Living:
    """Return the thread and its loop; after a fork, or where it died, another one is started."""
    if not _living or not _living[0][0].is_alive():
        _living[:] = [_start()]
    return _living[0]


def _start() -> _Living:
    ready: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
    loops: list[asyncio.AbstractEventLoop] = []

    async def live() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        loops.append(loop)
        ready.put(lambda: loop.call_soon_threadsafe(stop.set))
        await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="textcentric", daemon=True)
    thread.start()
    _stops[thread] = ready.get()
    return thread, loops[0]


@atexit.register
def _end() -> None:
    """Let `asyncio.run` end what is left in each loop."""
    for thread, stop in _stops.items():
        if thread.is_alive():
            stop()
            thread.join(5)
