"""Addresses as people write them."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from textcentric.engines.address import as_base, is_loopback, proxy_for, speaks_tls, variants_of
from textcentric.errors import ConfigError

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("  http://127.0.0.1:8000/v1/\n", "http://127.0.0.1:8000/v1"),
        ("http://host/v1/chat/completions", "http://host/v1"),
        ("http://host/v1/chat/completions/", "http://host/v1"),
        ("http://host/v1/models", "http://host/v1"),
        ("http://host/v1/v1", "http://host/v1"),
        ("http://host/v1//v1/", "http://host/v1"),
        ("http://host//v1", "http://host/v1"),
        ("HTTP://host/v1", "http://host/v1"),
        ("host:8000", "http://host:8000"),
        ("127.0.0.1/v1", "http://127.0.0.1/v1"),
        ("localhost/v1", "http://localhost/v1"),
        ("//host:1/v1", "http://host:1/v1"),
        ("api.example.org/v1", "https://api.example.org/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://host/v1beta/openai", "https://host/v1beta/openai"),
    ],
)
def test_an_address_that_is_nearly_right_is_put_right(given: str, base: str) -> None:
    assert as_base(given) == base


@pytest.mark.parametrize(
    "given",
    ["ftp://host/v1", "http://", "http:///v1", "http://host:port/v1", "http://host:99999/v1",
     "http://ho st/v1", "http://[::1/v1", "file:///etc/passwd", "http://host:0/v1"],
)  # fmt: skip
def test_what_is_no_address_says_what_one_looks_like(given: str) -> None:
    with pytest.raises(ConfigError, match=r"expected an address like http://127\.0\.0\.1:8000/v1"):
        as_base(given)


def test_a_password_in_an_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="user, a password") as caught:
        as_base("http://me:open-sesame@host/v1")
    assert "sesame" not in str(caught.value)


def test_v1_is_tried_where_no_version_stands() -> None:
    assert variants_of("http://host") == ["http://host", "http://host/v1"]
    assert variants_of("http://host/api") == ["http://host/api", "http://host/api/v1"]
    assert variants_of("http://host/v1") == ["http://host/v1"]
    assert variants_of("http://host/v1beta/openai") == ["http://host/v1beta/openai"]


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_the_proxy_is_the_environments_and_never_this_machines(proxy: pytest.MonkeyPatch) -> None:
    assert proxy_for("http://example.org/v1") is None
    proxy.setenv("HTTP_PROXY", "http://me:open-sesame@proxy:3128")
    found = proxy_for("http://example.org/v1")
    assert found is not None
    assert found == ("http://me:open-sesame@proxy:3128", "http://proxy:3128")
    assert proxy_for("https://example.org/v1") is None
    for own in ("localhost", "127.0.0.1", "127.9.9.9", "[::1]", "a.localhost", "0.0.0.0"):
        assert is_loopback(own)
        assert proxy_for(f"http://{own}:8000/v1") is None
    proxy.setenv("NO_PROXY", "example.org")
    assert proxy_for("http://example.org/v1") is None


def test_one_proxy_may_be_named_for_all(proxy: pytest.MonkeyPatch) -> None:
    proxy.setenv("ALL_PROXY", "proxy:3128")
    found = proxy_for("https://example.org/v1")
    assert found is not None
    assert found.url == "http://proxy:3128"


def test_a_port_is_asked_whether_it_speaks_tls(tmp_path: Path) -> None:
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async def speaks(context: ssl.SSLContext | None) -> bool:
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context) as listening:
            port = listening.sockets[0].getsockname()[1]
            return await speaks_tls(f"http://127.0.0.1:{port}/v1")

    assert asyncio.run(speaks(context)) is True
    assert asyncio.run(speaks(None)) is False
