"""Ask an engine once: answers come from the journal, from a request under way, or anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from textcentric.engines.protocol import Engine, Request, Response
from textcentric.errors import RequestError, StoppedError
from textcentric.runs.counters import Metrics
from textcentric.runs.journal import Journal
from textcentric.values import Json, JsonSchema

RESPONSE = [f.name for f in fields(Response)]


class SpentError(StoppedError):
    """A request that was not sent, because what the run may spend is spent."""


class Answers:
    """Wrap an engine so that no journalled or running request is ever sent again.

    Requests wait here, not in the engine: what `spent` gives a reason for is never sent.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        metrics: Metrics,
        spent: Callable[[], str] = lambda: "",
    ):
        self.engine = engine
        self.journal = journal
        self.metrics = metrics
        self.spent = spent
        limits = engine.limits()
        self._places = asyncio.Semaphore(limits.concurrency + limits.ahead)
        self._running: dict[str, asyncio.Future[Response]] = {}

    async def ask(self, request: Request) -> Response:
        """Return the answer to `request`; raises what the engine raises, and SpentError."""
        key = request.key
        stored = self.journal.get(key)
        if stored is not None:
            self.metrics.reused += 1
            return Response(**stored)
        running = self._running.get(key)
        if running is not None:
            self.metrics.reused += 1
            return await asyncio.shield(running)
        return await self._send(key, request)

    async def _send(self, key: str, request: Request) -> Response:
        future = self._running[key] = asyncio.get_running_loop().create_future()
        self.metrics.waiting += 1
        try:
            async with self._places:
                response = await self._generate(request)
        except BaseException as error:
            _fail(future, error)
            raise
        finally:
            self.metrics.waiting -= 1
            del self._running[key]
        future.set_result(response)
        self.metrics.prompt_tokens += response.prompt_tokens
        self.metrics.cached_tokens += response.cached_tokens
        self.metrics.output_tokens += response.output_tokens
        self.journal.put(key, _body(response))
        return response

    async def _generate(self, request: Request) -> Response:
        if why := self.spent():
            raise SpentError(why)
        self.metrics.enter()
        try:
            return await self.engine.generate(request)
        finally:
            self.metrics.leave()

    async def ask_json(self, request: Request) -> tuple[Any, list[Request]]:
        """Return the answer parsed by the request's schema, and the requests that led to it.

        An answer that does not fit is asked for once more under another seed; then RequestError.
        """
        asked = [request]
        for attempt in (1, 2):
            response = await self.ask(asked[-1])
            problem, value = parse_json(response.text, request.schema or {})
            if not problem:
                return value, asked
            if attempt == 1:
                asked.append(_another_try(request))
        raise RequestError(
            f"the answer does not fit its schema twice ({problem}): {response.text[:120]!r}",
            kind="schema",
            attempts=2,
        )


def parse_json(text: str, schema: JsonSchema) -> tuple[str, Any]:
    """Return (what is wrong, value); the JSON object or list may have prose around it.

    Required keys and enumerations are checked, which is what a prompt's schema uses.
    """
    opening, closing = "[]" if isinstance(_first(schema), list) else "{}"
    start, end = text.find(opening), text.rfind(closing)
    try:
        value = json.loads(text[start : end + 1]) if start >= 0 else None
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}", None
    if value is None:
        return f"no {opening}{closing} in it", None
    if "enum" in schema:
        return ("" if value in schema["enum"] else "none of the allowed values"), value
    for name in schema.get("required", ()):
        if name not in value:
            return f"lacks {name!r}", None
    for name, rule in schema.get("properties", {}).items():
        if name in value and "enum" in rule and value[name] not in rule["enum"]:
            return f"{name}={value[name]!r} is none of {rule['enum']}", None
    return "", value


def _first(schema: JsonSchema) -> Any:
    return next(iter(schema.get("enum", ())), None)


def _another_try(request: Request) -> Request:
    sampling = request.sampling
    seed = ((sampling.seed or 0) + 1) % 2**31  # a greedy request has none, its second try must
    warm = replace(sampling, seed=seed, temperature=max(0.3, sampling.temperature))
    return replace(request, sampling=warm, sample=request.sample + 1_000_000)


def _body(response: Response) -> dict[str, Json]:
    values = {name: getattr(response, name) for name in RESPONSE}
    return {name: v for name, v in values.items() if name == "text" or v not in ("", 0)}


def _fail(future: asyncio.Future[Response], error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
    else:
        future.set_exception(error)
        future.exception()  # mark as retrieved: perhaps nobody else waits for it
