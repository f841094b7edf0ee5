"""Any server that speaks OpenAI's chat protocol, vLLM's own above all.

Retries, with growing and jittered pauses, happen here and nowhere else, so that they are counted.
The key comes from the environment only; it is never logged, stored or part of an error.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textcentric.engines.candidates import candidates, check_candidates, one_by_one
from textcentric.engines.completions import (
    Body,
    chat_body,
    read_answers,
    reading_bodies,
    tail_logprob,
)
from textcentric.engines.event_loop import in_loop
from textcentric.engines.protocol import Limits, Message, Request, Response, named
from textcentric.errors import ConfigError, EngineError, RequestError, Say, option

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Model as ServedModel

Answer = TypeVar("Answer")
KEYS = ("TEXTCENTRIC_API_KEY", "OPENAI_API_KEY")  # the first that is set; README names the last
URLS = ("TEXTCENTRIC_BASE_URL", "OPENAI_BASE_URL")
_RETRIED = frozenset({None, 408, 409, 425, 429, 500, 502, 503, 504})
_GATEWAY = frozenset({502, 503, 504})  # what stands before the server, or itself: nobody is there
CONNECT_SECONDS, PROBE_SECONDS = 10.0, 10.0
_REFUSALS = frozenset({"http_400", "http_422", "http_501"})
_WORD = re.compile(r"\w+")
_LACKS = {
    "logprobs": "gives no log-probabilities with its answers: checks do without them",
    "n": "gives one answer a request: further candidates are asked for one by one",
    "likelihood": "cannot say how likely a given text is: checks do without it",
}
_TOO_LONG = ("maximum context length", "context_length_exceeded", "max_model_len")


class OpenAIEngine:
    """Ask the server at `base_url` for `model`; `concurrency` requests at a time.

    `timeout` and `pause` (of the first retry) are seconds; a longer pause that the server asks
    for with Retry-After is kept, up to `longest_pause`. `model` may be left out where the server
    serves one.

    Raises:
        ConfigError: no address, neither given nor in the environment.

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
    ) -> None:
        self.base_url = base_url or next((os.environ[n] for n in URLS if os.environ.get(n)), "")
        if not self.base_url:
            raise ConfigError(
                f"the engine openai needs an address: give {option('base_url')}, or set {URLS[0]},"
                " to something like http://127.0.0.1:8000/v1"
            )
        self.model = str(model or "")
        self.revision = revision
        self.attempts, self.timeout = attempts, timeout
        self.pause, self.longest_pause = pause, longest_pause
        self._limits = Limits(concurrency=concurrency, context=context)
        self._slots = asyncio.Semaphore(concurrency)
        self._start = asyncio.Lock()
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None  # the connections belong to it
        self._is_vllm = False
        self._granted: set[str] = set()  # of `_LACKS`, what the server has given
        self._lacking: set[str] = set()  # and what it is not asked for any more
        self.say: Say = lambda line: None
        self._dead: EngineError | None = None

    async def start(self) -> None:
        """Connect: ask which models are served and whether vLLM serves them.

        Raises:
            EngineError: no server answers, it refuses the key, or it lacks the model.
        """
        async with self._start:
            if self._dead is not None:
                raise self._dead
            if self._client is not None:
                return
            client = self._connect()
            try:
                await self._look_around(client)
            except BaseException:
                await client.close()
                raise
            self._client, self._loop = client, asyncio.get_running_loop()

    def _connect(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI, Timeout

        key = os.environ.get(_key_variable()) or "EMPTY"
        timeout = Timeout(self.timeout, connect=min(self.timeout, CONNECT_SECONDS))
        return AsyncOpenAI(api_key=key, base_url=self.base_url, max_retries=0, timeout=timeout)

    async def _look_around(self, client: AsyncOpenAI) -> None:
        """Learn the model's name and the server's kind; a server may lack the list of models."""
        import openai

        try:
            served = await self._served(client)
        except _HopelessError as cause:
            if isinstance(cause.__cause__, openai.NotFoundError):
                served = []
            else:
                raise self._engine_error(cause.__cause__ or cause) from cause
        except (openai.APIError, ValueError) as cause:
            raise self._engine_error(cause) from cause
        names = [model.id for model in served]
        if not self.model:
            if len(names) != 1:
                raise ConfigError(
                    f"name the model; the server at {self.base_url} serves"
                    f" {', '.join(names) or 'an unknown number'}"
                )
            self.model = names[0]
        mine = next((m for m in served if m.id == self.model), None)
        self._is_vllm = any(getattr(m, "owned_by", "") == "vllm" for m in served)
        if self._is_vllm and mine is None:
            raise EngineError(
                f"the server at {self.base_url} serves {', '.join(names)}, not {self.model!r}",
                model=self.model,
            )
        context = getattr(mine, "max_model_len", None)
        if context and self._limits.context is None:
            self._limits = Limits(self._limits.concurrency, context)

    async def _served(self, client: AsyncOpenAI) -> list[ServedModel]:
        async def ask() -> list[ServedModel]:
            models = getattr(await client.models.list(), "data", None)
            if models is None:
                raise ValueError("/models is not a list of models")
            return list(models)

        return (await self._retry(ask))[0]

    async def generate(self, request: Request) -> Response:
        """Return the server's answer, after as many attempts as it takes and `attempts` allows."""
        return (await self.several(request, 1))[0]

    async def several(self, request: Request, k: int) -> list[Response]:
        """Return the answers to the candidates of `request`: those that `n` does not bring singly.

        Which seeds a server gives the answers of one call is its own business; vLLM adds 0 to n-1.
        """
        check_candidates(request, k)
        if self._client is None or self._dead is not None:
            await self.start()
        answers = (await self._complete(request, k if self._has("n") else 1))[:k]
        if len(answers) == k:
            return answers
        return answers + await one_by_one(self.generate, candidates(request, k)[len(answers) :])

    async def _complete(self, request: Request, n: int) -> list[Response]:
        """Ask once, with what the server may lack left out where it refuses that."""
        newer = "openai.com" in self.base_url
        body = await chat_body(request, self.model, vllm=self._is_vllm, newer=newer)
        prefill = request.messages[-1].content if request.messages[-1].role == "assistant" else ""
        wishes: Body = {"logprobs": True} if self._has("logprobs") else {}
        wishes |= {"n": n} if n > 1 else {}
        refused: list[str] = []
        while True:
            try:
                answers = await self._send({**body, **wishes}, prefill)
                break
            except RequestError as error:
                refused.append(self._refused(error, wishes))
                if not refused[-1]:
                    raise
                del wishes[refused[-1]]
        for name in refused:
            self._do_without(name)
        self._look_at(answers, wishes)
        return answers

    def _refused(self, error: RequestError, wishes: Body) -> str:
        """Return which of `wishes` a refusal is about, empty where it is about the request."""
        doubtful = [name for name in wishes if name not in self._granted]
        if error.kind not in _REFUSALS or not doubtful:
            return ""
        return next((name for name in doubtful if name in _WORD.findall(str(error))), doubtful[-1])

    def _look_at(self, answers: Sequence[Response], wishes: Body) -> None:
        """Note which wishes were granted, and do without those that were ignored."""
        granted = {
            "logprobs": any(answer.logprob is not None for answer in answers),
            "n": len(answers) > 1,
        }
        for name in wishes:
            if granted[name]:
                self._granted.add(name)
            elif name not in self._granted and any(answer.text for answer in answers):
                self._do_without(name)

    def _has(self, name: str) -> bool:
        return name not in self._lacking

    def _do_without(self, name: str) -> None:
        if self._has(name):
            self._lacking.add(name)
            self.say(f"the server at {self.base_url} {_LACKS[name]}")

    async def _send(self, body: Body, prefill: str) -> list[Response]:
        started = time.perf_counter()

        async def ask() -> list[Response]:
            return read_answers(await self._client.chat.completions.create(**body), prefill)

        async with self._slots:
            answers, attempts = await self._answer(ask)
        seconds = time.perf_counter() - started
        return [replace(answer, attempts=attempts, seconds=seconds) for answer in answers]

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return the mean log-probability of `text` as the answer; only vLLM's servers say it."""
        if any(m.images for m in request.messages):
            return None
        if self._client is None or self._dead is not None:
            await self.start()
        if not self._is_vllm:
            self._do_without("likelihood")
        if not self._has("likelihood"):
            return None
        try:
            async with self._slots:
                mean, _ = await self._answer(lambda: self._read(request, text))
        except _LackingError:
            self._do_without("likelihood")
            return None
        self._granted.add("likelihood")
        return mean

    async def _read(self, request: Request, text: str) -> float | None:
        """Let the server read prompt and `text`; where the prompt ends its tokeniser says."""
        import openai

        tokenize = self.base_url.rstrip("/").removesuffix("/v1") + "/tokenize"
        before, reading = await reading_bodies(request, text, self.model)
        try:
            prompt = await self._client.post(tokenize, cast_to=object, body=before)
            answer = await self._client.chat.completions.create(**reading)
            return tail_logprob(prompt, answer)
        except (openai.NotFoundError, openai.BadRequestError, LookupError, TypeError) as cause:
            if "likelihood" in self._granted:
                raise ValueError(_reason(cause)) from cause
            raise _LackingError from cause

    async def _answer(self, ask: Callable[[], Awaitable[Answer]]) -> tuple[Answer, int]:
        import openai

        try:
            return await self._retry(ask)
        except _HopelessError as cause:
            raise self._die(cause.__cause__ or cause) from cause
        except (openai.APIError, ValueError) as cause:
            if await self._gone(cause):
                raise self._die(cause) from cause
            raise self._request_error(cause, _kind(cause)) from cause

    async def _gone(self, error: Exception) -> bool:
        """Say whether the server is gone, or failed this request alone.

        A request that reached nobody is never at fault. Where one was broken off, timed out or
        found a gateway without a server behind it, the server is asked for something small.
        """
        import openai

        if self._dead is not None or _found_nobody(error):
            return True
        if not isinstance(error, openai.APIConnectionError) and _status(error) not in _GATEWAY:
            return False
        try:
            await self._client.with_options(timeout=min(self.timeout, PROBE_SECONDS)).models.list()
        except openai.APIConnectionError:
            return True
        except openai.APIError as answer:
            return _status(answer) in _GATEWAY
        except ValueError:
            return False  # whatever it was, it answered
        return False

    async def _retry(self, call: Callable[[], Awaitable[Answer]]) -> tuple[Answer, int]:
        """Call until it works; return the result and the number of attempts."""
        import openai

        for attempt in range(1, self.attempts + 1):
            if self._dead is not None:
                raise self._dead
            try:
                result = await call()
            except (openai.APIError, ValueError) as error:
                if _is_hopeless(error):
                    raise _HopelessError from error
                if attempt == self.attempts or _status(error) not in _RETRIED:
                    raise
                await asyncio.sleep(self._pause_after(error, attempt))
            else:
                return result, attempt
        raise ConfigError(f"attempts is {self.attempts}; it must be at least 1")

    def _die(self, cause: BaseException) -> EngineError:
        self._dead = self._dead or self._engine_error(cause)
        return self._dead

    def _pause_after(self, error: Exception, attempt: int) -> float:
        """Return the seconds to wait: what the server asked for, or doubling with jitter."""
        grown: float = self.pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
        return min(max(grown, _asked_pause(error)), self.longest_pause)

    def _engine_error(self, cause: BaseException) -> EngineError:
        return EngineError(
            f"the server at {self.base_url} cannot be used: {_reason(cause)}; check that it runs,"
            f" its address and the key in {_key_variable()}",
            model=self.model or None,
        )

    def _request_error(self, cause: Exception, kind: str) -> RequestError:
        attempts = self.attempts if _status(cause) in _RETRIED else 1
        return RequestError(
            f"the server gave no usable answer after {attempts} attempts: {_reason(cause)}",
            kind=kind,
            attempts=attempts,
        )

    def limits(self) -> Limits:
        """Return how many requests are sent at once, and the context where the server told."""
        return self._limits

    def fingerprint(self) -> Mapping[str, str]:
        """Return what goes into keys; a server's template is unknown, so it has no digest."""
        return named("openai", self.model, self.revision)

    def count_tokens(self, messages: tuple[Message, ...]) -> int | None:
        """Return None: only the server knows its tokeniser."""
        return None

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        self._dead = self._dead or EngineError("the engine openai is closed", model=self.model)
        if client is not None and self._loop is not None:
            await in_loop(self._loop, client.close)

    async def __aenter__(self) -> OpenAIEngine:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


class _LackingError(Exception):
    """The server cannot say how likely a text is."""


class _HopelessError(Exception):
    """No request can succeed: the key, the model or the account is refused."""


def _is_hopeless(error: Exception) -> bool:
    if _status(error) in (401, 403, 404):
        return True
    return getattr(error, "code", None) == "insufficient_quota"


def _found_nobody(error: Exception) -> bool:
    """Say whether no connection came about at all (half a body means that somebody was there)."""
    return type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout")


def _kind(error: Exception) -> str:
    """Return the kind under which a request's failure is counted."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return "timeout"
    if isinstance(error, openai.APIConnectionError):
        return "connection"
    if not isinstance(error, openai.APIStatusError):
        return "malformed"
    too_long = any(words in str(error) for words in _TOO_LONG)
    return "too_long" if too_long else f"http_{error.status_code}"


def _asked_pause(error: Exception) -> float:
    """Return the seconds that Retry-After asks for (a number or a date), else 0."""
    response = getattr(error, "response", None)
    asked = response.headers.get("retry-after", "") if response is not None else ""
    if asked.replace(".", "", 1).isdigit():
        return float(asked)
    if not asked:
        return 0.0
    try:
        when = parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _status(error: BaseException) -> int | None:
    """Return the HTTP status; None where no usable answer came at all, which is worth a retry."""
    import openai

    return error.status_code if isinstance(error, openai.APIStatusError) else None


def _key_variable() -> str:
    """Return the variable that holds the key, or is to hold it."""
    return next((name for name in KEYS if os.environ.get(name)), KEYS[-1])


def _reason(error: BaseException) -> str:
    """Return the error in one line; a server may repeat the key in it: left out."""
    key = os.environ.get(_key_variable())
    if _status(error) in (401, 403):
        refused = "was refused" if key else "is missing"
        return f"{type(error).__name__}: the key {refused} (HTTP {_status(error)})"
    cause = error.__cause__ if _status(error) is None and error.__cause__ else error
    told = str(cause).replace(key, "(the key)") if key else str(cause)
    text = " ".join(told.split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
