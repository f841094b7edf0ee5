"""What can go wrong, each error with its exit code, and how people are told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from textcentric.security.secrets import hidden
from textcentric.security.visible import in_line

SHOWN = 40  # known names that a message lists; where there are more, the nearest few
FEW = 12
LONGEST = 60  # characters of a value in a message
LONGEST_NUMBER = 4096  # bits of a number that is written out; Python refuses much longer ones
BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
}
Say = Callable[[str], None]
SHORT = {"output_dir": "-o", "output": "-o", "config": "-c"}  # flags not called like their setting
_caller = {"flags": False}


class Caution(str):
    """A line that whoever uses the rows should read, even where progress is not shown."""


class TextCentricError(Exception):
    """Base of every error that this package raises on purpose; what it says holds no secret."""

    exit_code = 2

    def __init__(self, message: str = "", *details: object):
        super().__init__(hidden(str(message)), *details)


class DataError(TextCentricError):
    """A data set, row or field that cannot be used."""

    def __init__(self, message: str, *, row_id: str | None = None, field: str | None = None):
        super().__init__(message)
        self.row_id = row_id
        self.field = field


class PromptError(TextCentricError):
    """A prompt that does not exist, does not parse or cannot be rendered."""

    def __init__(self, message: str, *, prompt: str | None = None, variable: str | None = None):
        super().__init__(message)
        self.prompt = prompt
        self.variable = variable


class EngineError(TextCentricError):
    """An engine that cannot start or has died; the run stops and can be resumed."""

    def __init__(self, message: str, *, model: str | None = None):
        super().__init__(message)
        self.model = model


class RequestError(TextCentricError):
    """One request that failed for good; only the outputs that need it fail."""

    def __init__(self, message: str, *, kind: str = "request", attempts: int = 1):
        super().__init__(message)
        self.kind = kind
        self.attempts = attempts


class ConfigError(TextCentricError):
    """A flag, key or value that does not fit."""


class RunError(TextCentricError):
    """A run directory that belongs to another configuration or another process."""

    exit_code = 4


class TrustError(TextCentricError):
    """A folder that was not made here brings something that needs a person's word."""

    exit_code = 4


class StoppedError(TextCentricError):
    """The run had to stop (disk full, engine dead, budget spent); the same command goes on."""

    exit_code = 75


def check_known(what: str, name: str, known: Collection[str]) -> None:
    """Raise ConfigError, the nearest known name first, where `name` is not a known `what`."""
    if name not in known:
        raise ConfigError(unknown(what, name, known))


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is not a known `what`, the nearest known name first.

    >>> unknown("engine", "vlm", ["openai", "vllm"])
    "unknown engine 'vlm'; did you mean 'vllm'? Known: openai, vllm"
    """
    names = sorted(known)
    nearest = [known for known in names if known.endswith(f"/{name}")]  # its folder was left out
    nearest += get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {cut(nearest[0])!r}?" if nearest else ";"
    if len(names) > SHOWN:
        near = sorted(get_close_matches(name, names, n=FEW, cutoff=0.0))
        known_names = f"{listed(near)} and {len(names) - FEW} more"
    else:
        known_names = listed(names) or "none"
    return f"unknown {what} {cut(name)!r}{hint} Known: {known_names}"


def listed(names: Iterable[object]) -> str:
    """Return names as a message lists them: the first few of many, none longer than 60 characters.

    >>> listed(["small", "large"]), listed(["a"] * 42)[-12:]
    ('small, large', 'a and 2 more')
    """
    several = list(names)
    shown = ", ".join(map(cut, several[:SHOWN]))
    return shown if len(several) <= SHOWN else f"{shown} and {len(several) - SHOWN} more"


def cut(value: object, most: int = LONGEST) -> str:
    """Return a value as a message shows it: its first 60 characters, or `most`, in one line.

    >>> cut("a" * 70)[-5:], cut([1, "b"], most=4)
    ('aa...', '[1, ...')
    """
    plain = isinstance(value, str) or not isinstance(value, int | list | tuple | dict | set)
    text = in_line((str(value) if plain else _written(value, most))[: most + 1])
    return text if len(text) <= most else f"{text[:most]}..."


def quoted(value: object, most: int = LONGEST) -> str:
    """Return the first 60 characters, or `most`, of a value as Python writes it.

    >>> quoted({"a": [1, 2]}), quoted("abc", most=3)
    ("{'a': [1, 2]}", "'ab")
    """
    return _written(value, most)[:most]


def _written(value: object, most: int) -> str:
    """Return at least the first `most` characters of a value; what lies behind is not written.

    A value may be small in memory and have no end on paper, by lists that stand in lists often.
    """
    pieces: list[str] = []
    left = most
    for piece in _pieces(value, most):
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            break
    return "".join(pieces)


def _pieces(value: Any, most: int) -> Iterator[str]:
    """Yield a value as Python writes it, piece by piece."""
    if isinstance(value, str | bytes):
        written = repr(value[: most + 1])
        yield written if len(value) <= most else written[:-1]
    elif isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        yield f"a number of {value.bit_length():,} bits"
    elif type(value) in BRACKETS and value:
        yield from _entries(value, most)
    else:
        yield repr(value)


def _entries(value: Any, most: int) -> Iterator[str]:
    opening, closing = BRACKETS[type(value)]
    yield opening
    for number, entry in enumerate(value):
        yield ", " if number else ""
        yield from _pieces(entry, most)
        if isinstance(value, dict):
            yield ": "
            yield from _pieces(value[entry], most)
    yield ",)" if isinstance(value, tuple) and len(value) == 1 else closing


@contextmanager
def in_flags() -> Iterator[None]:
    """Have messages name settings by their flags: the caller is the command line."""
    before = _caller["flags"]
    _caller["flags"] = True
    try:
        yield
    finally:
        _caller["flags"] = before


def option(name: str, value: object = None) -> str:
    """Return a setting as whoever calls says it: by keyword, on the command line by flag.

    One of an engine or a section has its name behind a dot.

    >>> option("data_dir"), option("resume", "always"), option("engine.batch", 8)
    ('data_dir=', "resume='always'", "engine_settings={'batch': 8}")
    >>> with in_flags():
    ...     option("data_dir"), option("resume", "always"), option("engine.batch", 8)
    ('--data-dir', '--resume always', '--set engine.batch=8')
    """
    section, dot, key = name.rpartition(".")
    if _caller["flags"]:
        if dot:
            return f"--set {name}={'...' if value is None else value}"
        flag = flag_of(name, off=value is False)
        return flag if value is None or isinstance(value, bool) else f"{flag} {value}"
    if section == "engine":
        return f"engine_settings={ {key: value}!r}"
    return f"{key}={'' if value is None else repr(value)}"


def said(flag: str, python: str) -> str:
    """Return what is written on the command line, or else in Python, to say the same.

    >>> said("--trust models/a", "tc.trust('models/a')")
    "tc.trust('models/a')"
    """
    return flag if _caller["flags"] else python


def flag_of(name: str, *, off: bool = False) -> str:
    """Return the flag of a setting.

    >>> flag_of("max_length"), flag_of("output_dir"), flag_of("embeddings", off=True)
    ('--max-length', '-o', '--no-embeddings')
    """
    return SHORT.get(name) or f"--{'no-' if off else ''}{name.replace('_', '-')}"
