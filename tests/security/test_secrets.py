"""Secrets are removed by their values, in every form in which a library may repeat them."""

from __future__ import annotations

import base64

import pytest

from textcentric.errors import RequestError
from textcentric.security.secrets import hidden, of_address

KEY = "sk-blue/heron+42"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")


@pytest.mark.parametrize(
    "said",
    [
        f"Illegal header value b'Bearer {KEY}'",
        "GET /models?key=sk-blue%2Fheron%2B42",
        f"Basic {base64.b64encode(KEY.encode()).decode()}",
    ],
)
def test_a_key_is_left_out_in_every_form(said: str) -> None:
    assert "heron" not in hidden(said)
    assert "[secret]" in hidden(said)
    assert base64.b64encode(KEY.encode()).decode()[:12] not in hidden(said)


def test_errors_hold_no_key() -> None:
    assert str(RequestError(f"no access with {KEY}")) == "no access with [secret]"


def test_user_and_password_of_a_proxy_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:grey-wagtail@proxy:3128")
    assert hidden("proxy me:grey-wagtail refused") == "proxy [secret] refused"


def test_words_that_stand_for_no_key_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    assert hidden("the list is EMPTY") == "the list is EMPTY"


def test_the_secret_parts_of_an_address() -> None:
    assert list(of_address("http://127.0.0.1:8000/v1")) == []
    assert list(of_address("https://me:grey-wagtail@host/v1")) == [
        "me:grey-wagtail",
        "grey-wagtail",
    ]
