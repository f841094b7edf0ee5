"""Secrets, removed by their values from every text that leaves the process.

Those of the environment are known by the names of their variables; whoever takes one from
elsewhere (an address, a header) says so with `keep_secret`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from urllib.parse import unquote, urlsplit

from textcentric.security.forms import ESCAPED, Pattern, forms, patterns, replaced

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
    values = tuple(_values())
    if ESCAPED.search(text):
        for pattern in _patterns_of(values):
            text = replaced(text, pattern, HIDDEN)
    for form in _forms_of(values):
        if form in text:
            text = text.replace(form, HIDDEN)
    return text


@lru_cache(maxsize=8)
def _forms_of(values: tuple[str, ...]) -> list[str]:
    """Return the forms that a value has as a whole, the longest first."""
    known = {form for value in values for each in _parts(value) for form in forms(each)}
    return sorted(known, key=len, reverse=True)


@lru_cache(maxsize=8)
def _patterns_of(values: tuple[str, ...]) -> list[Pattern]:
    """Return what finds values sign by sign, the longest first."""
    known = {line for value in values for line in _lines(value)}
    return [p for line in sorted(known, key=len, reverse=True) for p in patterns(line)]


def _parts(value: str) -> list[str]:
    return list(dict.fromkeys([value, *_lines(value)]))


def _lines(value: str) -> list[str]:
    return [line for line in value.splitlines() if _is_secret(line)]


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
