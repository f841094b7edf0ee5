"""Logs of libraries hold no secret, whoever writes them."""

from __future__ import annotations

import logging

import pytest

from textcentric.security.logs import keep_logs_clean
from textcentric.security.secrets import HIDDEN

SECRET = "sk-logs-not-to-be-seen"


@pytest.fixture(autouse=True)
def own_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    keep_logs_clean()


def test_a_message_and_its_arguments_hold_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("httpx", "httpcore", "else"):
        caplog.set_level("DEBUG", logger=name)
    logging.getLogger("httpx").info("HTTP Request: %s", f"GET http://host/?key={SECRET}")
    logging.getLogger("httpcore.http11").debug(f"headers Bearer {SECRET}")
    logging.getLogger("else").info("%s of %d", "one", 2)
    assert SECRET not in caplog.text
    assert caplog.text.count(HIDDEN) == 2
    assert "one of 2" in caplog.text


def test_a_traceback_holds_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError(f"Illegal header value b'Bearer {SECRET}'")
    except ValueError:
        logging.getLogger("httpx").exception("failed")
    assert "Illegal header value" in caplog.text
    assert SECRET not in caplog.text


def test_a_message_that_does_not_fit_its_arguments_is_the_logs_own_problem(
    caplog: pytest.LogCaptureFixture,
) -> None:
    record = logging.getLogRecordFactory()("httpx", 20, "f", 1, "%d", ("a",), None)
    assert record.args == ("a",)


class OnTop:
    """A factory that vLLM puts on top of the one it finds."""

    def __init__(self) -> None:
        self._factory = logging.getLogRecordFactory()

    def __call__(self, *args: object, **kwargs: object) -> logging.LogRecord:
        return self._factory(*args, **kwargs)


def test_a_factory_on_top_of_ours_is_left_there(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(OnTop())
    try:
        keep_logs_clean()
        logging.getLogger("httpx").error(f"no access with {SECRET}")
    finally:
        logging.setLogRecordFactory(before)
    assert caplog.messages == [f"no access with {HIDDEN}"]
