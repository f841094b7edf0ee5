"""An engine that writes down what it is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping

from textcentric.engines.candidates import candidates
from textcentric.engines.protocol import Engine, Limits, Message, Request, Response
from textcentric.errors import TextCentricError


class Recorded:
    """Pass every request on to `engine`; `asked` holds each with its answer or its error."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.asked: list[tuple[Request, Response | TextCentricError]] = []

    async def generate(self, request: Request) -> Response:
        try:
            answer = await self.engine.generate(request)
        except TextCentricError as error:
            self.asked.append((request, error))
            raise
        self.asked.append((request, answer))
        return answer

    async def several(self, request: Request, k: int) -> list[Response]:
        asked = candidates(request, k)
        try:
            answers = await self.engine.several(request, k)
        except TextCentricError as error:
            self.asked += [(candidate, error) for candidate in asked]
            raise
        self.asked += zip(asked, answers, strict=True)
        return answers

    async def likelihood(self, request: Request, text: str) -> float | None:
        return await self.engine.likelihood(request, text)

    def limits(self) -> Limits:
        return self.engine.limits()

    def fingerprint(self) -> Mapping[str, str]:
        return self.engine.fingerprint()

    def count_tokens(self, messages: tuple[Message, ...]) -> int | None:
        return self.engine.count_tokens(messages)

    async def close(self) -> None:
        await self.engine.close()
