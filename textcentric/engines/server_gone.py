"""The error of a server that cannot be used, with what to look at."""

from __future__ import annotations

from urllib.parse import urlsplit

from textcentric.engines.address import speaks_tls
from textcentric.engines.credentials import has_key, key_variable
from textcentric.engines.server_faults import Fault
from textcentric.errors import EngineError, option


async def useless(fault: Fault, base: str, model: str) -> EngineError:
    """Return the error of a server at `base` of which no request can come back."""
    why = str(fault)
    if fault.status in (401, 403):
        why = f"the key {'was refused' if has_key() else 'is missing'} ({why})"
    cure = await _cure(fault, base)
    return EngineError(
        f"the server at {base} cannot be used: {why}{f'; {cure}' if cure else ''}",
        model=model or None,
    )


async def _cure(fault: Fault, base: str) -> str:
    if fault.kind == "redirect" or (fault.kind == "connection" and fault.hopeless):
        return ""  # it says itself what to do
    if fault.status == 402:
        return f"the account of the key in {key_variable()} has to be filled up"
    if fault.kind == "connection" and base.startswith("http://") and await speaks_tls(base):
        secure = base.replace("http://", "https://", 1)
        return f"that port speaks TLS: give {option('base_url', secure)}"
    if fault.status == 400 and "https" in str(fault).lower():
        return _cure_of_plain(base)
    hint = "; most addresses end in /v1" if fault.status == 404 else ""
    if not fault.reached and base.startswith("https://") and urlsplit(base).port not in (None, 443):
        hint = f"; where that port is a plain one, give {base.replace('https://', 'http://', 1)}"
    return f"check that it runs, its address and the key in {key_variable()}{hint}"


def _cure_of_plain(base: str) -> str:
    secure = base.replace("http://", "https://", 1)
    return f"where TLS is asked for, give {option('base_url', secure)}"
