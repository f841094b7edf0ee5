"""Reasoning that a model writes before its answer, split off so that no row ever contains it."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"
SPENT = "reasoning took all tokens (raise max_tokens, or turn reasoning off)"


def split_reasoning(text: str, *, opened: bool = False) -> tuple[str, str]:
    """Split `text` into (answer, reasoning); `opened` where the prompt itself opened the block.

    A block that never ends leaves an empty answer: what follows `<think>` was never meant to be
    read. A closing tag without an opening one belongs to a block that the chat template opened.

    >>> split_reasoning("<think>It is a dog.</think>\\n\\nA calm dog.")
    ('A calm dog.', 'It is a dog.')
    """
    if not opened and OPEN not in text and CLOSE not in text:
        return text, ""
    answer: list[str] = []
    thoughts: list[str] = []
    if opened or (CLOSE in text and text.find(CLOSE) < text.find(OPEN) % (len(text) + 1)):
        thought, _, text = text.partition(CLOSE)
        thoughts.append(thought.removeprefix(OPEN))
    at = 0
    while at < len(text):
        begin = text.find(OPEN, at) % (len(text) + 1)  # where there is none, the end
        end = text.find(CLOSE, begin) % (len(text) + 1)
        answer.append(text[at:begin])
        thoughts.append(text[begin + len(OPEN) : end])
        at = end + len(CLOSE)
    reasoning = "\n\n".join(t.strip() for t in thoughts if t.strip())
    return "".join(answer).strip(), reasoning
