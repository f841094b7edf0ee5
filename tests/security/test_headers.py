"""Headers that go along: names of variables are saved, values never."""

from __future__ import annotations

from typing import Any

import pytest

from textcentric.errors import ConfigError
from textcentric.fields import without_secrets
from textcentric.security.headers import check_headers, resolved, sendable
from textcentric.security.secrets import HIDDEN, hidden

VALUE = "tgw-7f3a9c-not-to-be-seen"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Title": "my rows"},
        {"Authorization": "Bearer $GATEWAY"},
        {"Authorization": "${GATEWAY}"},
        {"api-key": "$GATEWAY"},
        {"Cookie": "${GATEWAY}"},
        {"OpenAI-Organization": "$OPENAI_ORG_ID"},
    ],
)
def test_headers_without_secrets_can_be_saved(headers: dict[str, str]) -> None:
    check_headers(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {VALUE}"},
        {"authorization": VALUE},
        {"X-Api-Key": VALUE},
        {"X-Auth": VALUE},
        {"Cookie": f"session={VALUE}"},
        {"X-Token": f"{VALUE}$GATEWAY"},
        {"X-Gateway": f"Bearer {VALUE}"},
    ],
)
def test_a_literal_that_looks_like_a_secret_is_refused_with_the_remedy(
    headers: dict[str, str],
) -> None:
    with pytest.raises(
        ConfigError, match=r"environment variable and name that, .*\$NAME"
    ) as caught:
        check_headers(headers)
    assert VALUE not in str(caught.value)
    with pytest.raises(ConfigError):
        without_secrets({"headers": headers})


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ("X-A: b", "expected names with their values"),
        ({"X A": "b"}, "expected the name of a header"),
        ({3: "b"}, "expected the name of a header"),
        ({"X-A": 3}, "expected one line of ASCII text"),
        ({"X-A": "b\r\nX-B: c"}, "expected one line of ASCII text"),
        ({"X-A": "süß"}, "expected one line of ASCII text"),
        ({"Content-Length": "0"}, "the engine sets this header itself"),
        ({"transfer-encoding": "chunked"}, "the engine sets this header itself"),
    ],
)
def test_what_is_no_header_is_refused(headers: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        check_headers(headers)


def test_variables_stand_for_their_values_which_are_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEWAY", f" {VALUE}\n")
    assert resolved({"Authorization": "Bearer ${GATEWAY}", "X-A": "b"}) == {
        "Authorization": f"Bearer {VALUE}",
        "X-A": "b",
    }
    assert hidden(f"you sent {VALUE}") == f"you sent {HIDDEN}"


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY", raising=False)
    with pytest.raises(ConfigError, match=r"names \$GATEWAY, which is not set"):
        resolved({"X-A": "$GATEWAY"})


@pytest.mark.parametrize("value", ["sk-a\nsk-b", "sk-ä", "sk-\x00", "sk-\x1b[2J"])
def test_what_no_header_can_hold_is_named_and_not_repeated(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY", value.replace("\x00", "\x01"))
    with pytest.raises(ConfigError, match="the value of GATEWAY holds") as caught:
        sendable("GATEWAY")
    assert "sk-" not in str(caught.value)


def test_secrets_inside_of_mappings_are_not_saved_either() -> None:
    with pytest.raises(ConfigError, match=r"engine\.extra_body\.api_key would be saved"):
        without_secrets({"extra_body": {"api_key": VALUE}})
    assert without_secrets({"extra_body": {"min_p": 0.1}}) == {"extra_body": {"min_p": 0.1}}
