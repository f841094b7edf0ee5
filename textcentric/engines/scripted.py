"""Canned answers behind the engine protocol: for tests, and for measuring what the driver costs.

The answer is a string, a mapping or a function of the request; it may also be an exception, which
is raised. Nothing is random: the same request gives the same answer.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping

from textcentric.engines.candidates import candidates, one_by_one
from textcentric.engines.protocol import Limits, Message, Request, Response, named
from textcentric.engines.reasoning import split_reasoning
from textcentric.errors import ConfigError, EngineError, RequestError, quoted

Said = str | Response | Exception
Likelihood = float | None | Callable[[Request, str], float | None]
Answer = str | Exception | Mapping[str, Said] | Callable[[Request], Said | Awaitable[Said]]


class ScriptedEngine:
    """Answer every request from `answer`, after `delay` seconds, `concurrency` at a time.

    A mapping is looked up with the last user turn: the first of its keys that the turn contains
    decides. An exception as an answer is raised (`RequestError` fails the request, `EngineError`
    the engine). `requests` keeps what was asked, unless `keep` is off. `likelihood` is what
    `likelihood` answers, or a function of request and text.

    >>> engine = ScriptedEngine({"Misspell": "A clam dog."})
    """

    def __init__(
        self,
        answer: Answer = "A scripted answer.",
        *,
        delay: float = 0.0,
        concurrency: int = 64,
        context: int | None = None,
        model: str = "scripted",
        revision: str = "1",
        keep: bool = True,
        likelihood: Likelihood = None,
    ) -> None:
        if not (isinstance(answer, str | Exception | Mapping) or callable(answer)):
            raise ConfigError(
                f"the answer is {quoted(answer)}, expected a text, a mapping of parts of prompts to"
                " texts, a function of the request, or an exception"
            )
        self.answer = answer
        self.delay = delay
        self.model = model
        self.revision = revision
        self.requests: list[Request] = []
        self.count = 0
        self.closed = False
        self.read: list[tuple[Request, str]] = []
        self._likelihood = likelihood
        self._keep = keep
        self._limits = Limits(concurrency=concurrency, context=context)
        self._slots = asyncio.Semaphore(concurrency) if delay else None

    async def generate(self, request: Request) -> Response:
        """Return the scripted answer, or raise the scripted error."""
        if self.closed:
            raise EngineError("the scripted engine is closed", model=self.model)
        self.count += 1
        if self._keep:
            self.requests.append(request)
        prompt_tokens = self.count_tokens(request.messages)
        self._check_length(prompt_tokens, request.sampling.max_tokens)
        if self._slots is not None:
            async with self._slots:
                await asyncio.sleep(self.delay)
        said = await self._say(request)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Response) else self._response(said, request, prompt_tokens)

    async def several(self, request: Request, k: int) -> list[Response]:
        """Return the scripted answers to the candidates of `request`."""
        return await one_by_one(self.generate, candidates(request, k))

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return the scripted likelihood; `read` keeps what was asked."""
        if self.closed:
            raise EngineError("the scripted engine is closed", model=self.model)
        if self._keep:
            self.read.append((request, text))
        return self._likelihood(request, text) if callable(self._likelihood) else self._likelihood

    async def _say(self, request: Request) -> Said:
        if isinstance(self.answer, str | Exception):
            return self.answer
        if isinstance(self.answer, Mapping):
            return self._look_up(self.answer, request)
        said = self.answer(request)
        return await said if inspect.isawaitable(said) else said

    def _look_up(self, answers: Mapping[str, Said], request: Request) -> Said:
        asked = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        for part, said in answers.items():
            if part in asked:
                return said
        return RequestError(
            f"no scripted answer fits {asked[:80]!r}; the keys are {', '.join(answers) or 'none'}",
            kind="unscripted",
        )

    def _response(self, said: str, request: Request, prompt_tokens: int) -> Response:
        text, reasoning = split_reasoning(said)
        words = said.count(" ") + 1 if said else 0
        limit = request.sampling.max_tokens
        return Response(
            text=text,
            finish="length" if words > limit else "stop",
            prompt_tokens=prompt_tokens,
            output_tokens=min(words, limit),
            seconds=self.delay,
            reasoning=reasoning,
        )

    def _check_length(self, prompt_tokens: int, max_tokens: int) -> None:
        context = self._limits.context
        if context is not None and prompt_tokens + max_tokens > context:
            raise RequestError(
                f"the prompt has {prompt_tokens} tokens and the answer may take {max_tokens};"
                f" the model takes {context} in all",
                kind="too_long",
            )

    def limits(self) -> Limits:
        """Return the scripted concurrency and context."""
        return self._limits

    def fingerprint(self) -> Mapping[str, str]:
        """Return the names that go into keys; the answer function is not part of them."""
        return named("scripted", self.model, self.revision, "scripted")

    def count_tokens(self, messages: tuple[Message, ...]) -> int:
        """Return a made-up but steady count: one token a word, three a turn."""
        return sum(m.content.count(" ") + 4 for m in messages)

    async def close(self) -> None:
        """Refuse further requests."""
        self.closed = True

    async def __aenter__(self) -> ScriptedEngine:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
