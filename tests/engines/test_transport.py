"""What of a server's answers is let in: bodies, heads and time have bounds, redirects no effect."""

from __future__ import annotations

import asyncio
import errno
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.raw_server import HEAD, Raw, Talk, endless, talking
from textcentric.engines.server_faults import Fault
from textcentric.engines.transport import (
    MOST_OF_AN_ERROR,
    Transport,
    most_connections,
    most_of_an_answer,
)
from textcentric.errors import ConfigError

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b"a" * (1 << 16) + b"\r\n"
MANY = 50 << 20  # bytes that a server would send if it could
MOST = 100_000


def asked(talk: Talk, *, seconds: float = 20.0, most: int = MOST) -> tuple[Any, Raw]:
    """Return what one call comes to, an answer or a Fault, and the server."""

    async def run() -> tuple[Any, Raw]:
        async with talking(talk) as (base, raw):
            server = Transport(base, {}, seconds=seconds)
            try:
                return await server.post("/chat/completions", {}, most=most), raw
            except Fault as fault:
                return fault, raw
            finally:
                await server.close()

    return asyncio.run(run())


def said(answer: bytes) -> Talk:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return talk


def reply(status: int, body: bytes, *heads: bytes) -> Talk:
    head = b"HTTP/1.1 %d So\r\nContent-Length: %d\r\n" % (status, len(body))
    return said(head + b"".join(line + b"\r\n" for line in heads) + b"\r\n" + body)


def test_an_answer_within_its_bound_arrives() -> None:
    assert asked(reply(200, b'{"a": 1}'))[0] == {"a": 1}


@pytest.mark.parametrize(
    "head", [CHUNKED, HEAD + b"Content-Length: 9999999999\r\n\r\n", HEAD + b"\r\n"]
)
def test_a_body_without_end_is_broken_off_at_its_bound(head: bytes) -> None:
    piece = CHUNK if head is CHUNKED else b"a" * (1 << 16)
    sent: list[int] = []
    endlessly = endless(head, piece, at_most=MANY)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await endlessly(reader, _Counting(writer, sent))  # type: ignore[arg-type]
        finally:
            sent.append(0)

    fault, _ = asked(talk)
    assert (fault.kind, fault.again, fault.hopeless) == ("too_large", False, False)
    assert str(fault) == "the answer is longer than 100,000 bytes, so it was broken off"
    assert sum(sent) < MANY / 2


class _Counting:
    """A writer that counts what it writes."""

    def __init__(self, writer: asyncio.StreamWriter, sent: list[int]):
        self._writer, self._sent = writer, sent
        self.drain = writer.drain

    def write(self, piece: bytes) -> None:
        self._sent.append(len(piece))
        self._writer.write(piece)


def test_the_bound_follows_from_the_tokens_that_were_asked_for() -> None:
    assert most_of_an_answer(256) == (1 << 20) + 256 * 512
    assert most_of_an_answer(256, answers=4) == (1 << 20) + 4 * 256 * 512


def test_of_an_error_only_the_beginning_is_read() -> None:
    head = b"HTTP/1.1 400 No\r\nContent-Length: 9999999999\r\n\r\n"
    fault, _ = asked(endless(head, b"no " * 1000, at_most=MANY))
    assert fault.kind == "http_400"
    assert str(fault).startswith("HTTP 400: no no no")
    assert len(str(fault)) < 400 < MOST_OF_AN_ERROR


def test_heads_without_end_are_no_answer() -> None:
    fault, _ = asked(endless(HEAD, b"X-A: " + b"b" * 1000 + b"\r\n", at_most=MANY))
    assert fault.kind == "connection"


@pytest.mark.parametrize("head", [HEAD + b"Content-Length: 999\r\n\r\n", HEAD])
def test_a_server_that_drips_ends_with_the_time_of_a_call(head: bytes) -> None:
    fault, _ = asked(endless(head, b"a", at_most=999, pause=0.05), seconds=0.4)
    assert (fault.kind, str(fault)) == ("timeout", "no whole answer within 0.4 s")


def test_a_packed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * (1 << 24))
    fault, raw = asked(reply(200, bomb, b"Content-Encoding: gzip"))
    assert fault.kind == "malformed"
    assert "packed (gzip)" in str(fault)
    assert b"accept-encoding: identity" in raw.asked[0].lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["http://localhost:{port}/v1/chat/completions", "/other", ""])
def test_no_redirect_is_followed_and_the_new_address_is_named(status: int, to: str) -> None:
    others = Raw(reply(200, b"{}"))

    async def run() -> Fault:
        listening = await asyncio.start_server(others.serve, "127.0.0.1", 0)
        where = to.format(port=listening.sockets[0].getsockname()[1]).encode()
        async with listening, talking(reply(status, b"", b"Location: " + where)) as (base, _):
            server = Transport(base, {"Authorization": "Bearer sk-not-for-others"}, seconds=5)
            with pytest.raises(Fault) as caught:
                await server.post("/chat/completions", {"row": "mine"}, most=MOST)
            await server.close()
            return caught.value

    fault = asyncio.run(run())
    assert (fault.kind, fault.hopeless, others.asked) == ("redirect", True, [])
    assert (to.format(port="")[:16] or "another address") in str(fault)


def test_control_characters_of_a_redirect_are_shown() -> None:
    fault, _ = asked(reply(307, b"", b"Location: http://a\x1b[2Jb/"))
    assert "\x1b" not in str(fault)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b'{"a": ', b"[" * 50_000, b'{"a": 1e', b"\xff\xfe\x00", b"9" * 5000],
)
def test_what_is_no_json_is_malformed_and_worth_another_try(body: bytes) -> None:
    fault, _ = asked(reply(200, body))
    assert (fault.kind, fault.again) == ("malformed", True)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 two OK\r\n\r\n", b"\0"])
def test_what_is_no_http_is_a_broken_connection(answer: bytes) -> None:
    fault, _ = asked(said(answer))
    assert (fault.kind, fault.reached) == ("connection", True)


def test_half_a_letter_in_a_row_is_sent_as_a_question_mark() -> None:
    async def run() -> None:
        async with talking(reply(200, b"{}")) as (base, _):
            server = Transport(base, {}, seconds=5)
            assert await server.post("/x", {"text": "a\ud800"}, most=MOST) == {}
            await server.close()

    asyncio.run(run())


def unreachable(base: str) -> Fault:
    async def run() -> Fault:
        server = Transport(base, {}, seconds=5)
        with pytest.raises(Fault) as caught:
            await server.get("/models")
        await server.close()
        return caught.value

    return asyncio.run(run())


def test_a_name_that_nobody_knows_is_said_at_once() -> None:
    fault = unreachable("http://no-such-host.invalid/v1")
    assert (fault.hopeless, fault.reached) == (True, False)
    assert "no such name is known (DNS" in str(fault)


def test_a_port_where_nobody_listens_is_tried_again() -> None:
    fault = unreachable("http://127.0.0.1:9/v1")
    assert (fault.again, fault.hopeless, fault.reached) == (True, False, False)
    assert str(fault) == "nobody listens there (connection refused)"


def test_tls_with_a_plain_port_names_the_plain_address() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def run() -> str:
        async with await asyncio.start_server(plain, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            server = Transport(f"https://127.0.0.1:{port}/v1", {}, seconds=5)
            with pytest.raises(Fault) as caught:
                await server.get("/models")
            await server.close()
            return str(caught.value).replace(str(port), "PORT")

    assert asyncio.run(run()) == (
        "no TLS is spoken at that port; if it is a plain one, give http://127.0.0.1:PORT/v1"
    )


def test_too_many_open_files_are_called_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("socket.socket", full)
    fault = unreachable_here()
    assert "too many open files" in str(fault)
    assert "ulimit -n" in str(fault)


def unreachable_here() -> Fault:
    import httpx

    from textcentric.engines.server_faults import of_error

    try:
        httpx.get("http://127.0.0.1:9", trust_env=False)
    except httpx.HTTPError as error:
        return of_error(error, "http://127.0.0.1:9")
    raise AssertionError


def test_no_more_connections_are_opened_than_the_limit_of_files_has_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resource = pytest.importorskip("resource")
    limit: Callable[[int], tuple[int, int]] = lambda which: (100, 100)  # noqa: E731
    monkeypatch.setattr(resource, "getrlimit", limit)
    assert 1 <= most_connections(300) <= 36
    assert most_connections(1) == 1


def test_the_proxy_of_the_environment_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://me:open-sesame@127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    said = str(unreachable("http://example.org/v1"))
    assert said.endswith("(connection refused) (through the proxy http://127.0.0.1:9)")


def test_a_proxy_that_no_client_speaks_with_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://me:open-sesame@proxy:70")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ConfigError, match=r"proxy gopher://proxy:70 .* cannot be used") as caught:
        Transport("http://example.org/v1", {}, seconds=5)
    assert "sesame" not in str(caught.value)
