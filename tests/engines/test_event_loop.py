"""The event loop in the background: one for all calls, interrupted with its caller."""

from __future__ import annotations

import asyncio
import threading

import pytest

from textcentric.engines.event_loop import in_loop, run_in_background


async def where() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_one_loop_serves_one_call_after_another() -> None:
    assert run_in_background(where) is run_in_background(where)


def test_an_error_comes_out_as_it_is() -> None:
    async def broken() -> None:
        raise ZeroDivisionError("a fault")

    with pytest.raises(ZeroDivisionError, match="a fault"):
        run_in_background(broken)


def test_a_cancelled_caller_cancels_what_it_asked_for() -> None:
    ended: list[str] = []
    begun = threading.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    async def caller() -> None:
        task = asyncio.current_task()
        assert task is not None
        canceller = threading.Thread(target=lambda: begun.wait(10) and task.cancel())
        canceller.start()
        run_in_background(long)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(caller())
    assert ended == ["cleaned up"]


def test_a_loop_in_another_thread_is_asked_from_here() -> None:
    loop = run_in_background(where)
    assert asyncio.run(in_loop(loop, where)) is loop


def test_a_loop_that_has_ended_is_stood_in_for() -> None:
    ended = asyncio.run(where())
    assert asyncio.run(in_loop(ended, where)) is not ended
