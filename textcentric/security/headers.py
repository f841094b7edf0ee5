"""Headers that a user has sent along: what is secret in them comes from the environment alone.

A value may name variables (`$NAME` or `${NAME}`); what is saved is the name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from textcentric.errors import ConfigError
from textcentric.security.secrets import keep_secret

REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CREDENTIALS = re.compile(
    r"auth|cookie|key|token|secret|passw|credential|signature|session", re.IGNORECASE
)
SCHEME = re.compile(r"(?:bearer|basic|token|api-?key)\b", re.IGNORECASE)
OURS = frozenset(  # they say where a request and its answer end, and how they are written
    "accept-encoding connection content-encoding content-length content-type expect host te"
    " trailer transfer-encoding upgrade".split()
)


def check_headers(headers: object) -> None:
    """Raise ConfigError for what cannot be a header, or holds a secret that would be saved."""
    if not isinstance(headers, Mapping):
        raise ConfigError("engine.headers: expected names with their values, {Name: value}")
    for name, value in headers.items():
        where = f"engine.headers, {name!r:.60}"
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ConfigError(f"{where}: expected the name of a header, such as X-Title")
        if name.lower() in OURS:
            raise ConfigError(f"{where}: the engine sets this header itself; leave it out")
        if not isinstance(value, str) or not is_header_value(value):
            raise ConfigError(f"{where}: expected one line of ASCII text as its value")
        if _holds_credentials(name, value):
            raise ConfigError(
                f"{where} looks like a secret, and settings are saved: put it into an environment"
                f" variable and name that, {{{name}: $NAME}}"
            )


def resolved(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with the variables that they name; those values are secrets from now on.

    Raises ConfigError where a variable is not set, or holds what no header can.
    """
    return {name: REFERENCE.sub(_value_of, value) for name, value in headers.items()}


def is_header_value(value: str) -> bool:
    """Say whether `value` can be sent as a header: visible ASCII and blanks."""
    return value.isascii() and value.isprintable()


def sendable(variable: str) -> str:
    """Return what an environment variable holds, without blanks and line ends around it.

    Raises ConfigError, which does not repeat it, where it holds what no header can.
    """
    value = os.environ.get(variable, "").strip()
    if not is_header_value(value):
        raise ConfigError(
            f"the value of {variable} holds a line break, a control character or a letter that is"
            " not ASCII, so it cannot be sent in a header; set it again, in one line"
        )
    return value


def _value_of(reference: re.Match[str]) -> str:
    variable = reference[1] or reference[2]
    value = sendable(variable)
    if not value:
        raise ConfigError(f"engine.headers names ${variable}, which is not set in the environment")
    keep_secret(value)
    return value


def _holds_credentials(name: str, value: str) -> bool:
    """Say whether `value` says itself what should be named: all but a scheme such as Bearer."""
    literal = REFERENCE.sub("", value).strip()
    rest = SCHEME.sub("", literal, count=1).strip()
    return bool(rest) and (rest != literal or bool(CREDENTIALS.search(name)))
