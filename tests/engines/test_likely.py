"""Log-probabilities and several answers, from an OpenAI-compatible server that has them or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from tests.support.fake_server import Server, completion, http, served
from textcentric.engines.candidates import mean_logprob
from textcentric.engines.openai import OpenAIEngine
from textcentric.engines.protocol import Message, Request, Response, Sampling
from textcentric.errors import RequestError

Result = TypeVar("Result")
ASK = (Message("system", "You are brief."), Message("user", "A calm dog."))
LIKELY = completion(logprobs=[-0.5, -1.5])
REFUSES = http(400, {"error": {"message": "logprobs is not supported by this model"}})
NO_N = http(422, {"error": {"message": "extra field n"}})
TOKENS = http(200, {"count": 3, "max_model_len": 4096, "tokens": [5, 6, 7]})


def request(*begun: Message) -> Request:
    return Request((*ASK, *begun), "m", Sampling(temperature=0.8, seed=7, max_tokens=9))


def during(server: Server, work: Callable[[OpenAIEngine], Awaitable[Result]]) -> Result:
    """Return what `work` comes to with an engine for `server`; `server.said` keeps what it told."""

    async def run(url: str) -> Result:
        async with OpenAIEngine("m", base_url=url, pause=0.01, attempts=2) as engine:
            engine.say = said.append
            return await work(engine)

    said: list[str] = []
    with served(server) as url:
        result = asyncio.run(run(url))
    assert said[0] == f"requests are sent to {url}"
    told[server] = [line.split(" ", 4)[-1] for line in said[1:]]
    return result


told: dict[Server, list[str]] = {}


async def twice(engine: OpenAIEngine) -> list[Response]:
    return [await engine.generate(request()), await engine.generate(request())]


def test_the_mean_over_the_tokens_arrives() -> None:
    server = Server(LIKELY)
    assert [one.logprob for one in during(server, twice)] == [-1.0, -1.0]
    assert told[server] == []


def test_a_token_out_of_sight_does_not_drown_the_others() -> None:
    assert mean_logprob([-9999.0, -1.0]) == -50.5
    assert mean_logprob([float("nan")]) is None
    assert mean_logprob([]) is None


def test_a_server_that_ignores_logprobs_is_asked_once_and_it_is_said_once() -> None:
    server = Server()
    assert [one.logprob for one in during(server, twice)] == [None, None]
    assert [body.get("logprobs") for body in server.bodies] == [True, None]
    assert told[server] == ["gives no log-probabilities with its answers: checks do without them"]


def test_a_server_that_refuses_logprobs_is_asked_without_them() -> None:
    server = Server(REFUSES, completion("Fine."))
    assert [one.text for one in during(server, twice)] == ["Fine.", "Fine."]
    assert [body.get("logprobs") for body in server.bodies] == [True, None, None]
    assert len(told[server]) == 1


def test_a_request_that_is_refused_anyway_says_nothing_about_the_server() -> None:
    bad = http(400, {"error": {"message": "no such picture"}})
    server = Server(bad, bad, LIKELY)

    async def work(engine: OpenAIEngine) -> float | None:
        with pytest.raises(RequestError, match="no such picture"):
            await engine.generate(request())
        return (await engine.generate(request())).logprob

    assert during(server, work) == -1.0
    assert told[server] == []


def test_candidates_come_in_one_call() -> None:
    server = Server(completion("One.", "Two.", "Three.", logprobs=[-2.0]))
    answers = during(server, lambda engine: engine.several(request(), 3))
    assert [one.text for one in answers] == ["One.", "Two.", "Three."]
    assert [one.logprob for one in answers] == [-2.0] * 3
    # The server counts 20 tokens of prompt and 3 of answers, for all of them together.
    assert [(one.prompt_tokens, one.output_tokens) for one in answers] == [(20, 1), (0, 1), (0, 1)]
    assert [body["n"] for body in server.bodies] == [3]


def test_missing_candidates_are_asked_for_one_by_one_and_it_is_said_once() -> None:
    server = Server(LIKELY)

    async def work(engine: OpenAIEngine) -> list[Response]:
        return [*await engine.several(request(), 3), *await engine.several(request(), 2)]

    assert len(during(server, work)) == 5
    assert [body.get("n") for body in server.bodies] == [3, None, None, None, None]
    assert sorted(body["seed"] for body in server.bodies) == [7, 7, 8, 8, 9]
    assert told[server] == [
        "gives one answer a request: further candidates are asked for one by one"
    ]


def test_a_server_that_refuses_n_is_asked_without_it() -> None:
    server = Server(NO_N, LIKELY)
    answers = during(server, lambda engine: engine.several(request(), 2))
    assert [one.logprob for one in answers] == [-1.0, -1.0]
    assert [(body.get("n"), body.get("logprobs")) for body in server.bodies] == [
        (2, True),
        (None, True),
        (None, True),
    ]


def read(*replies: bytes, owner: str = "vllm", begun: tuple[Message, ...] = ()) -> Any:
    server = Server(*replies, owner=owner)
    mean = during(server, lambda engine: engine.likelihood(request(*begun), " is calm."))
    return mean, server


def test_vllms_server_says_how_likely_a_text_is() -> None:
    answer = completion(prompt_logprobs=[(6, -9.0), (7, -9.0), (8, -1.0), (9, -2.0)])
    mean, server = read(TOKENS, answer, begun=(Message("assistant", "The dog"),))
    assert mean == -1.5
    tokenize, reading = server.bodies
    assert tokenize["messages"][-1] == {"role": "assistant", "content": "The dog"}
    assert (tokenize["continue_final_message"], tokenize["add_generation_prompt"]) == (True, False)
    assert reading["messages"][-1] == {"role": "assistant", "content": "The dog is calm."}
    assert (reading["prompt_logprobs"], reading["max_tokens"]) == (0, 1)


def test_a_token_in_which_prompt_and_text_meet_is_the_texts() -> None:
    mean, server = read(TOKENS, completion(prompt_logprobs=[(6, -9.0), (70, -4.0), (9, -2.0)]))
    assert mean == -3.0
    assert server.bodies[0]["add_generation_prompt"] is True
    assert server.bodies[1]["messages"][-1] == {"role": "assistant", "content": " is calm."}


@pytest.mark.parametrize(
    "replies",
    [
        (http(404, {"error": {"message": "no such page"}}),),
        (TOKENS, http(400, {"error": {"message": "prompt_logprobs are off"}})),
        (TOKENS, completion()),
    ],
)
def test_a_server_that_cannot_read_is_not_asked_again(replies: tuple[bytes, ...]) -> None:
    server = Server(*replies, owner="vllm")

    async def work(engine: OpenAIEngine) -> list[float | None]:
        return [await engine.likelihood(request(), "x"), await engine.likelihood(request(), "y")]

    assert during(server, work) == [None, None]
    assert len(server.bodies) == len(replies)
    assert told[server] == ["cannot say how likely a given text is: checks do without it"]


def test_a_server_that_is_not_vllms_is_not_asked_at_all() -> None:
    mean, server = read(owner="somebody")
    assert (mean, server.bodies) == (None, [])
    assert len(told[server]) == 1
