"""The terminal: messages for people, quiet libraries, and signals."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from textcentric.errors import Say
from textcentric.security.secrets import hidden
from textcentric.security.visible import INVISIBLE, in_line, printable

_asked: dict[str, bool | None] = {"verbose": None}


def say(line: str) -> None:
    """Print a message for people: what is foreign in it cannot act, what is secret is not there."""
    print(printable(line), file=sys.stderr, flush=True)


def show(text: object = "", *, end: str = "\n") -> None:
    """Print a result for people, as `say` does a message."""
    print(printable(str(text)), end=end, flush=True)


def show_json(value: object, *, indent: int | None = None) -> None:
    """Print a result for programs; control characters are escaped, secrets are not there.

    What JSON does not know (paths, records of labels) is its text.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    if hidden(text) != text:
        text = json.dumps(_without_secrets(value), ensure_ascii=False, indent=indent, default=str)
    escaped = INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    print(escaped, flush=True)


def _without_secrets(value: object) -> object:
    """Return a value of JSON with its texts cleaned, so that it stays JSON."""
    if isinstance(value, Mapping):
        return {hidden(str(key)): _without_secrets(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(held) for held in value]
    return value if value is None or isinstance(value, bool | int | float) else hidden(str(value))


def silence(verbose: bool) -> None:
    """Keep libraries' own logs and bars off the screen, unless asked for."""
    _asked["verbose"] = verbose
    if verbose:
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "INFO")
        logging.basicConfig()
        logging.getLogger("textcentric").setLevel(logging.DEBUG)  # tracebacks that are kept
        return
    for name in ("transformers", "sentence_transformers", "httpx", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def nothing_asked() -> None:
    """Begin a command: it has not said yet how much it tells."""
    _asked["verbose"] = None


def asked_for_more() -> bool | None:
    """Say whether -v was given; None where the command has no -v, or has not got to it."""
    return _asked["verbose"]


@contextmanager
def plain_warnings(tell: Say) -> Iterator[None]:
    """Tell our warnings as messages, without the place in the code; drop other libraries'."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=UserWarning, module=r"textcentric\.")
        warnings.showwarning = lambda message, *rest: tell(str(message))
        yield


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end what is done inside the way Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C would do now: an event loop ends its tasks in order, other code is left."""
    now = signal.getsignal(signal.SIGINT)
    (now if callable(now) else signal.default_int_handler)(signal.SIGINT, frame)


@contextmanager
def telling(*, quiet: bool, verbose: bool) -> Iterator[Say]:
    """Set up the process of a command; what is yielded tells people, unless they want quiet."""
    silence(verbose)
    tell: Say = (lambda line: None) if quiet else say
    with plain_warnings(tell), terminable():
        yield tell


def columns(rows: Sequence[Sequence[object]], header: Sequence[str] = ()) -> str:
    """Return `rows` as aligned columns, a line each; numbers stand to the right.

    >>> print(columns([["noise", 12], ["style", 3]], ["prompt", "n"]))
    prompt   n
    noise   12
    style    3
    """
    numeric = [
        all(isinstance(cell, int | float) for cell in column) for column in zip(*rows, strict=True)
    ]
    lines = [[in_line(cell) for cell in row] for row in ([header] * bool(header) + list(rows))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = numeric or [False] * len(widths)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )
