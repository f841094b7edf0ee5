"""Servers that answer anything: each reply is that request's affair, and the run goes on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.faults.scene import Scene, Tried, as_http, completion, counted
from textcentric.engines.openai import OpenAIEngine
from textcentric.engines.protocol import Message, Request, Sampling
from textcentric.errors import EngineError, RequestError

SEED = 21
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 10**400, "", "7", "x" * 5000, [], {}, [None], {"a": 1}),
    *(float("nan"), float("inf"), "\ud800", "\x1b]0;x\x07", [[[[]]]]),
)
PAUSES = ("", "x", "-5", "1e9", "nan", "Mon, 99 Nov 2026", "9" * 400, "0.01")
STATUSES = (200, 204, 302, 307, 400, 404, 409, 413, 422, 429, 500, 503, 529)
Mutation = Callable[[random.Random, dict[str, Any]], bytes]


def mutated(scene: Scene, seconds: float) -> Iterator[Tried]:
    """Ask a server with odd answers for `seconds` of each kind, in this process."""
    for kind, mutate in (("values in replies", values), ("bytes of replies", raw)):
        yield counted(kind, asyncio.run(_asked(scene, mutate, seconds)))
    scene.server.reply = None


def values(draw: random.Random, body: dict[str, Any]) -> bytes:
    """Return a completion with an odd value at a random place."""
    whole = completion(body)
    for _ in range(draw.randint(1, 3)):
        place = draw.choice(list(_places(whole)))
        place[0][place[1]] = draw.choice(ODD)
    return as_http(json.dumps(whole).encode())


def raw(draw: random.Random, body: dict[str, Any]) -> bytes:
    """Return bytes of a reply that are cut or changed, or a status with an odd pause."""
    if draw.random() < 0.5:
        status = draw.choice(STATUSES)
        return as_http(completion(body), status, Retry_After=draw.choice(PAUSES))
    reply = bytearray(as_http(completion(body)))
    for _ in range(draw.randint(1, 8)):
        reply[draw.randrange(len(reply))] = draw.randrange(256)
    return bytes(reply[: draw.randint(0, len(reply))] if draw.random() < 0.3 else reply)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container of a JSON value with a key or an index of it."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


async def _asked(scene: Scene, mutate: Mutation, seconds: float) -> list[str]:
    draw, outcomes = random.Random(SEED), []
    scene.server.reply = lambda body: mutate(draw, body)
    os.environ.setdefault("OPENAI_API_KEY", "sk-of-the-benchmark")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        options: dict[str, Any] = {"attempts": 2, "pause": 0.001, "longest_pause": 0.01}
        engine = OpenAIEngine("m", base_url=scene.server.url, timeout=5.0, **options)
        try:
            outcomes += [await _outcome(engine, number) for number in range(20)]
        finally:
            await engine.close()
    return outcomes


async def _outcome(engine: OpenAIEngine, number: int) -> str:
    """Return what was wrong: an error that is not the request's, or an answer that is no text."""
    request = Request((Message("user", f"Write {number}."),), "m", Sampling(max_tokens=16))
    try:
        answer = await engine.generate(request)
    except (RequestError, EngineError):
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    whole = isinstance(answer.text, str) and all(
        isinstance(n, int) and n >= 0 for n in (answer.prompt_tokens, answer.output_tokens)
    )
    return "" if whole else f"taken as an answer: {answer!r}"
