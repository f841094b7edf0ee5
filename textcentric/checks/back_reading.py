"""Reading back: a language model is asked how likely a source is, given its variant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from textcentric.checks.edit import Edit
from textcentric.checks.likelihood import back_reading
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.protocol import READING, Engine, Request
from textcentric.errors import RequestError


def back_reader(engine: Engine) -> Callable[[Sequence[Edit]], list[Edit]]:
    """Return what adds to edits how likely their sources are, as `engine` says."""
    named = engine.fingerprint()

    async def read_one(edit: Edit) -> Edit:
        turns, text = back_reading(edit)
        request = Request.of(turns, named, READING)
        try:
            return replace(edit, back=await engine.likelihood(request, text))
        except RequestError:  # too long for the model: the other checks decide
            return edit

    async def read_all(edits: Sequence[Edit]) -> list[Edit]:
        return list(await asyncio.gather(*map(read_one, edits)))

    return lambda edits: run_in_background(lambda: read_all(edits))
