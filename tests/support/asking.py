"""Requests to a hand-written server: what each came to, and what the engine said."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from tests.support.fake_server import Server, served
from textcentric.engines.openai import OpenAIEngine
from textcentric.engines.protocol import Message, Request, Response, Sampling

ASK = (Message("system", "You are brief."), Message("user", "A calm dog."))


class Came(NamedTuple):
    """Answers and errors in the order of the requests, what was said, and the server's address."""

    results: list[Any]
    said: list[str]
    url: str

    def only(self) -> Response:
        """Return the only answer; raise its error."""
        (result,) = self.results
        if isinstance(result, BaseException):
            raise result
        assert isinstance(result, Response)
        return result


def request(**values: Any) -> Request:
    sampling = values.pop("sampling", Sampling(temperature=0.8, seed=7, max_tokens=9))
    return Request(values.pop("messages", ASK), "m", sampling, **values)


def asked(
    server: Server, *, requests: int = 1, one_by_one: bool = False, to: str = "", **settings: Any
) -> Came:
    """Send the same request so many times; `to` is an address other than the server's."""

    async def run(url: str) -> list[Any]:
        known: dict[str, Any] = {"model": "m", "pause": 0.01, "attempts": 2} | settings
        sent = {name: known.pop(name) for name in ("messages", "schema") if name in known}
        async with OpenAIEngine(base_url=to or url, **known) as engine:
            engine.say = said.append
            calls = [engine.generate(request(**sent)) for _ in range(requests)]
            if one_by_one:
                return [await _result(call) for call in calls]
            return await asyncio.gather(*calls, return_exceptions=True)

    said: list[str] = []
    with served(server) as url:
        return Came(asyncio.run(run(url)), said, url)


async def _result(call: Any) -> Any:
    try:
        return await call
    except Exception as error:
        return error
