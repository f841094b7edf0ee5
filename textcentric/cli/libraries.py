"""What libraries write to the screen by themselves: cleaned like every line of ours.

They log, warn and let threads die with texts of servers, files and addresses in them.
"""

from __future__ import annotations

import logging
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textcentric.cli.terminal import say
from textcentric.security.visible import printable


class CleanRecord(logging.LogRecord):
    """A line of a log, whoever writes it and wherever it goes."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.exc_info and self.exc_info[0]:
            self.exc_text = traceback_of(self.exc_info[1])

    def getMessage(self) -> str:
        """Return the line as a terminal may have it."""
        return printable(super().getMessage())


@contextmanager
def cleaned() -> Iterator[None]:
    """Have logs, warnings and the last words of threads be cleaned inside."""
    before = (logging.getLogRecordFactory(), warnings.formatwarning, threading.excepthook)
    logging.setLogRecordFactory(CleanRecord)
    warnings.formatwarning = _warning
    threading.excepthook = _last_words
    try:
        yield
    finally:
        logging.setLogRecordFactory(before[0])
        warnings.formatwarning, threading.excepthook = before[1:]


def traceback_of(error: BaseException | None) -> str:
    """Return the traceback of an error as a terminal may have it."""
    return printable("".join(traceback.format_exception(error)).rstrip("\n"))


def _warning(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> str:
    return printable(f"{category.__name__}: {message}\n")


def _last_words(died: threading.ExceptHookArgs) -> None:
    if died.exc_value is not None and not isinstance(died.exc_value, SystemExit):
        say(traceback_of(died.exc_value))
