"""The address of a server: as people write it, as a client needs it, and who stands in between."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from textcentric.errors import ConfigError, option
from textcentric.fields import bare_address

EXAMPLE = "http://127.0.0.1:8000/v1"
ENDPOINTS = re.compile(r"/(?:chat/completions|completions|models|responses|embeddings)$")
TWICE = re.compile(r"(/v\d+)(?:/+v\d+)+$")
VERSION = re.compile(r"/v\d+[a-z0-9]*(?:/|$)")
TLS_SECONDS = 3.0


class Proxy(NamedTuple):
    """A proxy of the environment: its address for a client, and as people may see it."""

    url: str
    shown: str


def as_base(url: str) -> str:
    """Return an address without what is too much in it, and with the scheme it may lack.

    Raises ConfigError for what is no address of a server.

    >>> as_base(" localhost:8000/v1/chat/completions "), as_base("api.example.org/v1/v1/")
    ('http://localhost:8000/v1', 'https://api.example.org/v1')
    """
    text = url.strip()
    bare_address(text)
    if "://" not in text:
        text = f"{_scheme_for(text)}://{text.lstrip('/')}"
    parts = _split(text)
    path = ENDPOINTS.sub("", re.sub(r"/{2,}", "/", parts.path.rstrip("/")))
    path = TWICE.sub(r"\1", path.rstrip("/"))
    return f"{parts.scheme.lower()}://{parts.netloc}{path}"


def _split(text: str) -> SplitResult:
    expected = f"expected an address like {EXAMPLE}: {option('base_url', EXAMPLE)}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"base_url {text!r:.80} is no address ({error}); {expected}") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise ConfigError(f"base_url {text!r:.80}: {parts.scheme!r:.20} is not http; {expected}")
    if not host or port == 0 or not re.fullmatch(r"[\w.:%-]+", host):
        raise ConfigError(f"base_url {text!r:.80} names no server; {expected}")
    return parts


def _scheme_for(text: str) -> str:
    """Return the scheme that an address without one means: a port or a number is one's own."""
    host = re.split(r"[/?#]", text.lstrip("/"))[0]
    own = ":" in host or is_loopback(host) or _number(host) is not None
    return "http" if own else "https"


def variants_of(base: str) -> list[str]:
    """Return the address, and the one that is meant where people leave /v1 out."""
    return [base] if VERSION.search(urlsplit(base).path) else [base, f"{base}/v1"]


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    host = host.strip("[]").lower()
    number = _number(host)
    if number is not None:
        return number.is_loopback or number.is_unspecified
    return host == "localhost" or host.endswith(".localhost")


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def proxy_for(base: str) -> Proxy | None:
    """Return the proxy that the environment names for an address; none for this machine itself."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    proxies = getproxies()
    url = proxies.get(parts.scheme) or proxies.get("all")
    if not url or is_loopback(host) or proxy_bypass(host):
        return None
    url = url if "://" in url else f"http://{url}"
    return Proxy(url, re.sub(r"//[^/]*@", "//", url))


async def speaks_tls(base: str) -> bool:
    """Say whether a TLS server listens at an address of plain http; nothing is sent but a greeting.

    Its certificate is not looked at: it gets no request.
    """
    parts = urlsplit(base)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(TLS_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, ssl=context)
    except (OSError, TimeoutError):  # an SSLError is an OSError
        return False
    writer.close()
    return True
