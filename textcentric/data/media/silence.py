"""Decoders that say nothing by themselves: what is wrong with a file is told once, by its row.

Pillow warns and logs; libtiff and the decoder of MP3 write to the terminal themselves, past Python,
thousands of lines for a folder of damaged files.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock

_WARNINGS = ("ignore", None, Warning, re.compile(r"PIL\b"), 0)
_STDERR = 2
_one_at_a_time = Lock()
_HANDLERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")


def say_nothing() -> None:
    """Have Pillow and its libraries write nothing, in all threads; errors are raised as before."""
    if _WARNINGS not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\b")
    _silence_once()


@lru_cache(maxsize=1)
def _silence_once() -> None:
    from PIL import Image  # which loads the library

    Image.init()
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python writes its errors
    for library in _loaded("libtiff"):
        for handler in _HANDLERS:
            with suppress(OSError, AttributeError):
                getattr(ctypes.CDLL(library), handler)(None)


def _loaded(name: str) -> Iterator[str]:
    """Yield the files of the libraries `name` that this process has loaded, where Linux says so."""
    with suppress(OSError):
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        paths = {line.split(maxsplit=5)[-1] for line in maps.splitlines() if "/" in line}
        yield from sorted(path for path in paths if Path(path).name.startswith(name))


@contextmanager
def without_stderr() -> Iterator[None]:
    """Lose what is written to the terminal's error stream meanwhile, by whichever thread.

    For short calls into decoders that cannot be told to be silent; one thread at a time.
    """
    with _one_at_a_time:
        try:
            kept = os.dup(_STDERR)
        except OSError:  # closed: nothing can be written
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
