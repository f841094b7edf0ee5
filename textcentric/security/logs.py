"""Logs without secrets: libraries repeat addresses, headers and what servers say."""

from __future__ import annotations

import logging
import traceback

from textcentric.security.secrets import hidden

LIBRARIES = frozenset(  # that speak with servers, or repeat what others raise
    "asyncio datasets httpcore httpx huggingface_hub textcentric transformers urllib3 vllm".split()
)
_before = logging.getLogRecordFactory()


def keep_logs_clean() -> None:
    """Have the records of `LIBRARIES` made without secrets from now on, by whoever logs."""
    global _before
    if logging.getLogRecordFactory() is not _clean:
        _before = logging.getLogRecordFactory()
        logging.setLogRecordFactory(_clean)


def _clean(*args: object, **kwargs: object) -> logging.LogRecord:
    record: logging.LogRecord = _before(*args, **kwargs)
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
