"""Decoders of pictures that say nothing by themselves: what is wrong is told once, by the row.

Pillow warns and logs, and libtiff writes to the terminal itself, past Python: thousands of lines for a
folder of damaged pictures.
"""

from __future__ import annotations

import ctypes
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_WARNINGS = ("ignore", None, Warning, re.compile(r"PIL\b"), 0)
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
