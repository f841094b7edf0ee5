"""Reading back: a language model is asked how likely a source is, given its variant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from textcentric.checks.edit import Edit
from textcentric.checks.likelihood import back_reading
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.protocol import READING, Engine, Request
from textcentric.errors import RequestError

Likelihood: TypeAlias = Callable[[Request, str], Awaitable[float | None]]
# The (role, text) turns that show a model the variant, and the source's tail as their answer.
Turns: TypeAlias = tuple[Sequence[tuple[str, str]], str]


async def read_back(
    edits: Sequence[Edit],
    fingerprint: Mapping[str, str],
    likelihood: Likelihood,
    turns: Callable[[Edit], Turns] = back_reading,
) -> list[Edit]:
    """Return `edits` with how likely each source is, given its variant, where the model says it.

    `likelihood` asks the engine of that `fingerprint`; `turns` says with which words.
    """

    async def read_one(edit: Edit) -> Edit:
        shown, text = turns(edit)
        request = Request.of(shown, fingerprint, READING)
        try:
            return replace(edit, back=await likelihood(request, text))
        except RequestError:  # too long for the model: the other checks decide
            return edit

    return list(await asyncio.gather(*map(read_one, edits)))


def back_reader(engine: Engine) -> Callable[[Sequence[Edit]], list[Edit]]:
    """Return what adds to edits how likely their sources are, as `engine` says."""
    named = engine.fingerprint()
    return lambda edits: run_in_background(lambda: read_back(edits, named, engine.likelihood))
