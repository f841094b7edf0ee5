"""What a server does instead of answering: each fault with its kind, in the server's own words."""

from __future__ import annotations

import errno
import json
import math
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from textcentric.engines.address import as_base
from textcentric.errors import ConfigError, DataError, cut, option
from textcentric.security.foreign import foreign
from textcentric.security.secrets import hidden
from textcentric.security.visible import visible
from textcentric.values import Json

MOST_WORDS = 300  # characters that are kept of what a server says
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
GATEWAY = frozenset({502, 503, 504})  # what stands before the server, or itself: nobody is there
HOPELESS = frozenset({401, 402, 403, 404})
REFUSALS = frozenset({400, 422, 500, 501})
_TOO_LONG = ("maximum context length", "context_length_exceeded", "max_model_len")
_NO_MONEY = "insufficient_quota"
_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")


class Fault(Exception):
    """A call without an answer, in one clean line; `kind` is how it is counted.

    `again` says whether another try may help, `hopeless` that no request can succeed, `reached`
    that somebody was there, and `pause` the seconds that the server asks to wait.
    """

    def __init__(
        self,
        said: str,
        kind: str,
        *,
        status: int | None = None,
        again: bool = False,
        hopeless: bool = False,
        reached: bool = True,
        pause: float = 0.0,
    ):
        super().__init__(one_line(said))
        self.kind, self.status = kind, status
        self.again, self.hopeless, self.reached = again, hopeless, reached
        self.pause = pause


def one_line(text: str) -> str:
    """Return foreign text as a message may hold it: short, visible, without secrets."""
    return visible(" ".join(hidden(text).split()))[:MOST_WORDS]


def malformed(why: str) -> Fault:
    """Return the fault of an answer that cannot be read; the next one may be better."""
    return Fault(why, "malformed", again=True)


def of_status(status: int, body: bytes, retry_after: str = "", location: str = "") -> Fault:
    """Return the fault of an answer whose status says that it is none."""
    if 300 <= status < 400:
        return _redirected(status, location)
    said, code = sentence(body), _code(body)
    too_long = any(words in text for words in _TOO_LONG for text in (said, code))
    return Fault(
        f"HTTP {status}: {said}" if said else f"HTTP {status}",
        "too_long" if too_long else f"http_{status}",
        status=status,
        again=status in RETRIED,
        hopeless=status in HOPELESS or code == _NO_MONEY,
        pause=asked_pause(retry_after),
    )


def _redirected(status: int, location: str) -> Fault:
    where = one_line(location) or "another address"
    try:
        meant = option("base_url", one_line(as_base(location)))
    except ConfigError:
        meant = option("base_url")
    return Fault(
        f"HTTP {status}: it sends on to {where}, and requests go nowhere but to the address that"
        f" was given; if that one is meant, give it: {meant}",
        "redirect",
        status=status,
        hopeless=True,
    )


def sentence(body: bytes) -> str:
    """Return what a server says of an error, out of the forms that servers use.

    >>> sentence(b'{"error": {"message": "seed is not supported"}}')
    'seed is not supported'
    >>> sentence(b'{"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}]}')
    'seed: Extra inputs'
    """
    value = _json(body)
    if value is None:
        return one_line(body.decode("utf-8", "replace"))
    return one_line(_words(value) or json.dumps(value))


def _words(value: Json, depth: int = 3) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(one, depth - 1) for one in value[:3])))
    if not isinstance(value, dict) or not depth:
        return ""
    if isinstance(value.get("msg"), str):
        where = value.get("loc")
        path = [str(one) for one in where if one != "body"] if isinstance(where, list) else []
        return f"{'.'.join(path)}: {value['msg']}" if path else value["msg"]
    names = ("error", "message", "detail", "errors")
    return next((words for name in names if (words := _words(value.get(name), depth - 1))), "")


def _code(body: bytes) -> str:
    value = _json(body)
    error = value.get("error") if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else ""


def _json(body: bytes) -> Json:
    """Return a body as JSON, None where it is none."""
    try:
        value: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


def asked_pause(text: str) -> float:
    """Return the seconds that Retry-After asks for (a number or a date), 0 for anything else.

    >>> asked_pause("1.5"), asked_pause("soon"), asked_pause("nan")
    (1.5, 0.0, 0.0)
    """
    text = text.strip()[:64]
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text)
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _seconds_until(date: str) -> float:
    try:
        with foreign("Retry-After"):
            when = parsedate_to_datetime(date)
            return (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except DataError:
        return 0.0


def of_error(error: BaseException, address: str) -> Fault:
    """Return the fault of a call in which no answer arrived, by what is at the bottom of it."""
    reached = type(error).__name__ not in ("ConnectError", "ConnectTimeout", "ProxyError")
    for root in _roots(error):
        if why := _why(root, address):
            return Fault(why, "connection", hopeless=not reached, reached=reached)
    return Fault(_said(error), "connection", again=True, reached=reached)


def _said(error: BaseException) -> str:
    if type(error).__name__.endswith("Timeout"):
        return "no connection came about in time"
    if any(isinstance(root, ConnectionRefusedError) for root in _roots(error)):
        return "nobody listens there (connection refused)"
    said = one_line(str(error))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _why(root: BaseException, address: str) -> str:
    """Return what makes an address useless, whoever tries again; empty where another try helps."""
    if isinstance(root, socket.gaierror) and root.errno in (socket.EAI_NONAME, socket.EAI_FAIL):
        return f"no such name is known (DNS: {root.strerror}); check the address"
    if isinstance(root, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted here ({root.verify_message}); SSL_CERT_FILE can name"
            " the authority that signed it"
        )
    if isinstance(root, ssl.SSLError) and any(words in str(root) for words in _PLAIN):
        plain = address.replace("https://", "http://", 1)
        return f"no TLS is spoken at that port; if it is a plain one, give {plain}"
    if isinstance(root, OSError) and root.errno in (errno.EMFILE, errno.ENFILE):
        return (
            "this process has too many open files for another connection: raise the limit"
            f" (`ulimit -n`), or send less at a time: {option('engine.concurrency', 16)}"
        )
    if type(root).__name__ in ("UnsupportedProtocol", "InvalidURL", "LocalProtocolError"):
        return f"{cut(address)} cannot be asked ({type(root).__name__})"
    return ""


def _roots(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it came from, and the members of groups, each once."""
    waiting, known = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        yield one
        waiting += [e for e in (one.__cause__, one.__context__) if e is not None]
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
