"""Secrets, removed by their values from every text that leaves the process.

Those of the environment are known by the names of their variables; whoever takes one from
elsewhere (an address, a header) says so with `keep_secret`.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from urllib.parse import quote, unquote, urlsplit

NAMED = re.compile(r"(?:^|[_-])(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
PROXIES = re.compile(r"^(?:all|https?|ws|wss|ftp)_proxy$", re.IGNORECASE)
HIDDEN = "[secret]"
SHORTEST = 6  # characters; what is shorter would be found in ordinary words
NO_SECRETS = frozenset("dummy-key nothing no-key not-needed token-abc123 placeholder".split())
_kept: dict[str, None] = {}  # what was registered, in order


def keep_secret(value: str) -> None:
    """Have `value` left out of every text from now on."""
    if _is_secret(value.strip()):
        _kept[value.strip()] = None


def hidden(text: str) -> str:
    """Return `text` without the secrets of this process, in whatever form they stand there.

    >>> keep_secret("sk-open-sesame")
    >>> hidden("Illegal header value b'Bearer sk-open-sesame'")
    "Illegal header value b'Bearer [secret]'"
    """
    for secret in secrets():
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def secrets() -> list[str]:
    """Return every form of every secret of this process, the longest first."""
    return list(_by_length(tuple(_values())))


@lru_cache(maxsize=8)
def _by_length(values: tuple[str, ...]) -> list[str]:
    known = {form for secret in values for form in _forms(secret)}
    return sorted(known, key=len, reverse=True)


def of_address(url: str) -> Iterator[str]:
    """Yield the secret parts of an address: user and password, and what its query says.

    >>> list(of_address("https://me:open-sesame@host/v1?api_key=0123456789"))
    ['me:open-sesame', 'open-sesame', '0123456789']
    """
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        user, password = parts.netloc.rpartition("@")[0], unquote(parts.password or "")
    except ValueError:
        return
    said = re.findall(r"=([^&]*)", parts.query)
    yield from filter(_is_secret, [user, password, *map(unquote, said)])


def _values() -> Iterator[str]:
    yield from _kept
    for name in os.environ:
        if _is_named(name):
            value = os.environ[name].strip()
            yield from of_address(value) if PROXIES.match(name) else filter(_is_secret, [value])


@cache
def _is_named(name: str) -> bool:
    return bool(NAMED.search(name) or PROXIES.match(name))


def _is_secret(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in NO_SECRETS


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it stands, in an address, in a literal of Python or JSON, and in base64."""
    yield secret
    yield from (line for line in secret.splitlines() if _is_secret(line))
    yield quote(secret, safe="")
    yield secret.encode("unicode_escape").decode()
    yield base64.b64encode(secret.encode("utf-8", "surrogateescape")).decode().rstrip("=")
