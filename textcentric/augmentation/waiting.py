"""Waiting for several answers of one row: an error of the row's own is an answer too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from textcentric.errors import DataError, PromptError, RequestError

ROW_ERRORS = (RequestError, PromptError, DataError)  # fail a row's outputs, never the run


async def all_of(asking: Sequence[Awaitable[Any]]) -> list[Any]:
    """Wait for all; a row's own error is a result, anything else that went wrong is raised."""
    if len(asking) == 1:  # which needs no task of its own
        try:
            return [await asking[0]]
        except ROW_ERRORS as error:
            return [error]
    results = await asyncio.gather(*asking, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, ROW_ERRORS):
            raise result
    return results
