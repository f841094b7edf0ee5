"""Conversations as data sets store them, and the plain text that a reward model reads.

A message is {"role", "content"} or {"from", "value"}; its content a text, or typed blocks of
which the texts count. The place of a picture in a text ("<image>") is taken out: pictures come
beside the text, in words or as pixels. What is no text, such as a call of a tool, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeGuard, TypeVar

from textcentric.errors import DataError
from textcentric.values import Cell, Cells

PLACES = ("<image>", "<|image|>", "<ImageHere>")  # where a text shows a picture
TEXTS = ("text", "input_text", "output_text")  # types of blocks that are texts
PICTURES = ("image", "image_url", "input_image")  # types of blocks that are pictures
Turn = TypeVar("Turn")
NAMES = {"human": "user", "gpt": "assistant", "model": "assistant"}
CALLS = ("tool_calls", "function_call")
TOOLS = ("tool", "function", "function_call", "observation")  # roles
_SPOKEN = re.compile(r"(?:\A|\n\n)(Human|Assistant): ?")


def plain(content: Cell) -> str:
    """Return the text of a message, of its content, or of a plain text.

    Raises DataError for a message of a tool, an object without content and bytes that are no text.

    >>> plain({"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]})
    'What?'
    """
    if content is None or content != content:  # NaN, where a frame has nothing
        return ""
    if isinstance(content, bytes):
        return plain(_decoded(content))
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


def transcript(value: Cell) -> Cell:
    """Return the turns of a text such as Anthropic's, "Human: ... Assistant: ..."; else `value`.

    >>> [role(turn) for turn in transcript("\\n\\nHuman: Hi\\n\\nAssistant: Yes?")]
    ['user', 'assistant']
    """
    if not isinstance(value, str) or "\n\nAssistant:" not in value:
        return value
    before, *said = _SPOKEN.split(value.strip())
    if before or said[0] != "Human":
        return value
    names = {"Human": "user", "Assistant": "assistant"}
    spoken = zip(said[::2], said[1::2], strict=True)
    return [{"role": names[who], "content": text.strip()} for who, text in spoken]


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
    if any(message.get(name) for name in CALLS) or message.get("role") in TOOLS:
        raise DataError("a message is of a tool, which is not read")
    for name in ("content", "value", "text"):
        if message.get(name) is not None:
            return message[name]
    if not message.keys() & {"content", "value", "text"}:
        raise DataError("an object stands where a text is expected (no content, value or text)")
    return ""


def _block(block: Cell) -> str:
    if isinstance(block, Mapping) and block.get("type", "text") not in TEXTS:
        if block["type"] not in PICTURES:
            raise DataError(f"a message holds a block of type {block['type']!r}, which is not read")
        return ""
    return plain(block)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise DataError("bytes stand where a text is expected") from None
