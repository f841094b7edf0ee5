"""The OpenAI engine against a real server on the loopback that misbehaves in every way."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_server import BUSY, FINE, HALF, Server, completion, http
from textcentric.engines.credentials import KEYS
from textcentric.engines.openai import OpenAIEngine
from textcentric.engines.protocol import Message, Request, Sampling
from textcentric.errors import ConfigError, EngineError, RequestError
from textcentric.models.packaged import packaged_model
from textcentric.runs.journal import Journal

KEY = "sk-very-secret"
ASK = (Message("system", "You are brief."), Message("user", "A calm dog."))


@asynccontextmanager
async def engine_for(server: Server, **settings: Any) -> AsyncIterator[OpenAIEngine]:
    listening = server.listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    settings = {"model": "m", "pause": 0.01, "attempts": 3, **settings}
    async with (
        listening,
        OpenAIEngine(base_url=f"http://127.0.0.1:{port}/v1", **settings) as engine,
    ):
        yield engine


def request(**values: Any) -> Request:
    sampling = values.pop("sampling", Sampling(temperature=0.8, seed=7, max_tokens=9))
    return Request(values.pop("messages", ASK), "m", sampling, **values)


def ask(server: Server, *, requests: int = 1, settings: Any = None, **values: Any) -> list[Any]:
    """Return what each of `requests` requests at once came to: a response or an error."""

    async def run() -> list[Any]:
        async with engine_for(server, **(settings or {})) as engine:
            calls = (engine.generate(request(**values)) for _ in range(requests))
            return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(run())


def test_text_and_token_counts_arrive() -> None:
    (response,) = ask(Server())
    assert (response.text, response.finish, response.attempts) == ("Fine.", "stop", 1)
    assert (response.prompt_tokens, response.cached_tokens, response.output_tokens) == (20, 16, 3)


def test_an_ordinary_server_gets_only_openais_own_fields() -> None:
    server = Server()
    ask(server, sampling=Sampling(temperature=0.5, top_k=5, min_p=0.1, seed=3, stop=("END",)))
    assert set(server.bodies[0]) == {
        "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "seed",
        "logprobs",
    }  # fmt: skip


def test_a_vllm_server_gets_its_own_fields_and_an_open_last_turn() -> None:
    server = Server(owner="vllm")
    prefilled = (*ASK, Message("assistant", "The dog"))
    ask(server, messages=prefilled, sampling=Sampling(top_k=5, repetition_penalty=1.1, min_p=0.1))
    body = server.bodies[0]
    assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (5, 0.1, 1.1)
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert body["messages"][-1] == {"role": "assistant", "content": "The dog"}


def test_a_repeated_prefill_is_taken_off() -> None:
    (response,) = ask(
        Server(completion("The dog is calm.")), messages=(*ASK, Message("assistant", "The dog"))
    )
    assert response.text == " is calm."


def test_a_schema_is_sent_as_response_format() -> None:
    server = Server(completion('{"a": 1}'))
    ask(server, schema={"type": "object"})
    sent = server.bodies[0]["response_format"]
    assert (sent["type"], sent["json_schema"]["schema"]) == ("json_schema", {"type": "object"})


def test_a_picture_is_sent_as_a_data_url(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"\x89PNG")
    server = Server()
    ask(server, messages=(Message("user", "What is it?", (str(picture),), ("digest",)),))
    image, text = server.bodies[0]["messages"][0]["content"]
    assert image["image_url"]["url"] == "data:image/png;base64,iVBORw=="
    assert text == {"type": "text", "text": "What is it?"}


def test_the_limits_come_from_the_server() -> None:
    async def run() -> int | None:
        async with engine_for(Server()) as engine:
            await engine.start()
            return engine.limits().context

    assert asyncio.run(run()) == 4096


def test_a_server_with_one_model_needs_no_name() -> None:
    server = Server()
    ask(server, settings={"model": None})
    assert server.bodies[0]["model"] == "m"


@pytest.mark.parametrize(
    "fault",
    [BUSY, http(500, b"oops"), http(429, b"{}"), http(200, b'{"choices": [{'), HALF, http(200, {})],
    ids=["503", "500", "429", "malformed JSON", "half a body", "no choices"],
)
def test_a_passing_fault_is_tried_again(fault: bytes) -> None:
    (response,) = ask(Server(fault, fault, FINE))
    assert (response.text, response.attempts) == ("Fine.", 3)


@pytest.mark.parametrize(
    ("fault", "kind", "attempts"),
    [
        (BUSY, "http_503", 3),
        (http(200, b'{"choices": [{'), "malformed", 3),
        (http(200, b"<html>", Content_Type="text/html"), "malformed", 3),
        (HALF, "connection", 3),
        (http(400, {"error": {"message": "bad top_p"}}), "http_400", 1),
        (http(400, {"error": {"message": "This maximum context length is 9"}}), "too_long", 1),
    ],
    ids=["503", "malformed JSON", "a web page", "half a body", "400", "too long"],
)
def test_a_lasting_fault_fails_the_request_alone(fault: bytes, kind: str, attempts: int) -> None:
    (error,) = ask(Server(fault))
    assert isinstance(error, RequestError)
    assert (error.kind, error.attempts) == (kind, attempts)


def test_a_400_says_what_the_server_said() -> None:
    (error,) = ask(Server(http(400, {"error": {"message": "bad top_p"}})))
    assert "bad top_p" in str(error)


def test_half_a_character_in_an_answer_does_not_break_the_journal(journal: Journal) -> None:
    reply = completion("A \ud83d\ude00 dog\ud800.", reasoning="Hm \udfff")  # a pair, and two halves
    (response,) = ask(Server(reply))
    assert response.text == "A \U0001f600 dog\ufffd."
    assert response.reasoning == "Hm \ufffd"
    journal.put("key", asdict(response))
    journal.commit()
    assert journal.get("key") == asdict(response)


@pytest.mark.parametrize("asked", ["0.3", "60", "a date"])
def test_retry_after_is_kept_up_to_the_longest_pause(asked: str) -> None:
    asked = formatdate(time.time() + 60, usegmt=True) if asked == "a date" else asked
    server = Server(http(429, b"{}", Retry_After=asked), FINE)
    started = time.perf_counter()
    (response,) = ask(server, settings={"longest_pause": 0.3})
    assert response.attempts == 2
    assert 0.3 <= time.perf_counter() - started < 10


def test_a_slow_server_is_a_timeout_of_the_request() -> None:
    (error,) = ask(Server(delay=5), settings={"timeout": 0.1, "attempts": 2})
    assert (error.kind, error.attempts) == ("timeout", 2)


def test_a_server_that_is_down_stops_the_run() -> None:
    async def run() -> None:
        async with OpenAIEngine("m", base_url="http://127.0.0.1:9/v1", pause=0.01) as engine:
            await engine.generate(request())

    with pytest.raises(EngineError, match=r"http://127\.0\.0\.1:9/v1 cannot be used: .*check"):
        asyncio.run(run())


def test_a_server_that_goes_down_later_stops_the_run_and_no_row_fails() -> None:
    async def run() -> list[Any]:
        server = Server()
        async with engine_for(server) as engine:
            assert (await engine.generate(request())).text == "Fine."
            assert engine._server is not None
            engine._server.base = "http://127.0.0.1:9/v1"
            calls = (engine.generate(request()) for _ in range(5))
            return await asyncio.gather(*calls, return_exceptions=True)

    assert {type(error) for error in asyncio.run(run())} == {EngineError}


def test_a_server_that_dies_while_it_answers_others_fails_no_request() -> None:
    responses = ask(Server(delay=0.01, answers=9), requests=40, settings={"concurrency": 8})
    errors = [one for one in responses if isinstance(one, Exception)]
    assert {type(error) for error in errors} == {EngineError}
    assert len(errors) == 31


@pytest.mark.parametrize("fault", [HALF, http(502, {}), http(504, {})])
def test_a_gateway_with_nobody_behind_it_is_a_server_that_is_gone(fault: bytes) -> None:
    async def run() -> list[Any]:
        server = Server()
        async with engine_for(server) as engine:
            assert (await engine.generate(request())).text == "Fine."
            server.replies = [fault]
            server.models = fault.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            calls = (engine.generate(request()) for _ in range(3))
            return await asyncio.gather(*calls, return_exceptions=True)

    assert {type(error) for error in asyncio.run(run())} == {EngineError}


def test_a_server_that_hangs_altogether_is_gone() -> None:
    async def run() -> Any:
        server = Server()
        async with engine_for(server, timeout=0.2, attempts=2) as engine:
            await engine.start()
            server.delay = server.models_delay = 5
            (error,) = await asyncio.gather(engine.generate(request()), return_exceptions=True)
            return error

    error = asyncio.run(run())
    assert isinstance(error, EngineError)
    assert "cannot be used: no whole answer within 0.2 s" in str(error)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_model_stops_the_run(status: int) -> None:
    (error,) = ask(Server(http(status, {"error": {"message": "no such model"}})))
    assert isinstance(error, EngineError)
    assert "its address and the key in OPENAI_API_KEY" in str(error)


def test_an_empty_account_stops_the_run() -> None:
    body = {"error": {"message": "no money", "code": "insufficient_quota"}}
    (error,) = ask(Server(http(429, body)))
    assert isinstance(error, EngineError)
    assert "no money" in str(error)


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_the_key_comes_from_the_environment_and_shows_up_nowhere(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TEXTCENTRIC_API_KEY", KEY)
    caplog.set_level("DEBUG", logger="textcentric")
    server = Server(http(status, {"error": {"message": f"bad key {KEY}"}}))
    (error,) = ask(server)
    assert set(server.keys) == {f"bearer {KEY}"}
    assert KEY not in str(error) + caplog.text


def test_a_missing_key_names_the_variable_that_readme_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    (missing,) = ask(Server(http(401, {"error": {"message": "no key"}})))
    assert "the key is missing (HTTP 401: no key)" in str(missing)
    assert "the key in OPENAI_API_KEY" in str(missing)
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    assert "key in `OPENAI_API_KEY`" in readme
    monkeypatch.setenv("TEXTCENTRIC_API_KEY", KEY)
    (refused,) = ask(Server(http(401, {"error": {"message": "no key"}})))
    assert "the key was refused (HTTP 401: no key)" in str(refused)
    assert "the key in TEXTCENTRIC_API_KEY" in str(refused)


def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEXTCENTRIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    ask(server)
    assert server.keys == ["bearer empty"]


def test_no_more_requests_than_allowed_are_out_at_once() -> None:
    server = Server(delay=0.02)
    responses = ask(server, requests=12, settings={"concurrency": 4})
    assert (len(responses), server.most) == (12, 4)


def test_a_missing_address_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEXTCENTRIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="TEXTCENTRIC_BASE_URL"):
        OpenAIEngine("m")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart(field: str) -> None:
    message: dict[str, Any] = {field: "It is a dog."}
    (response,) = ask(Server(completion("Calm.", **message)))
    assert (response.text, response.reasoning) == ("Calm.", "It is a dog.")


# ---- a real vLLM server

SERVER = (
    "-m vllm.entrypoints.openai.api_server --served-model-name packaged --host 127.0.0.1"
    " --dtype bfloat16 --enforce-eager --no-enable-chunked-prefill --max-model-len 2048"
    " --max-num-batched-tokens 2048 --enable-prompt-tokens-details"
)


@contextmanager
def vllm_server() -> Iterator[str]:
    """Run vLLM's own server with the packaged model and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *SERVER.split(), "--model", str(packaged_model())]
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    command += ["--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def wait_for(url: str, server: "subprocess.Popen[bytes]", seconds: float = 400) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"vLLM's server did not come up (exit code {server.poll()})")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_vllm_server_keeps_seeds_prefill_schema_and_reports_its_cache() -> None:
    pytest.importorskip("vllm")
    row = Message("user", "A gentle dog. " * 100 + "\n\nSay it differently.")
    count = (
        Message("user", "Count from one to ten in digits."),
        Message("assistant", "1, 2, 3, 4,"),
    )
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["dog", "cat"]}},
        "required": ["kind"],
        "additionalProperties": False,
    }
    sampling = Sampling(temperature=0.8, seed=5, max_tokens=20)

    async def run(url: str) -> list[Any]:
        async with OpenAIEngine(base_url=url) as engine:
            await engine.start()
            assert engine.limits().context == 2048
            return [
                await engine.generate(Request((row,), engine.model, sampling)),
                await engine.generate(Request((row,), engine.model, sampling)),
                await engine.generate(Request(count, engine.model, Sampling(0, max_tokens=12))),
                await engine.generate(Request((row,), engine.model, sampling, schema=schema)),
                await asyncio.gather(
                    engine.generate(Request((Message("user", "dog " * 3000),), "m", sampling)),
                    return_exceptions=True,
                ),
            ]

    with vllm_server() as url:
        first, again, counted, structured, (too_long,) = asyncio.run(run(url))
    assert first.text == again.text
    assert again.cached_tokens >= 256
    assert counted.text.lstrip().startswith("5, 6, 7")
    assert json.loads(structured.text)["kind"] in ("dog", "cat")
    assert isinstance(too_long, RequestError)
    assert too_long.kind == "too_long"
