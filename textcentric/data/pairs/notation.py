"""Lists and conversations that a cell holds as text: JSON, Python's notation, or numpy's.

A CSV has no lists, so pandas writes a conversation as text. It is read as what it is; one that
cannot be read is refused: brackets and roles are nothing to learn.
"""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Mapping, Sequence
from contextlib import suppress

from textcentric.data.pairs.messages import is_conversation
from textcentric.data.printed import LONGEST, literal, printed
from textcentric.errors import DataError
from textcentric.values import Cell, Cells

UNREADABLE = "a conversation is held as text that cannot be read; write it as JSON"
TWO_READINGS = (
    "a response is a list held as text: several responses, or one that is a list? Give JSON lines"
)
_TURN = re.compile(
    r"""\s*+\[?\s*+\{\s*+['"](?:(?:role|from)['"]\s*:\s*['"](?:user|human|assistant|gpt|system|tool)"""
    r"""['"]|(?:content|value)['"]\s*:)"""
)
_ADJACENT = re.compile(r"""['"]\s+['"]""")  # Python would join the two
_ENDS = (tokenize.STRING, tokenize.NUMBER, tokenize.NAME)


def opened(row: Cells) -> dict[str, Cell]:
    """Return a row in which conversations and messages that are text are what they say.

    Raises DataError for one that cannot be read.
    """
    return {name: _conversation(value) for name, value in row.items()}


def as_list(value: Cell) -> list[Cell]:
    """Return a cell as a list: one that it is, one that its text holds, else of the one value.

    >>> as_list("['a', 'b']"), as_list("[1 0]"), as_list("a.jpg"), as_list(None)
    (['a', 'b'], [1, 0], ['a.jpg'], [])
    """
    if isinstance(value, str):
        value = parsed(value) if value.lstrip()[:1] in ("[", "{") else value
    if value is None or value == "":
        return []
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return list(value)
    return [value]


def refuse_lists(row: Cells, names: Sequence[str]) -> None:
    """Raise DataError for a list of texts in a response of a CSV, which has no lists."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.lstrip().startswith("["):
            held = parsed(value)
            if isinstance(held, list) and held and all(isinstance(one, str) for one in held):
                raise DataError(TWO_READINGS)


def parsed(text: str) -> Cell:
    """Return the list or the object that a text holds, the text itself where it holds none."""
    value = printed(text, json.loads, _printed)
    if isinstance(value, list | tuple | dict):
        return list(value) if isinstance(value, tuple) else value
    return text


def _conversation(value: Cell) -> Cell:
    if not isinstance(value, str) or not _TURN.match(value):
        return value
    held = parsed(value)
    if _is_message(held) or (is_conversation(held) and all(map(_is_message, held))):
        return held
    if held is value or isinstance(held, list):
        raise DataError(UNREADABLE)
    return value  # an object of another kind is an answer in JSON


def _is_message(value: Cell) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value.keys() & {"role", "from"})
        and bool(value.keys() & {"content", "value"})
    )


def _printed(text: str) -> Cell:
    """Read Python's notation; numpy prints no commas between items."""
    if len(text) > LONGEST:
        raise ValueError(f"more than {LONGEST:,} characters")
    if not _ADJACENT.search(text):
        with suppress(ValueError, SyntaxError):
            return literal(text.strip())
    tokens = list(tokenize.generate_tokens(io.StringIO(text.strip()).readline))
    kept: list[tuple[int, str]] = []
    for token in tokens:
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            continue
        begins = token.type in _ENDS or token.string in ("[", "{")
        if begins and kept and (kept[-1][0] in _ENDS or kept[-1][1] in ("]", "}")):
            kept.append((tokenize.OP, ","))
        kept.append((token.type, token.string))
    return literal(tokenize.untokenize(kept).strip())
