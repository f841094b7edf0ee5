"""Logs without secrets: libraries repeat addresses, headers and what servers say."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

from textcentric.security.secrets import hidden

LIBRARIES = frozenset(  # that speak with servers, or repeat what others raise
    "asyncio datasets httpcore httpx huggingface_hub textcentric transformers urllib3 vllm".split()
)


class Clean:
    """Make records as `before` does, those of `LIBRARIES` without secrets."""

    def __init__(self, before: Callable[..., logging.LogRecord]):
        self.before = before

    def __call__(self, *args: object, **kwargs: object) -> logging.LogRecord:
        """Return a record."""
        record = self.before(*args, **kwargs)
        if record.name.partition(".")[0] not in LIBRARIES:
            return record
        try:
            said = record.getMessage()
        except (TypeError, ValueError, KeyError):  # of a message that does not fit its arguments
            return record
        if (kept := hidden(said)) != said:
            record.msg, record.args = kept, ()
        if record.exc_info and record.exc_info[0]:
            record.exc_text = hidden("".join(traceback.format_exception(*record.exc_info))).rstrip()
        return record


def keep_logs_clean() -> None:
    """Have the records of `LIBRARIES` made without secrets from now on, by whoever logs."""
    now = logging.getLogRecordFactory()
    if not _is_clean(now):
        logging.setLogRecordFactory(Clean(now))


def _is_clean(factory: object) -> bool:
    """Say whether records are made clean already, also behind a factory that vLLM puts on top."""
    while factory is not None and not isinstance(factory, Clean):
        factory = getattr(factory, "_factory", None)
    return factory is not None
