"""What responses answer: system text, earlier turns and the question, in whatever columns."""

from __future__ import annotations

from collections.abc import Sequence

from textcentric.data.pairs.messages import conversation, is_conversation, plain, role, transcript
from textcentric.data.pairs.notation import as_list
from textcentric.errors import DataError
from textcentric.values import Cells

Turns = list[Cells]
SYSTEMS = ("system", "system_prompt")
PROMPTS = ("conversations", "question", "prompt", "query", "instruction", "input", "messages")
WHOLE = ("messages", "conversations")  # that may hold the answer too
UNREAD = {  # columns whose content would change what is asked
    "tools": "it offers tools, which are not read",
    "audios": "it has sounds, which are not read",
    "videos": "it has videos, which are not read",
    "rejected_images": "the rejected response has pictures of its own, which are not read",
}


def asked(row: Cells, shared: Sequence[Cells] = ()) -> str:
    """Return everything that the responses of a row answer, "" where it has nothing.

    `shared` are turns that the responses begin with. A single question is its text alone; of
    several turns each stands under its role. Raises DataError for what cannot be read.
    """
    for name, why in UNREAD.items():
        if as_list(row.get(name)):
            raise DataError(why)
    turns = [*_history(row), *_joined(question(row), list(shared))]
    system = plain(next((row[name] for name in SYSTEMS if row.get(name)), None))
    if system and not (turns and role(turns[0]) == "system" and plain(turns[0]) == system):
        turns = [{"role": "system", "content": system}, *turns]
    return conversation(turns)


def question(row: Cells) -> Turns:
    """Return the turns of the column that holds the question."""
    name = prompt_column(row)
    value = transcript(row[name]) if name else None
    if is_conversation(value):
        waits = role(value[-1]) == "assistant" and not plain(value[-1])
        return value[:-1] if waits else value  # "Assistant:" at the end only says whose turn it is
    text = plain(value)
    if name == "instruction":
        text = "\n".join(filter(None, (text, plain(row.get("input")))))
    return [{"role": "user", "content": text}] if text else []


def prompt_column(row: Cells) -> str | None:
    """Return the column that holds the question, None where there is none.

    A whole conversation is one only where it ends before an answer: else it repeats the response.
    """
    for name in PROMPTS:
        value = row.get(name)
        if value is None or value == "":
            continue
        if name in WHOLE and is_conversation(value) and role(value[-1]) == "assistant":
            continue
        return name
    return None


def _joined(asked: Turns, shared: Turns) -> Turns:
    """Return a question and the turns that both responses begin with, each turn once."""
    if not shared or not asked:
        return asked or shared
    texts = [plain(turn) for turn in asked]
    if all(text in map(plain, shared) for text in texts):
        return shared
    return asked if all(plain(turn) in texts for turn in shared) else [*asked, *shared]


def _history(row: Cells) -> Turns:
    """Return the earlier turns: messages, or pairs of a question and its answer."""
    turns: Turns = []
    for turn in as_list(row.get("history")):
        if is_conversation(message := [turn]):
            turns += message
        elif isinstance(turn, Sequence) and not isinstance(turn, str) and len(turn) == 2:
            names = ("user", "assistant")
            turns += [{"role": n, "content": t} for n, t in zip(names, turn, strict=True)]
        else:
            raise DataError("the history is no list of turns (a question and its answer each)")
    return turns
