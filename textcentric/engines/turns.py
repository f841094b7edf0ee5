"""Turns as a model's own chat template takes them: what it does not know is put otherwise.

A chat template is a program of whoever made the model. It runs in the sandbox of transformers; what
it raises is an error that names the model. How it takes a conversation is tried once for each row
of roles, with turns that hold a number each: a template that refuses or drops the system's turn
gets its text in front of the user's, one that cannot leave the last turn open gets the beginning
of the answer behind its own, and vision templates get every turn in parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from textcentric.engines.protocol import Message
from textcentric.errors import EngineError, RequestError, Say, cut
from textcentric.security.foreign import reason

Shape = tuple[tuple[str, int], ...]  # of each turn, the role and how many pictures it holds
MOST_OWN = 1_000_000  # characters that a template may add


@dataclass(frozen=True, slots=True)
class Fit:
    """How a template takes turns: the system's `folded` into the user's, all in `parts`.

    With `behind`, the beginning of an answer stands behind what the template wrote.
    """

    folded: bool = False
    behind: bool = False
    parts: bool = False


class ChatTemplate:
    """The chat template of one tokenizer; `say` hears how it is served other than as it stands."""

    def __init__(self, tokenizer: Any, model: str, say: Say) -> None:
        self._tokenizer, self._model, self._say = tokenizer, model, say
        self._fits: dict[Shape, Fit] = {}
        self._told = False

    def render(self, messages: tuple[Message, ...]) -> str:
        """Return the prompt as text; a last turn of the assistant is left open.

        Raises:
            EngineError: the template does not take such turns, whatever they say.
            RequestError: it refuses what these say.
        """
        fit = self._fit(messages)
        try:
            return self._rendered(messages, fit)
        except Exception as error:
            raise RequestError(
                f"the chat template of {self._model!r} refuses the row ({reason(error)})",
                kind="template",
            ) from error

    def _fit(self, messages: tuple[Message, ...]) -> Fit:
        shape = tuple((m.role, len(m.images)) for m in messages)
        if shape not in self._fits:
            self._fits[shape] = self._tried(messages)
        return self._fits[shape]

    def _tried(self, messages: Sequence[Message]) -> Fit:
        """Return the first way of putting such turns that the template shows in full."""
        numbered = tuple(replace(m, content=str(7301 + i)) for i, m in enumerate(messages))
        problems = []
        for fit in _ways(messages):
            try:
                problem = _missing(self._rendered(numbered, fit), numbered)
            except Exception as error:
                problem = f"says {reason(error)}"
            if not problem:
                self._tell(fit)
                return fit
            problems.append(problem)
        roles = ", ".join(m.role for m in messages)
        raise EngineError(
            f"the chat template of {self._model!r} cannot be used: given the turns {roles},"
            f" it {problems[0]}; use another model, or mend its chat_template.jinja",
            model=self._model,
        )

    def _tell(self, fit: Fit) -> None:
        if fit.folded and not self._told:
            self._told = True
            self._say(
                f"the chat template of {self._model} knows no system role: what a prompt says as"
                " the system stands in front of the user's turn"
            )

    def _rendered(self, messages: Sequence[Message], fit: Fit) -> str:
        """Call the template; whatever it raises comes through."""
        turns = folded(messages) if fit.folded else messages
        opened = messages[-1].role == "assistant"
        shown = turns[:-1] if opened and fit.behind else turns
        continued = opened and not fit.behind
        prompt: str = self._tokenizer.apply_chat_template(
            [{"role": m.role, "content": _content(m, parts=fit.parts)} for m in shown],
            tokenize=False,
            add_generation_prompt=not continued,
            continue_final_message=continued,
        )
        if len(prompt) > MOST_OWN + 2 * sum(len(m.content) for m in messages):
            raise ValueError(f"it wrote {len(prompt):,} characters")
        return f"{prompt}{messages[-1].content}" if opened and fit.behind else prompt


def _ways(messages: Sequence[Message]) -> Iterator[Fit]:
    """Yield the ways in which a conversation can be put, the usual one first."""
    roles = [m.role for m in messages]
    foldable = "system" in roles and "user" in roles
    opened = roles[-1] == "assistant"
    each = ([False, True][: 1 + could] for could in (foldable, opened, True))
    for folded, behind, parts in product(*each):
        yield Fit(folded, behind, parts)


def _missing(prompt: str, numbered: Sequence[Message]) -> str:
    """Say which turn `prompt` does not show, or what it writes behind one left open; else ""."""
    for message in numbered:
        if message.content not in prompt:
            return f"leaves out the {message.role}"
    last = numbered[-1]
    behind = prompt.rpartition(last.content)[2].strip()
    if last.role == "assistant" and behind:
        return f"writes {cut(behind)!r} behind the beginning of the answer"
    return ""


def folded(messages: Sequence[Message]) -> list[Message]:
    """Return the turns with the system's texts in front of the first user's."""
    texts = [m.content for m in messages if m.role == "system"]
    turns = [m for m in messages if m.role != "system"]
    at = next(i for i, m in enumerate(turns) if m.role == "user")
    turns[at] = replace(turns[at], content="\n\n".join([*texts, turns[at].content]))
    return turns


def _content(message: Message, *, parts: bool) -> str | list[dict[str, str]]:
    """Return the turn's content; with pictures, in the parts form that vision templates read."""
    if not message.images and not parts:
        return message.content
    pictures = [{"type": "image"} for _ in message.images]
    return [*pictures, {"type": "text", "text": message.content}]
