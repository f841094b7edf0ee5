"""The boundary round libraries that read foreign bytes: whatever they raise is a named problem."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from textcentric.errors import DataError, TextCentricError, cut

log = logging.getLogger(__name__)
_PANIC = "PanicException"  # of libraries in Rust; no Exception, though their work is lost alone


@contextmanager
def foreign(
    what: str,
    problem: Callable[[str], TextCentricError] = DataError,
    *,
    cure: str = "",
) -> Iterator[None]:
    """Turn whatever is raised inside into `problem`, with `what` was read and why it cannot be.

    For calls into decoders and parsers alone: a list of the exceptions that a library may raise is
    never complete. Where it was raised is logged, which `-v` shows; errors of this package and
    Ctrl-C go through.

    >>> with foreign("the date of row 'r1'"):
    ...     {}["day"]
    Traceback (most recent call last):
    textcentric.errors.DataError: the date of row 'r1' cannot be read (KeyError: 'day')
    """
    try:
        yield
    except TextCentricError:
        raise
    except BaseException as error:  # MemoryError and RecursionError among them
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        trace(what, error)
        raise problem(f"{what} cannot be read ({reason(error)}){cure}") from error


def trace(what: object, error: BaseException) -> None:
    """Log where a library raised an error over `what`; `-v` shows it."""
    log.debug("%s", what, exc_info=error)


def reason(error: BaseException) -> str:
    """Return what an exception says, in one short line, with its type.

    >>> reason(KeyError("a"))
    "KeyError: 'a'"
    """
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {cut(said)}" if said else type(error).__name__
