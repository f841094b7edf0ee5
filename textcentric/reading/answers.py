"""What readers called the pairs: appended to the run, never rewritten, the last word counts.

Each answer is one line of `reading/answers.jsonl`, written in one step under a lock and flushed to
the disk, so that two readers who save at once lose nothing and a kill costs at most a line of which
only a part was written; such a line is passed over.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from textcentric.errors import DataError, unknown
from textcentric.folders import writing
from textcentric.reading.sheet import Sheet, folder_of
from textcentric.security.files import open_real, read_bytes

ANSWERS = "answers.jsonl"
WORDS = {
    "same": "says the same: other wording, tone, recognisable misspellings",
    "less": "true, but something is left out",
    "changed": "says what the source does not say",
    "garbled": "the altered part has no meaning, or ends in the middle",
}
KEYS = {word[0]: word for word in WORDS}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one reader called one pair of a sheet.

    `word` is "" where an answer was taken back; `edited` are the parts as the reader mended them.
    """

    sheet: str
    item: str
    reader: str
    word: str
    who: str = "a person"
    edited: Mapping[str, str] | None = None
    at: str = ""


def word_of(said: str) -> str:
    """Return the word that `said` is, a letter among them; raises DataError with the nearest."""
    word = said.strip().lower()
    word = KEYS.get(word, word)
    if word not in WORDS:
        raise DataError(unknown("word", said.strip(), WORDS) + " (or their first letters)")
    return word


def append(run: Path, answers: Iterable[Answer]) -> None:
    """Append answers to those of `run`; raises StoppedError where that cannot be written."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    lines = "".join(
        json.dumps({**asdict(answer), "at": answer.at or now}, ensure_ascii=False) + "\n"
        for answer in answers
    )
    path = folder_of(run) / ANSWERS
    with writing(path):
        file = open_real(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            _write(file, (("\n" if torn else "") + lines).encode())
            os.fsync(file)
        finally:
            os.close(file)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def read_answers(run: Path, sheet: Sheet | None = None) -> list[Answer]:
    """Return the answers that stand, by pair and reader; of `sheet` alone where it is given."""
    latest: dict[tuple[str, str, str], Answer] = {}
    path = folder_of(run) / ANSWERS
    for line in _lines(path):
        answer = _parsed(line)
        if answer is not None:
            latest[answer.sheet, answer.item, answer.reader] = answer
    digest = sheet.digest if sheet else ""
    return sorted(
        (a for a in latest.values() if a.word and digest in ("", a.sheet)),
        key=lambda answer: (answer.sheet, answer.item, answer.reader),
    )


def _lines(path: Path) -> list[str]:
    if not os.path.lexists(path):
        return []
    return read_bytes(path).decode("utf-8", "replace").split("\n")


def _parsed(line: str) -> Answer | None:
    """Return an answer; a line that was torn by a kill, or is of a later version, is none."""
    try:
        answer = Answer(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    return answer if answer.word in ("", *WORDS) else None


def by_reader(answers: Sequence[Answer]) -> dict[str, dict[str, Answer]]:
    """Return {reader: {pair: answer}}."""
    readers: dict[str, dict[str, Answer]] = {}
    for answer in answers:
        readers.setdefault(answer.reader, {})[answer.item] = answer
    return readers
