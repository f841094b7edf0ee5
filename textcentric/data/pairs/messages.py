"""Conversations as data sets store them, and the plain text that a reward model reads.

A message is {"role", "content"} or {"from", "value"}; its content a text, or typed blocks of
which the texts count. The place of a picture in a text ("<image>") is taken out: pictures come
beside the text, in words or as pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard, TypeVar

from textcentric.values import Cell, Cells

PLACES = ("<image>", "<|image|>", "<ImageHere>")  # where a text shows a picture
USERS = frozenset(["user", "human"])
Turn = TypeVar("Turn")
NAMES = {"human": "user", "gpt": "assistant", "model": "assistant"}


def plain(content: Cell) -> str:
    """Return the text of a message, of its content, or of a plain text.

    >>> plain({"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]})
    'What?'
    """
    if content is None:
        return ""
    if isinstance(content, Mapping):
        return plain(_content(content))
    if isinstance(content, Sequence) and not isinstance(content, str):
        return "\n".join(text for text in map(_block, content) if text)
    text = str(content)
    for place in PLACES:
        text = text.replace(place, "")
    return text.strip()


def conversation(messages: Sequence[Cells]) -> str:
    """Return messages as one text: a single question as it stands, else each under its role.

    >>> conversation([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}])
    'user: Hi\\nassistant: Yes?'
    """
    if len(messages) == 1 and role(messages[0]) in ("user", "system"):
        return plain(messages[0])
    return "\n".join(f"{role(message)}: {plain(message)}" for message in messages)


def role(message: Cells) -> str:
    """Return who says a message: "user", "assistant", "system" or another name."""
    name = str(message.get("role") or message.get("from") or "user")
    return NAMES.get(name, name)


def is_conversation(value: Cell) -> TypeGuard[list[Cells]]:
    """Say whether `value` is a list of messages."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(m, Mapping) and (m.keys() & {"role", "from"}) for m in value)
    )


def apart(
    chosen: Sequence[Turn], rejected: Sequence[Turn]
) -> tuple[list[Turn], list[Turn], list[Turn]]:
    """Return the messages that both conversations begin with, and what each goes on with.

    At least one message is left to each, the response.
    """
    most = min(len(chosen), len(rejected)) - 1
    same = 0
    while same < most and chosen[same] == rejected[same]:
        same += 1
    return list(chosen[:same]), list(chosen[same:]), list(rejected[same:])


def _content(message: Cells) -> Cell:
    for name in ("content", "value", "text"):
        if message.get(name) is not None:
            return message[name]
    return ""


def _block(block: Cell) -> str:
    if isinstance(block, Mapping) and block.get("type", "text") != "text":
        return ""
    return plain(block)
