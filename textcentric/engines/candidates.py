"""Several answers to one request: each is the answer to a request of its own.

Candidate 0 is the request itself; candidate i has the seed and the sample index plus i. So a
candidate has a key, and asking for five after three asks for two.
"""

from __future__ import annotations

import math
from asyncio import TaskGroup
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

from textcentric.engines.protocol import Request, Response
from textcentric.errors import ConfigError

Generate = Callable[[Request], Coroutine[object, None, Response]]
LEAST = -100.0  # servers write -9999 for a token that is out of sight


def candidates(request: Request, k: int) -> list[Request]:
    """Return `k` requests that differ in seed and sample index only; raises ConfigError."""
    check_candidates(request, k)
    return [request, *(_candidate(request, i) for i in range(1, k))]


def check_candidates(request: Request, k: int) -> None:
    """Raise ConfigError for more than one answer at temperature 0, where all are the same."""
    if k > 1 and not request.sampling.temperature:
        raise ConfigError(
            f"{k} candidates at temperature 0 are {k} times the same answer; expected a"
            " temperature above 0, or one candidate"
        )


def _candidate(request: Request, i: int) -> Request:
    seed = request.sampling.seed
    sampling = replace(request.sampling, seed=None if seed is None else seed + i)
    return replace(request, sampling=sampling, sample=request.sample + i)


async def one_by_one(generate: Generate, requests: Sequence[Request]) -> list[Response]:
    """Ask for each of `requests` on its own, all at once; raise the first error."""
    try:
        async with TaskGroup() as group:
            tasks = [group.create_task(generate(request)) for request in requests]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


def mean_logprob(logprobs: Sequence[float]) -> float | None:
    """Return the mean of tokens' log-probabilities, None of none.

    >>> mean_logprob([-1.0, -2.0])
    -1.5
    """
    if not logprobs:
        return None
    mean = math.fsum(max(value, LEAST) for value in logprobs) / len(logprobs)
    return round(mean, 4) if math.isfinite(mean) else None
