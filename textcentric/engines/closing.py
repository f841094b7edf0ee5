"""Engines that their owner forgets are closed, quietly, when Python ends.

They are closed before the background loop ends, in which most of them live.
"""

from __future__ import annotations

import asyncio
import atexit
import weakref
from contextlib import suppress

from textcentric.engines.event_loop import ENDING, in_background_or_here
from textcentric.engines.protocol import Engine

SECONDS = 10.0  # that an engine may take to close
_opened: weakref.WeakSet[Engine] = weakref.WeakSet()


def close_at_exit(engine: Engine) -> Engine:
    """Close `engine` when Python ends, unless it is gone by then; return it."""
    _opened.add(engine)
    return engine


@atexit.register
def close_forgotten() -> None:
    """Close what is still open; that nobody waits for it any more is no reason to complain."""
    ENDING.set()
    for engine in list(_opened):
        with suppress(Exception):
            in_background_or_here(lambda e=engine: asyncio.wait_for(e.close(), SECONDS))  # type: ignore
    _opened.clear()


def close_first() -> None:
    """Have forgotten engines closed before whatever was registered to happen at exit until now.

    An engine that has started processes of its own says so: multiprocessing ends those at exit,
    and vLLM would print a traceback of a core that died.
    """
    atexit.unregister(close_forgotten)
    atexit.register(close_forgotten)
