"""Ask an engine once: answers come from the journal, from a request under way, or anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from typing import Any

from textcentric.engines.candidates import candidates, one_by_one
from textcentric.engines.protocol import Engine, Message, Request, Response
from textcentric.engines.reasoning import SPENT
from textcentric.errors import RequestError, StoppedError, cut, quoted
from textcentric.runs.counters import Metrics
from textcentric.runs.journal import Journal
from textcentric.values import Json, JsonSchema

CHARACTERS = 4  # of a token, where nobody counts
RESPONSE = [f.name for f in fields(Response)]
DEFAULTS = {f.name: f.default for f in fields(Response)}
_NUMBERS = ("seconds", "logprob")
_TEXTS = ("text", "finish", "reasoning")
KINDS: dict[str, Any] = dict.fromkeys(RESPONSE, int)
KINDS |= dict.fromkeys(_NUMBERS, int | float) | dict.fromkeys(_TEXTS, str)


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
        self._most = limits.concurrency + limits.ahead
        self._places = asyncio.Semaphore(self._most)
        self._taking = asyncio.Lock()
        self._running: dict[str, asyncio.Future[Response]] = {}

    async def ask(self, request: Request) -> Response:
        """Return the answer to `request`; raises what the engine raises, and SpentError."""
        key = request.key
        stored = self._stored(key)
        if stored is not None:
            self.metrics.reused += 1
            return stored
        running = self._running.get(key)
        if running is not None:
            self.metrics.reused += 1
            return await asyncio.shield(running)
        return (await self._send([request]))[0]

    async def several(self, request: Request, k: int) -> list[Response]:
        """Return the answers to the `k` candidates of `request`, as `ask` would return each.

        What is missing is asked for at once: the engine reads the prompt once for all of it.
        Raises ConfigError for more than one candidate at temperature 0.
        """
        if k == 1:
            return [await self.ask(request)]
        asked = candidates(request, k)
        missing = [i for i, candidate in enumerate(asked) if not self._knows(candidate.key)]
        answers: dict[int, Response] = {}
        for run in _runs(missing):
            responses = await self._send([asked[i] for i in run])
            answers.update(zip(run, responses, strict=True))
        return [answers.get(i) or await self.ask(candidate) for i, candidate in enumerate(asked)]

    def _knows(self, key: str) -> bool:
        return key in self._running or self._stored(key) is not None

    def _stored(self, key: str) -> Response | None:
        """Return a stored answer; one that is none, in a journal of others, is forgotten."""
        body = self.journal.get(key)
        if body is None:
            return None
        response = _response(body)
        if response is None:
            self.journal.forget(key)
        return response

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return the mean log-probability of `text` as the answer to `request`.

        None where the engine cannot say; raises what the engine raises, and SpentError.
        """
        key = request.likelihood_key(text)
        stored = self.journal.get(key)
        if isinstance(stored, dict) and isinstance(mean := stored.get("logprob"), int | float):
            self.metrics.reused += 1
            return float(mean)
        if stored is not None:
            self.journal.forget(key)
        self.metrics.waiting += 1
        try:
            async with self._places:
                mean = await self._read(request, text)
        finally:
            self.metrics.waiting -= 1
        if mean is not None:
            tokens = self._tokens_read(request, text)
            self.metrics.likelihoods += 1
            self.metrics.prompt_tokens += tokens
            self.journal.put(key, {"logprob": mean, "prompt_tokens": tokens})
        return mean

    async def _read(self, request: Request, text: str) -> float | None:
        if why := self.spent():
            raise SpentError(why)
        if not hasattr(self.engine, "likelihood"):  # an engine of the user's own
            return None
        self.metrics.enter(0)
        try:
            return await self.engine.likelihood(request, text)
        finally:
            self.metrics.leave(0)

    def _tokens_read(self, request: Request, text: str) -> int:
        """Return what the engine read, by a rule of thumb where only a server knows its tokens."""
        *before, last = request.messages
        begun = last.content if last.role == "assistant" else ""
        before = before if begun else [*before, last]
        tokens = self.engine.count_tokens((*before, Message("assistant", begun + text)))
        if tokens is not None:
            return tokens
        return sum(len(m.content) for m in (*request.messages, Message("", text))) // CHARACTERS

    async def _send(self, requests: Sequence[Request]) -> list[Response]:
        """Send the candidates of one request; journal and count what comes back."""
        loop, count = asyncio.get_running_loop(), len(requests)
        futures = {request.key: loop.create_future() for request in requests}
        self._running.update(futures)
        self.metrics.waiting += count
        try:
            async with self._places if count == 1 else self._room(count):
                responses = await self._generate(requests)
        except BaseException as error:
            for future in futures.values():
                _fail(future, error)
            raise
        finally:
            self.metrics.waiting -= count
            for key in futures:
                del self._running[key]
        for (key, future), response in zip(futures.items(), responses, strict=True):
            future.set_result(response)
            self.metrics.prompt_tokens += response.prompt_tokens
            self.metrics.cached_tokens += response.cached_tokens
            self.metrics.output_tokens += response.output_tokens
            self.journal.put(key, _body(response))
        return responses

    @asynccontextmanager
    async def _room(self, count: int) -> AsyncIterator[None]:
        """Hold as many places as there are answers; one caller at a time gathers them."""
        taken = 0
        try:
            async with self._taking:
                while taken < min(count, self._most):
                    await self._places.acquire()
                    taken += 1
            yield
        finally:
            for _ in range(taken):
                self._places.release()

    async def _generate(self, requests: Sequence[Request]) -> list[Response]:
        if why := self.spent():
            raise SpentError(why)
        self.metrics.enter(len(requests))
        try:
            if len(requests) == 1:
                return [await self.engine.generate(requests[0])]
            if not hasattr(self.engine, "several"):  # an engine of the user's own
                return await one_by_one(self.engine.generate, requests)
            return await self.engine.several(requests[0], len(requests))
        finally:
            self.metrics.leave(len(requests))

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
        if response.only_reasoned:
            raise RequestError(
                f"{SPENT}: {request.sampling.max_tokens}, twice", kind="reasoning", attempts=2
            )
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
            return f"{name}={quoted(value[name])} is none of {cut(rule['enum'])}", None
    return "", value


def _first(schema: JsonSchema) -> Any:
    return next(iter(schema.get("enum", ())), None)


def _another_try(request: Request) -> Request:
    sampling = request.sampling
    seed = ((sampling.seed or 0) + 1) % 2**31  # a greedy request has none, its second try must
    warm = replace(sampling, seed=seed, temperature=max(0.3, sampling.temperature))
    return replace(request, sampling=warm, sample=request.sample + 1_000_000)


def _response(body: Json) -> Response | None:
    """Return what `_body` stored as the answer it was; None for anything else."""
    if not isinstance(body, dict) or not body.keys() <= KINDS.keys() or "text" not in body:
        return None
    fits = all(isinstance(value, KINDS[name]) for name, value in body.items())
    return Response(**body) if fits else None  # type: ignore[arg-type]


def _body(response: Response) -> dict[str, Json]:
    """Return what of an answer is stored: its text, and what is not as a response has it anyway."""
    values = {name: getattr(response, name) for name in RESPONSE}
    return {n: v for n, v in values.items() if n == "text" or v != DEFAULTS[n]}


def _runs(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Yield the runs of consecutive `numbers`, which are in order."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _fail(future: asyncio.Future[Response], error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
    else:
        future.set_exception(error)
        future.exception()  # mark as retrieved: perhaps nobody else waits for it
