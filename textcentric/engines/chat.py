"""Chat turns to token ids, with the model's own template: exact lengths, nothing ever cut."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

from textcentric.engines.marks import Marks
from textcentric.engines.protocol import Message, Request
from textcentric.engines.reasoning import CLOSE, OPEN, split_reasoning
from textcentric.engines.turns import ChatTemplate
from textcentric.errors import EngineError, RequestError, Say, option
from textcentric.machine import IMPORTS
from textcentric.models.hub import lacking, reached
from textcentric.models.names import Model
from textcentric.security.foreign import reason


class ChatTokenizer:
    """Turn messages into the token ids that the model reads.

    A last turn of the assistant is left open, so that the model goes on from its last word. What a
    turn says is text: the control tokens are those that the template writes.
    The newest 512 prompts are remembered: a prompt is often counted before it is sent. `say` hears
    how the model's template is served other than as it stands.
    """

    def __init__(self, model: Model, say: Say = lambda line: None, tokenizer: Any = None) -> None:
        self.model = model
        self._say, self._given = say, tokenizer
        self.encode = lru_cache(maxsize=512)(self._encode)

    @cached_property
    def tokenizer(self) -> Any:
        """Return the Hugging Face tokenizer, loaded on first use."""
        tokenizer = self._given or _loaded(self.model)
        if not getattr(tokenizer, "chat_template", None):
            raise EngineError(
                f"the model {self.model.name!r} has no chat template that transformers reads"
                f" ({type(tokenizer).__name__}); use an instruction-tuned model with one",
                model=self.model.name,
            )
        return tokenizer

    @cached_property
    def marks(self) -> Marks:
        """Return the marks of the model's control tokens."""
        return Marks(self.tokenizer, self.model_template)

    @cached_property
    def template(self) -> ChatTemplate:
        """Return the model's chat template."""
        return ChatTemplate(self.tokenizer, self.model.name, self._say)

    def render(self, messages: tuple[Message, ...]) -> str:
        """Return the prompt as text, with a sign in each mark that a turn spells (see `Marks`)."""
        turns = tuple(self._broken(message) for message in messages)
        prompt = self.template.render(turns)
        if self.marks.count(prompt) < sum(self.marks.count(turn.content) for turn in turns):
            raise RequestError(
                f"the row spells a control token of {self.model.name!r}, and its chat template"
                " changes such rows; take it out of the row",
                kind="template",
            )
        return prompt

    def _broken(self, message: Message) -> Message:
        text = self.marks.broken(message.content)
        return message if text is message.content else replace(message, content=text)

    def _encode(self, messages: tuple[Message, ...]) -> list[int]:
        return self.marks.encode(self.render(messages))

    def continued(self, messages: tuple[Message, ...], text: str) -> tuple[list[int], int]:
        """Return the token ids of the prompt with `text` as its answer, and where that begins.

        A token in which prompt and answer meet belongs to the answer.
        """
        prompt = self.encode(messages)
        ids = self.marks.encode(self.render(messages) + self.marks.broken(text))
        begin = next((i for i, (a, b) in enumerate(zip(prompt, ids, strict=False)) if a != b), None)
        return ids, len(prompt) if begin is None else begin

    def opens_reasoning(self, messages: tuple[Message, ...]) -> bool:
        """Say whether the prompt itself ends inside a `<think>` block."""
        return OPEN in self.model_template and self.render(messages).rstrip().endswith(OPEN)

    def split(self, request: Request, text: str) -> tuple[str, str]:
        """Split what was written into (answer, reasoning).

        A schema may be kept to from the first token on: then a block that the template opened
        holds the answer.
        """
        opened = self.opens_reasoning(request.messages) and (not request.schema or CLOSE in text)
        return split_reasoning(text, opened=opened)

    @property
    def model_template(self) -> str:
        """Return the chat template's source."""
        return str(self.tokenizer.chat_template)


def _loaded(model: Model) -> Any:
    """Return the tokenizer of the model's folder; raises EngineError."""
    with IMPORTS:
        from transformers import AutoTokenizer

    try:
        with reached(str(model.folder)) as place:
            return AutoTokenizer.from_pretrained(place, trust_remote_code=False)
    except Exception as error:
        raise EngineError(
            f"the tokenizer of {model.name!r} cannot be read"
            f" ({lacking(str(model.folder), error) or reason(error)})",
            model=model.name,
        ) from error


def check_length(prompt_tokens: int, max_tokens: int, context: int | None) -> None:
    """Raise RequestError where prompt and answer do not fit into `context` tokens."""
    if context is not None and prompt_tokens + max_tokens > context:
        raise RequestError(
            f"the prompt has {prompt_tokens} tokens and the answer may take {max_tokens};"
            f" the model takes {context} in all; shorten the row"
            f" ({option('on_too_long', 'truncate')}) or lower max_tokens",
            kind="too_long",
        )
