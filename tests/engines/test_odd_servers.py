"""The OpenAI engine and servers that are nearly as expected: each odd thing has its own end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.asking import asked
from tests.support.fake_server import FINE, Server, completion, http, served
from textcentric.engines.openai import OpenAIEngine
from textcentric.engines.protocol import Request, Sampling
from textcentric.errors import ConfigError, EngineError


def test_an_extra_body_goes_with_each_request_and_makes_other_keys() -> None:
    extra = {"chat_template_kwargs": {"enable_thinking": False}, "min_p": 0.1}
    server = Server(owner="vllm")
    asked(server, extra_body=extra)
    assert server.bodies[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert server.bodies[0]["min_p"] == 0.1
    engines = [
        OpenAIEngine("m", base_url="http://127.0.0.1:9/v1", extra_body=body)
        for body in (None, {}, extra, {"min_p": 0.2})
    ]
    keys = [Request.of([("user", "x")], e.fingerprint(), Sampling()).key for e in engines]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"temperature": 0.1, "seed": 3}, "extra_body holds seed, temperature"),
        ({"stream": True}, "extra_body holds stream"),
        ({"x": float("nan")}, "is no JSON"),
        ({"x": {1, 2}}, "is no JSON"),
    ],
)
def test_an_extra_body_that_cannot_be_is_refused(body: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        OpenAIEngine("m", base_url="http://127.0.0.1:9/v1", extra_body=body)


@pytest.mark.parametrize(
    "cut", [lambda url: url.removesuffix("/v1"), lambda url: url.removeprefix("http://")]
)
def test_an_address_that_is_nearly_right_works_and_the_right_one_is_said(
    cut: Callable[[str], str],
) -> None:
    server = Server()
    server.models_at = "/v1/models"
    with served(server) as url:
        came = asked(Server(), to=cut(url))
        assert came.only().text == "Fine."
        assert came.said[:2] == [
            f"the server answers at {url}: base_url={url!r}",
            f"requests are sent to {url}",
        ]


def test_a_list_of_models_that_is_none_does_not_matter_where_the_model_is_named() -> None:
    for listed in (b"[]", b"{}", b"3", b'{"data": 3}', b"<html>", b'{"data": [{"id": 3}]}'):
        server = Server()
        server.models = http(200, listed, Connection="close")
        assert asked(server).only().text == "Fine."


def test_odd_counts_of_tokens_are_said_once() -> None:
    odd = completion().replace(b'"completion_tokens": 3', b'"completion_tokens":-3')
    came = asked(Server(odd), requests=3, one_by_one=True)
    assert [answer.output_tokens for answer in came.results] == [0, 0, 0]
    assert len([line for line in came.said if "counts tokens in other than whole" in line]) == 1


def test_an_answer_beyond_its_bound_fails_its_request_alone() -> None:
    long = completion("a" * 3_000_000)
    results = asked(Server(long, FINE), requests=2, one_by_one=True).results
    assert (results[0].kind, results[0].attempts) == ("too_large", 1)
    assert results[1].text == "Fine."


def test_a_redirect_stops_the_run_and_names_the_address() -> None:
    away = http(307, b"", Location="http://localhost:9/v1/chat/completions")
    (error,) = asked(Server(away)).results
    assert isinstance(error, EngineError)
    assert "if that one is meant, give it: base_url='http://localhost:9/v1'" in str(error)
