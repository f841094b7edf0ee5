"""The terminal: messages for people, quiet libraries, and signals."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[str], None]


def say(line: str) -> None:
    """Print a message for people."""
    print(line, file=sys.stderr, flush=True)


def silence(verbose: bool) -> None:
    """Keep libraries' own logs and bars off the screen, unless asked for."""
    if verbose:
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "INFO")
        return
    for name in ("transformers", "sentence_transformers", "httpx", "openai", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@contextmanager
def plain_warnings(tell: Tell) -> Iterator[None]:
    """Tell our warnings as messages, without the place in the code; drop other libraries'."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=UserWarning, module=r"textcentric\.")
        warnings.showwarning = lambda message, *rest: tell(str(message))
        yield


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end what is done inside the way Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def telling(*, quiet: bool, verbose: bool) -> Iterator[Tell]:
    """Set up the process of a command; what is yielded tells people, unless they want quiet."""
    silence(verbose)
    tell: Tell = (lambda line: None) if quiet else say
    with plain_warnings(tell), terminable():
        yield tell
