"""Keys and headers: sent to the one server, and nowhere to be seen."""

from __future__ import annotations

import logging

import pytest

from tests.support.asking import asked
from tests.support.fake_server import FINE, Server, completion, http
from textcentric.engines.credentials import KEYS
from textcentric.engines.openai import OpenAIEngine
from textcentric.errors import ConfigError, EngineError, RequestError
from textcentric.security.secrets import HIDDEN

KEY = "sk-open-sesame-4711"
GATEWAY = "gw-open-barley-0815"
ADDRESS = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("value", [f"{KEY}\n", f"  {KEY} ", f"\t{KEY}\r\n"])
def test_blanks_and_line_ends_round_a_key_are_left_out(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", value)
    server = Server()
    assert asked(server).only().text == "Fine."
    assert server.keys == [f"bearer {KEY}"]


def test_a_blank_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTCENTRIC_API_KEY", " \n")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = Server()
    asked(server)
    assert server.keys == [f"bearer {KEY}"]


@pytest.mark.parametrize("value", ["sk-open\nsesame", "sk-ösame", "sk-\x1b[2J"])
def test_a_key_that_cannot_be_sent_is_named_before_any_request(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTCENTRIC_API_KEY", value)
    with pytest.raises(ConfigError, match="the value of TEXTCENTRIC_API_KEY holds") as caught:
        OpenAIEngine("m", base_url=ADDRESS)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 307, 400, 401, 402, 403, 404, 422, 429, 500, 503])
def test_a_server_that_repeats_the_key_is_quoted_without_it(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    body = {"error": {"message": f"you sent Authorization: Bearer {KEY}"}}
    where = f"http://elsewhere/{KEY}"
    came = asked(Server(http(status, body, Location=where)))
    (error,) = came.results
    assert isinstance(error, EngineError | RequestError)
    assert HIDDEN in str(error)
    assert KEY not in str(error) + " ".join(came.said) + caplog.text


def test_an_answer_that_repeats_the_key_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    answer = asked(Server(completion(f"Bearer {KEY}!", reasoning=f"the key is {KEY}"))).only()
    assert answer.text == f"Bearer {HIDDEN}!"
    assert answer.reasoning == f"the key is {HIDDEN}"


def test_headers_go_with_each_request_and_their_values_are_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEWAY", f"{GATEWAY}\n")
    body = {"error": {"message": f"no such tenant: {GATEWAY}"}}
    server = Server(http(422, body))
    came = asked(server, headers={"authorization": "Bearer ${GATEWAY}", "X-Title": "rows"})
    assert server.keys == [f"bearer {GATEWAY}"] * 2
    assert f"no such tenant: {HIDDEN}" in str(came.results[0])


def test_a_header_whose_variable_is_not_set_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match=r"names \$NO_SUCH_GATEWAY, which is not set"):
        OpenAIEngine("m", base_url=ADDRESS, headers={"X-A": "$NO_SUCH_GATEWAY"})


def test_a_row_that_is_forbidden_is_its_own_problem() -> None:
    no = http(403, {"error": {"message": "this row was flagged"}})
    results = asked(Server(FINE, no, FINE), requests=3, one_by_one=True).results
    assert [type(one).__name__ for one in results] == ["Response", "RequestError", "Response"]
    assert "this row was flagged" in str(results[1])


def test_an_empty_account_stops_the_run_at_once() -> None:
    server = Server(FINE, http(402, {"error": {"message": "insufficient credits"}}))
    results = asked(server, requests=5, one_by_one=True).results
    assert [type(one).__name__ for one in results] == ["Response", *["EngineError"] * 4]
    assert "HTTP 402: insufficient credits; the account of the key in OPENAI_API_KEY" in str(
        results[-1]
    )
    assert len(server.bodies) == 2
