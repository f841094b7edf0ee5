"""What a server may learn of who asks: the key of the environment, and headers of the user's."""

from __future__ import annotations

import os
from collections.abc import Mapping

from textcentric.security.headers import check_headers, resolved, sendable

KEYS = ("TEXTCENTRIC_API_KEY", "OPENAI_API_KEY")  # the first that is set; README names the last
NO_KEY = "EMPTY"  # what servers of one's own expect


def key_variable() -> str:
    """Return the variable that holds the key, or is to hold it."""
    return next((name for name in KEYS if os.environ.get(name, "").strip()), KEYS[-1])


def has_key() -> bool:
    """Say whether a key is set."""
    return bool(os.environ.get(key_variable(), "").strip())


def request_headers(own: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of every request: the key's, and the user's `own`.

    Raises ConfigError, which never repeats a value, where one of them cannot be sent.
    """
    check_headers(own)
    key = sendable(key_variable()) or NO_KEY
    return {"Authorization": f"Bearer {key}"} | {
        name if name.lower() != "authorization" else "Authorization": value
        for name, value in resolved(own).items()
    }
