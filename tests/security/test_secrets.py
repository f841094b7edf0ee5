"""Secrets are removed by their values, in every form in which a library may repeat them."""

from __future__ import annotations

import base64
import html
import json
import timeit
from collections.abc import Callable
from urllib.parse import quote, quote_plus

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


ODD = 'blue/heron-42&"wren"\\é'


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(quote(ODD), id="an address, its slashes kept"),
        pytest.param(quote_plus(ODD), id="a form"),
        pytest.param(quote(quote(ODD, safe=""), safe=""), id="an address in an address"),
        pytest.param("".join(f"%{byte:02x}" for byte in ODD.encode()), id="every byte"),
        pytest.param("".join(f"%{byte:02X}" for byte in ODD.encode()), id="every byte, large"),
        pytest.param(ODD.replace("-", "%2D"), id="one sign"),
        pytest.param(json.dumps(ODD)[1:-1], id="JSON"),
        pytest.param(json.dumps(json.dumps(ODD)[1:-1])[1:-1], id="JSON in JSON"),
        pytest.param(json.dumps(ODD)[1:-1].replace("/", "\\/"), id="JSON of PHP"),
        pytest.param(ODD.replace("\\", "\\u005c").replace("-", "\\u002D"), id="JSON, careful"),
        pytest.param("".join(f"\\u{ord(char):04x}" for char in ODD), id="JSON, every sign"),
        pytest.param(repr(ODD.encode())[2:-1], id="bytes of Python"),
        pytest.param("".join(f"\\x{byte:02x}" for byte in ODD.encode()), id="bytes, every one"),
        pytest.param(html.escape(ODD), id="HTML"),
        pytest.param(html.escape(html.escape(ODD)), id="HTML in HTML"),
        pytest.param("".join(f"&#{ord(char)};" for char in ODD), id="HTML, decimal"),
        pytest.param("".join(f"&#x{ord(char):X};" for char in ODD), id="HTML, hex"),
        pytest.param(ODD.replace("-", "&#45;").replace("/", "%2f"), id="of both"),
        pytest.param(ODD.encode().hex(), id="hex"),
        pytest.param(ODD.encode().hex().upper(), id="hex, large"),
    ],
)
def test_a_secret_is_found_however_its_signs_are_written(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", ODD)
    assert hidden(f"said ({form}) here") == "said ([secret]) here"


@pytest.mark.parametrize("before", ["", "Bearer ", "me:", "user:", "ab"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_in_base64_behind_anything(
    monkeypatch: pytest.MonkeyPatch, before: str, encode: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "~~~???>>>wagtail~~~")
    written = encode(f"{before}~~~???>>>wagtail~~~\n".encode()).decode()
    for form in (written, quote(written, safe=""), written.replace("/", "\\/")):
        assert "[secret]" in hidden(form)
        assert len(hidden(form)) < len("[secret]") + len(f"{before}\n") * 2 + 8


def test_a_long_secret_of_several_lines_is_found_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["----BEGIN----", *(f"{n:02}/" + "aB3" * 40 for n in range(3)), "-----END-----"]
    monkeypatch.setenv("SIGNING_KEY", "\n".join(lines))
    said = json.dumps({"key": "\n".join(lines)}).replace("/", "\\/")
    assert hidden(said) == '{"key": "' + "\\n".join(["[secret]"] * 5) + '"}'


def test_texts_that_are_like_a_secret_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", ODD)
    for text in ("50% of \\n &amp; blue%2Fheron-43", "C:\\blue\\heron", "blue&#47;heron"):
        assert hidden(text) == text


@pytest.mark.parametrize("piece", ["\\", "%25", "&amp;", "a\\", "\\\\a\\", "a%"])
def test_no_text_has_many_readings(monkeypatch: pytest.MonkeyPatch, piece: str) -> None:
    """The time of a text of few signs doubles with its length, it is not squared."""
    monkeypatch.setenv("OPENAI_API_KEY", "\\a\\%&\\\\a%25%25\\a&amp;\\a\\b")
    texts = [f"{piece * 500 * times} \\n" for times in (1, 8)]
    short, long = (min(timeit.repeat(lambda: hidden(text), number=1, repeat=5)) for text in texts)  # noqa: B023
    assert long < 40 * short
