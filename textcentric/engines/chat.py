"""Chat turns to token ids, with the model's own template: exact lengths, nothing ever cut."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from textcentric.engines.protocol import Message, Request
from textcentric.engines.reasoning import CLOSE, OPEN, split_reasoning
from textcentric.errors import EngineError, RequestError, option
from textcentric.machine import IMPORTS
from textcentric.models.names import Model


class ChatTokenizer:
    """Turn messages into the token ids that the model reads.

    A last turn of the assistant is left open, so that the model goes on from its last word.
    The newest 512 prompts are remembered: a prompt is often counted before it is sent.
    """

    def __init__(self, model: Model, tokenizer: Any = None) -> None:
        self.model = model
        self._tokenizer = tokenizer
        self.encode = lru_cache(maxsize=512)(self._encode)

    @property
    def tokenizer(self) -> Any:
        """Return the Hugging Face tokenizer, loaded on first use."""
        if self._tokenizer is None:
            with IMPORTS:
                from transformers import AutoTokenizer

            self._tokenizer = AutoTokenizer.from_pretrained(str(self.model.folder))
            if not self._tokenizer.chat_template:
                raise EngineError(
                    f"the model {self.model.name!r} has no chat template; use an instruction-tuned"
                    " model",
                    model=self.model.name,
                )
        return self._tokenizer

    def render(self, messages: tuple[Message, ...]) -> str:
        """Return the prompt as text, special tokens included."""
        turns = [{"role": m.role, "content": _content(m)} for m in messages]
        prefilled = messages[-1].role == "assistant"
        prompt: str = self.tokenizer.apply_chat_template(
            turns,
            tokenize=False,
            add_generation_prompt=not prefilled,
            continue_final_message=prefilled,
        )
        return prompt

    def _encode(self, messages: tuple[Message, ...]) -> list[int]:
        encoding = self.tokenizer(self.render(messages), add_special_tokens=False, verbose=False)
        ids: list[int] = encoding["input_ids"]
        return ids

    def continued(self, messages: tuple[Message, ...], text: str) -> tuple[list[int], int]:
        """Return the token ids of the prompt with `text` as its answer, and where that begins.

        A token in which prompt and answer meet belongs to the answer.
        """
        prompt, whole = self.encode(messages), self.render(messages) + text
        encoding = self.tokenizer(whole, add_special_tokens=False, verbose=False)
        ids: list[int] = encoding["input_ids"]
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


def _content(message: Message) -> str | list[dict[str, str]]:
    """Return the turn's content; with pictures, in the parts form that vision templates read."""
    if not message.images:
        return message.content
    pictures = [{"type": "image"} for _ in message.images]
    return [*pictures, {"type": "text", "text": message.content}]


def check_length(prompt_tokens: int, max_tokens: int, context: int | None) -> None:
    """Raise RequestError where prompt and answer do not fit into `context` tokens."""
    if context is not None and prompt_tokens + max_tokens > context:
        raise RequestError(
            f"the prompt has {prompt_tokens} tokens and the answer may take {max_tokens};"
            f" the model takes {context} in all; shorten the row"
            f" ({option('on_too_long', 'truncate')}) or lower max_tokens",
            kind="too_long",
        )
