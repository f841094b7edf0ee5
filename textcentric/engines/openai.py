"""Any server that speaks OpenAI's chat protocol, vLLM's own above all.

Retries, with growing and jittered pauses, happen here and nowhere else, so that they are counted.
The key comes from the environment only; it is never logged, stored or part of an error.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from textcentric.engines.abilities import LACKS, Abilities, wishes
from textcentric.engines.address import as_base, variants_of
from textcentric.engines.candidates import candidates, check_candidates, one_by_one
from textcentric.engines.completions import Body, chat_body, digest_of, reading_bodies
from textcentric.engines.credentials import request_headers
from textcentric.engines.event_loop import in_loop
from textcentric.engines.protocol import Limits, Message, Request, Response, named
from textcentric.engines.replies import (
    Served,
    read_answers,
    read_models,
    read_usage,
    tail_logprob,
)
from textcentric.engines.server_faults import GATEWAY, Fault, malformed
from textcentric.engines.server_gone import useless
from textcentric.engines.transport import (
    LEAST,
    Transport,
    most_connections,
    most_of_an_answer,
)
from textcentric.errors import ConfigError, EngineError, RequestError, Say, listed, option
from textcentric.security.secrets import hidden

Answer = TypeVar("Answer")
URLS = ("TEXTCENTRIC_BASE_URL", "OPENAI_BASE_URL")
CHAT = "/chat/completions"
PROBE_SECONDS = 10.0
A_CHARACTER = 512  # bytes that vLLM may say of each character that it reads
STRANGER = 2  # attempts with an address at which nobody has ever answered


class OpenAIEngine:
    """Ask the server at `base_url` for `model`; `concurrency` requests at a time.

    `timeout` (of a whole call) and `pause` (of the first retry) are seconds; a longer pause that
    the server asks for with Retry-After is kept, up to `longest_pause`. `model` may be left out
    where the server serves one. `extra_body` is added to each request, and part of what decides
    its answer; `headers` go with each, and may name environment variables ($NAME).

    Raises:
        ConfigError: no address, neither given nor in the environment, or one that cannot be; a
            header or a field of the body that cannot be sent.

    >>> engine = OpenAIEngine("smollm2", base_url="http://127.0.0.1:8000/v1")
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        base_url: str | None = None,
        concurrency: int = 64,
        attempts: int = 5,
        timeout: float = 300.0,
        pause: float = 0.5,
        longest_pause: float = 60.0,
        context: int | None = None,
        revision: str = "",
        extra_body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        given = base_url or next((os.environ[n] for n in URLS if os.environ.get(n)), "")
        if not given.strip():
            raise ConfigError(
                f"the engine openai needs an address: give {option('base_url')}, or set {URLS[0]},"
                " to something like http://127.0.0.1:8000/v1"
            )
        if attempts < 1:
            raise ConfigError(f"attempts is {attempts}; it must be at least 1")
        self.given, self.base_url = given.strip(), as_base(given)
        self.model = str(model or "")
        self.revision = revision
        self.attempts, self.timeout = attempts, timeout
        self.pause, self.longest_pause = pause, longest_pause
        self.extra_body = dict(extra_body or {})
        self._asks = digest_of(self.extra_body)
        self.headers = dict(headers or {})
        request_headers(self.headers)  # what cannot be sent is said before anything is written
        self._limits = Limits(concurrency=concurrency, context=context)
        self._at_once = most_connections(concurrency)
        self._slots = asyncio.Semaphore(self._at_once)
        self._start = asyncio.Lock()
        self._server: Transport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # the connections belong to it
        self._is_vllm = False
        self._abilities = Abilities()
        self._told: set[str] = set()
        self.say: Say = lambda line: None
        self._dead: EngineError | None = None

    async def start(self) -> None:
        """Connect: ask which models are served and whether vLLM serves them.

        Raises:
            ConfigError: a key or header cannot be sent, or several models are served.
            EngineError: no server answers, it refuses the key, or it lacks the model.
        """
        async with self._start:
            if self._dead is not None:
                raise self._dead
            if self._server is not None:
                return
            headers = request_headers(self.headers)
            server = Transport(self.base_url, headers, seconds=self.timeout)
            try:
                await self._look_around(server)
            except BaseException:
                await server.close()
                raise
            self._tell_destination(server)
            self._server, self._loop = server, asyncio.get_running_loop()

    def _tell_destination(self, server: Transport) -> None:
        through = f", through the proxy {server.proxy.shown}" if server.proxy else ""
        self._tell(f"requests are sent to {self.base_url}{through}")
        if self._at_once < self._limits.concurrency:
            self._tell(
                f"{self._at_once} instead of {self._limits.concurrency} at once: this process may"
                " have too few open files for more (`ulimit -n`)"
            )

    async def _look_around(self, server: Transport) -> None:
        """Learn the model's name and the server's kind; a server may lack the list of models."""
        served = await self._find_models(server)
        names = [model.name for model in served]
        if not self.model:
            if len(names) != 1:
                raise ConfigError(
                    f"name the model; the server at {self.base_url} serves"
                    f" {listed(names) or 'an unknown number'}"
                )
            self.model = hidden(names[0])
        mine = next((m for m in served if m.name == self.model), None)
        self._is_vllm = any(model.owner == "vllm" for model in served)
        if self._is_vllm and mine is None:
            raise EngineError(
                f"the server at {self.base_url} serves {listed(names)}, not {self.model!r}",
                model=self.model,
            )
        if mine is not None and mine.context and self._limits.context is None:
            self._limits = Limits(self._limits.concurrency, mine.context)
        if (urlsplit(self.base_url).hostname or "").endswith("openai.com"):
            self._abilities.lacking.add("max_tokens")  # its newer models refuse it

    async def _find_models(self, server: Transport) -> list[Served]:
        """Return what the server serves, below the address or below its /v1."""
        for base in variants_of(self.base_url):
            server.base = base
            try:
                served = (await self._retry(lambda: self._models(server)))[0]
            except Fault as fault:
                if fault.status not in (404, 405) and fault.kind != "malformed":
                    raise await useless(fault, self.base_url, self.model) from fault
                continue
            if base != self.given.rstrip("/"):
                self._tell(f"the server answers at {base}: {option('base_url', base)}")
            self.base_url = base
            return served
        server.base = self.base_url
        return []

    async def _models(self, server: Transport) -> list[Served]:
        try:
            return read_models(await server.get("/models"))
        except ValueError as error:
            raise malformed(str(error)) from error

    async def generate(self, request: Request) -> Response:
        """Return the server's answer, after as many attempts as it takes and `attempts` allows."""
        return (await self.several(request, 1))[0]

    async def several(self, request: Request, k: int) -> list[Response]:
        """Return the answers to the candidates of `request`: those that `n` does not bring singly.

        Which seeds a server gives the answers of one call is its own business; vLLM adds 0 to n-1.
        """
        check_candidates(request, k)
        await self._connected()
        answers = (await self._complete(request, k if self._has("n") else 1))[:k]
        if len(answers) == k:
            return answers
        return answers + await one_by_one(self.generate, candidates(request, k)[len(answers) :])

    async def _connected(self) -> Transport:
        if self._server is None or self._dead is not None:
            await self.start()
        assert self._server is not None
        return self._server

    async def _complete(self, request: Request, n: int) -> list[Response]:
        """Ask once, with what the server may lack left out where it refuses that."""
        refused: list[str] = []
        while True:
            without = {*self._abilities.lacking, *refused}
            body = await self._body(request, n, without)
            wished = wishes(body, request, without)
            try:
                answers = await self._send(body, request, n)
                break
            except Fault as fault:
                refused.append(self._abilities.refused(fault, wished))
                if not refused[-1]:
                    raise await self._failed(fault) from fault
        for name in [*refused, *self._abilities.look_at(answers, wished)]:
            self._do_without(name)
        return answers

    async def _body(self, request: Request, n: int, without: set[str]) -> Body:
        body = await chat_body(request, self.model, vllm=self._is_vllm, without=without)
        if n > 1 and "n" not in without:
            body["n"] = n
        if "logprobs" not in without:
            body["logprobs"] = True
        return body | self.extra_body

    async def _failed(self, fault: Fault) -> EngineError | RequestError:
        """Return the error of a call that failed for good: of the server, or of the request."""
        of_one_row = fault.status == 403 and self._abilities.has_answered  # moderation, say
        if (fault.hopeless and not of_one_row) or await self._gone(fault):
            return await self._die(fault)
        if self._abilities.is_hopeless(fault):
            return await self._die(fault)
        attempts = self.attempts if fault.again else 1
        tries = f" (after {attempts} attempts)" if attempts > 1 else ""
        return RequestError(f"{fault}{tries}", kind=fault.kind, attempts=attempts)

    def _has(self, name: str) -> bool:
        return name not in self._abilities.lacking

    def _do_without(self, name: str) -> None:
        if self._has(name):
            self._abilities.lacking.add(name)
            self._tell(f"the server at {self.base_url} {LACKS[name]}")

    def _tell(self, line: str) -> None:
        """Tell people something once."""
        if line not in self._told:
            self._told.add(line)
            self.say(line)

    async def _send(self, body: Body, request: Request, n: int) -> list[Response]:
        """Return the answers to `body`; raises Fault."""
        started = time.perf_counter()
        prefill = request.messages[-1].content if request.messages[-1].role == "assistant" else ""
        most = most_of_an_answer(request.sampling.max_tokens, n)
        server = await self._connected()

        async def ask() -> list[Response]:
            reply = await server.post(CHAT, body, most=most)
            try:
                answers = read_answers(reply, prefill, hidden)
            except ValueError as error:
                raise malformed(str(error)) from error
            if read_usage(reply).odd:
                self._tell(
                    f"the server at {self.base_url} counts tokens in other than whole numbers from"
                    " 0 up: those count as 0"
                )
            return answers

        async with self._slots:
            answers, attempts = await self._retry(ask)
        seconds = time.perf_counter() - started
        return [replace(answer, attempts=attempts, seconds=seconds) for answer in answers]

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return the mean log-probability of `text` as the answer; only vLLM's servers say it."""
        if any(m.images for m in request.messages):
            return None
        server = await self._connected()
        if not self._is_vllm:
            self._do_without("likelihood")
        if not self._has("likelihood"):
            return None
        try:
            async with self._slots:
                mean, _ = await self._retry(lambda: self._read(server, request, text))
        except _LackingError:
            self._do_without("likelihood")
            return None
        except Fault as fault:
            raise await self._failed(fault) from fault
        self._abilities.granted.add("likelihood")
        return mean

    async def _read(self, server: Transport, request: Request, text: str) -> float | None:
        """Let the server read prompt and `text`; where the prompt ends its tokeniser says."""
        without = self._abilities.lacking
        before, reading = await reading_bodies(request, text, self.model, without=without)
        letters = sum(len(m.content) for m in request.messages) + len(text)
        most = LEAST + A_CHARACTER * letters
        try:
            prompt = await server.post("/tokenize", before, most=most, above=True)
            return tail_logprob(prompt, await server.post(CHAT, reading, most=most))
        except ValueError as error:
            fault = malformed(str(error))
        except Fault as error:
            if error.status not in (400, 404):
                raise
            fault = error
        if "likelihood" in self._abilities.granted:
            raise fault
        raise _LackingError

    async def _gone(self, fault: Fault) -> bool:
        """Say whether the server is gone, or failed this request alone.

        A request that reached nobody is never at fault. Where one was broken off, timed out or
        found a gateway without a server behind it, the server is asked for something small; and
        where a row was forbidden, whether that holds for everything.
        """
        if self._dead is not None or not fault.reached:
            return True
        if fault.kind not in ("connection", "timeout") and fault.status not in {403, *GATEWAY}:
            return False
        server = await self._connected()
        try:
            await server.get("/models", seconds=min(self.timeout, PROBE_SECONDS))
        except Fault as answer:
            refuses = answer.status in {401, 403, *GATEWAY}
            return refuses or answer.kind in ("connection", "timeout")
        return False

    async def _retry(self, call: Callable[[], Awaitable[Answer]]) -> tuple[Answer, int]:
        """Call until it works; return the result and the number of attempts; raises Fault."""
        attempt = 0
        while True:
            attempt += 1
            if self._dead is not None:
                raise self._dead
            try:
                return await call(), attempt
            except Fault as fault:
                known = fault.reached and fault.kind != "malformed"
                stranger = self._server is None and not known
                most = min(self.attempts, STRANGER) if stranger else self.attempts
                if fault.hopeless or not fault.again or attempt >= most:
                    raise
                await asyncio.sleep(self._pause_after(fault, attempt))

    def _pause_after(self, fault: Fault, attempt: int) -> float:
        """Return the seconds to wait: what the server asked for, or doubling with jitter."""
        grown: float = self.pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
        return min(max(grown, fault.pause), self.longest_pause)

    async def _die(self, fault: Fault) -> EngineError:
        if self._dead is None:
            error = await useless(fault, self.base_url, self.model)
            self._dead = self._dead or error
        return self._dead

    def limits(self) -> Limits:
        """Return how many requests are sent at once, and the context where the server told."""
        return self._limits

    def fingerprint(self) -> Mapping[str, str]:
        """Return what goes into keys: of a server's template only `extra_body` is known."""
        return named("openai", self.model, self.revision, self._asks)

    def count_tokens(self, messages: tuple[Message, ...]) -> int | None:
        """Return None: only the server knows its tokeniser."""
        return None

    async def close(self) -> None:
        """Close the connections."""
        server, self._server = self._server, None
        self._dead = self._dead or EngineError("the engine openai is closed", model=self.model)
        if server is not None and self._loop is not None:
            await in_loop(self._loop, server.close)

    async def __aenter__(self) -> OpenAIEngine:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


class _LackingError(Exception):
    """The server cannot say how likely a text is."""
