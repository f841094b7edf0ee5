"""How requests reach a server, and what of its answers is let in: bounded in bytes and in time.

Nothing is sent but to the address that was given: no redirect is followed, and a proxy of the
environment is used for other machines only.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textcentric.engines.address import proxy_for
from textcentric.engines.server_faults import Fault, malformed, of_error, of_status, one_line
from textcentric.errors import ConfigError
from textcentric.security.logs import keep_logs_clean
from textcentric.values import Json

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
KIB, MIB = 1 << 10, 1 << 20
MOST_OF_A_LIST = 8 * MIB  # of models
MOST_OF_AN_ERROR = 64 * KIB  # the rest is not read
LEAST, A_TOKEN = MIB, 512  # bytes of an answer: of any, and of each token with its log-probability
SENT = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
}
OF_PROXIES = frozenset({403, 407, 502, 503, 504})  # statuses that a proxy gives too
OWN_FILES = 64  # descriptors that the rest of the process may need


class Transport:
    """Calls to the server at `base`: JSON in, JSON out, or a `Fault`.

    `headers` go with every request. `seconds` is the time that one call may take in all.
    Raises ConfigError where a proxy of the environment cannot be used.
    """

    def __init__(self, base: str, headers: Mapping[str, str], *, seconds: float):
        import httpx

        keep_logs_clean()
        self.base, self.seconds = base, seconds
        self.proxy = proxy_for(base)
        self._headers = {**SENT, **headers}
        self._tls = httpx.create_ssl_context()
        self._clients: list[httpx.AsyncClient] = []
        self._free = [self._opened()]

    def _opened(self) -> httpx.AsyncClient:
        """Return a client of one connection: a pool looks at all of its own for every request."""
        import httpx

        client = httpx.AsyncClient(
            transport=self._wire(httpx.Limits(max_connections=1, max_keepalive_connections=1)),
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=min(self.seconds, CONNECT_SECONDS)),
            follow_redirects=False,
            trust_env=False,
        )
        self._clients.append(client)
        return client

    def _wire(self, limits: httpx.Limits) -> httpx.AsyncHTTPTransport:
        import httpx

        url = self.proxy.url if self.proxy else None
        try:
            return httpx.AsyncHTTPTransport(verify=self._tls, proxy=url, limits=limits)
        except (ImportError, ValueError) as error:  # a kind of proxy that httpx does not know
            shown = self.proxy.shown if self.proxy else ""
            raise ConfigError(
                f"the proxy {shown} of the environment cannot be used ({one_line(str(error))});"
                " name another in HTTPS_PROXY, or leave the server out of it by NO_PROXY"
            ) from error

    @contextmanager
    def _lent(self) -> Iterator[httpx.AsyncClient]:
        """Lend the client that was used last; there are as many as calls were under way at once."""
        client = self._free.pop() if self._free else self._opened()
        try:
            yield client
        finally:
            self._free.append(client)

    async def get(self, path: str, *, most: int = MOST_OF_A_LIST, seconds: float = 0.0) -> Json:
        """Return what lies at `path` below the base; raises Fault."""
        return await self._call("GET", self.base + path, None, most, seconds or self.seconds)

    async def post(self, path: str, body: Json, *, most: int, above: bool = False) -> Json:
        """Return the answer to `body`, of at most so many bytes; raises Fault.

        With `above` the path stands beside /v1 and not below it.
        """
        base = self.base.removesuffix("/v1") if above else self.base
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        sent = content.encode("utf-8", "replace")
        return await self._call("POST", base + path, sent, most, self.seconds)

    async def _call(
        self, method: str, url: str, content: bytes | None, most: int, seconds: float
    ) -> Json:
        try:
            with self._lent() as client:
                async with asyncio.timeout(seconds):
                    async with client.stream(method, url, content=content) as response:
                        body = await _read(response, most)
        except TimeoutError:
            slow = Fault(f"no whole answer within {seconds:g} s", "timeout", again=True)
            raise self._through(slow) from None
        except Fault as fault:
            raise (self._through(fault) if fault.status in OF_PROXIES else fault) from None
        except Exception as error:  # whatever the client makes of a stranger's bytes
            raise self._through(of_error(error, self.base)) from error
        return _as_json(body)

    def _through(self, fault: Fault) -> Fault:
        """Return a fault that also names the proxy that is in the way."""
        if self.proxy:
            fault.args = (f"{fault} (through the proxy {self.proxy.shown})",)
        return fault

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.aclose()


async def _read(response: httpx.Response, most: int) -> bytes:
    """Return the body of an answer; raises Fault for any other, and for more than `most` bytes."""
    if not response.is_success:
        said = await _first(response, MOST_OF_AN_ERROR)
        heads = (response.headers.get(name, "") for name in ("retry-after", "location"))
        raise of_status(response.status_code, said, *heads)
    if (packed := response.headers.get("content-encoding", "identity").lower()) != "identity":
        raise malformed(f"the answer is packed ({packed}), which it was asked not to be")
    body = await _first(response, most + 1)
    if len(body) > most:
        raise Fault(f"the answer is longer than {most:,} bytes, so it was broken off", "too_large")
    return body


async def _first(response: httpx.Response, most: int) -> bytes:
    """Return at most the first `most` bytes; where there are more, the connection is closed."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        parts.append(part)
        size += len(part)
        if size >= most:
            break
    return b"".join(parts)[:most]


def _as_json(body: bytes) -> Json:
    try:
        value: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        said = one_line(body[:MOST_OF_AN_ERROR].decode("utf-8", "replace"))
        raise malformed(f"the answer is not JSON: {said!r:.200}") from error
    return value


def most_of_an_answer(tokens: int, answers: int = 1) -> int:
    """Return the bytes that so many answers of so many tokens may take, generously.

    >>> most_of_an_answer(256)
    1179648
    """
    return LEAST + A_TOKEN * tokens * answers


def most_connections(asked: int) -> int:
    """Return how many of the connections asked for the limit of open files leaves room for."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        taken = len(os.listdir("/proc/self/fd"))
    except (ImportError, OSError):  # not on Windows; no /proc on macOS
        return asked
    return max(1, min(asked, limit - taken - OWN_FILES))
