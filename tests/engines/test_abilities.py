"""Servers that lack something: found out by their refusals, told once, done without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.asking import asked
from tests.support.fake_server import BUSY, FINE, Server, completion, http
from textcentric.engines.abilities import FEW, MANY
from textcentric.engines.protocol import Message
from textcentric.errors import EngineError, RequestError

Reply = Callable[[dict[str, Any]], bytes]
LIKELY = completion('{"kind": "dog"}', logprobs=[-0.5])
SCHEMA = {"type": "object", "properties": {"kind": {"enum": ["dog", "cat"]}}, "required": ["kind"]}


def refusing(is_refused: Callable[[dict[str, Any]], Any], why: str, status: int = 400) -> Reply:
    def reply(body: dict[str, Any]) -> bytes:
        return http(status, {"error": {"message": why}}) if is_refused(body) else LIKELY

    return reply


def told(said: list[str]) -> list[str]:
    """Return what the engine said of the server, its address aside."""
    return [line.split(" ", 4)[-1] for line in said if line.startswith("the server at")]


def test_a_server_that_takes_no_seed_is_asked_without_and_it_is_said_once() -> None:
    server = Server(refusing(lambda b: "seed" in b, "Unrecognized request argument supplied: seed"))
    came = asked(server, requests=3, one_by_one=True)
    assert [one.text for one in came.results] == ['{"kind": "dog"}'] * 3
    assert ["seed" in body for body in server.bodies] == [True, False, False, False]
    assert told(came.said) == ["takes no seed: the same request may bring another answer"]


def test_a_server_without_schemas_is_asked_in_words() -> None:
    why = "response_format of type json_schema is not supported"
    server = Server(refusing(lambda b: "response_format" in b, why, 422))
    came = asked(server, schema=SCHEMA)
    assert came.only().text == '{"kind": "dog"}'
    last = server.bodies[-1]["messages"][-1]
    assert last["role"] == "user"
    assert last["content"].startswith("A calm dog.\n\nAnswer with JSON alone, of this schema: {")
    assert '"enum": ["dog", "cat"]' in last["content"]
    assert told(came.said) == [
        "keeps to no JSON schema: the form is asked for in words, and checked"
    ]


@pytest.mark.parametrize("status", [400, 500])
def test_a_server_without_a_system_role_gets_its_text_before_the_users(status: int) -> None:
    why = "Conversation roles must alternate; the system role is not supported"
    refused = refusing(lambda b: b["messages"][0]["role"] == "system", why, status)
    server = Server(refused)
    came = asked(server, requests=2, one_by_one=True)
    assert [one.text for one in came.results] == ['{"kind": "dog"}'] * 2
    assert server.bodies[-1]["messages"] == [
        {"role": "user", "content": "You are brief.\n\nA calm dog."}
    ]
    assert told(came.said) == ["knows no turns of the system: their text stands before the user's"]


def test_a_model_that_wants_the_newer_name_of_max_tokens_gets_it() -> None:
    why = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    server = Server(refusing(lambda b: "max_tokens" in b, why))
    assert asked(server).only().text == '{"kind": "dog"}'
    assert server.bodies[-1]["max_completion_tokens"] == 9


def test_several_refusals_are_followed_one_after_the_other() -> None:
    def reply(body: dict[str, Any]) -> bytes:
        for name in ("seed", "logprobs", "max_tokens"):
            if name in body:
                return http(400, {"error": {"message": f"{name} is not supported"}})
        return FINE

    server = Server(reply)
    assert asked(server).only().text == "Fine."
    assert len(server.bodies) == 4


def test_what_was_granted_is_not_taken_back_by_a_refusal_that_names_it() -> None:
    bad = http(400, {"error": {"message": "the seed of this picture is odd"}})
    server = Server(LIKELY, bad, LIKELY)
    came = asked(server, requests=3, one_by_one=True)
    assert [type(one).__name__ for one in came.results] == ["Response", "RequestError", "Response"]
    assert all("seed" in body for body in server.bodies)
    assert told(came.said) == []


def test_a_system_turn_alone_is_never_taken_for_the_problem() -> None:
    server = Server(http(400, {"error": {"message": "no such role"}}))
    (error,) = asked(server, messages=(Message("system", "Say it."),)).results
    assert isinstance(error, RequestError)
    assert [body["messages"][0]["role"] for body in server.bodies] == ["system"] * 2


def test_a_refused_argument_of_every_request_stops_the_run_after_a_few() -> None:
    why = "temperature 0.8 is not supported with this model"
    server = Server(http(400, {"error": {"message": why}}))
    results = asked(server, requests=10, one_by_one=True).results
    kinds = [type(one) for one in results]
    assert kinds == [RequestError] * (FEW - 1) + [EngineError] * (11 - FEW)
    assert "cannot be used: HTTP 400: temperature 0.8 is not supported" in str(results[-1])
    assert len(server.bodies) == 2 * FEW  # each with log-probabilities, and without


def test_any_other_refusal_stops_the_run_only_after_many_of_nothing_else() -> None:
    server = Server(http(400, {"error": {"message": "the row 17 is not to my taste"}}))
    results = asked(server, requests=MANY + 3, concurrency=1).results
    assert [type(one) for one in results].count(RequestError) == MANY - 1
    answering = Server(FINE, *[http(400, {"error": {"message": "bad picture 3"}})] * 50)
    results = asked(answering, requests=MANY + 10, concurrency=1).results
    assert {type(one).__name__ for one in results} == {"Response", "RequestError"}


def test_a_server_that_is_busy_has_not_refused() -> None:
    results = asked(Server(BUSY), requests=MANY + 3, attempts=1).results
    assert {type(one) for one in results} == {RequestError}
