"""The marks of a model's control tokens, kept apart from the same letters in a row.

A row that spells `<|im_end|>` says these letters and ends no turn. A sign that nobody can guess is
put behind the first letter of each mark that a row spells, before the chat template sees the row.
The prompt is cut where the signs stand and the pieces become tokens one by one: none holds a mark.
Rows without marks are encoded as ever.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

from textcentric.engines.reasoning import CLOSE, OPEN

PRIVATE = range(0xE000, 0xF8FF)  # letters that no script uses and no template changes
SIGN = 12  # letters


class Marks:
    """The marks of one tokenizer and its chat `template`: find, break and encode.

    A mark that ordinary tokens spell, as `[INST]` is in the first Mistral, is text to the model
    itself and cannot be told from a row's.
    """

    def __init__(self, tokenizer: Any, template: str = "") -> None:
        self._tokenizer = tokenizer
        self.ids = dict(_control_tokens(tokenizer, template))
        names = sorted({*self.ids, OPEN, CLOSE}, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, names)))
        # Those that begin inside of others too.
        self._each = re.compile(f"(?={self._any.pattern}).", re.DOTALL)
        self._sign = "".join(chr(secrets.choice(PRIVATE)) for _ in range(SIGN))
        self._guard = next((mark for mark in self.ids if self._stands_alone(mark)), "")
        self._folds = _folds(tokenizer)
        self._control = {*self.ids.values()} - {tokenizer.unk_token_id}

    def broken(self, text: str) -> str:
        """Return `text` with the sign in each mark that it spells."""
        if self._any.search(text):
            text = self._each.sub(lambda found: f"{found[0]}{self._sign}", text)
        if self._folds and not self._control.isdisjoint(self.encode(text)):
            text = self._sign.join(self.plain(text))  # its letters fold into those of a mark
        return text

    def count(self, text: str) -> int:
        """Return how many signs `text` holds."""
        return text.count(self._sign)

    def plain(self, text: str) -> str:
        """Return `text` without signs."""
        return text.replace(self._sign, "")

    def encode(self, text: str) -> list[int]:
        """Return the token ids of `text`, in which the marks without a sign are control tokens."""
        first, *others = text.split(self._sign)
        ids = self._ids(first)
        for piece in others:
            # Behind a control token, or some tokenizers would put a blank before the piece.
            ids += self._ids(f"{self._guard}{piece}")[1 if self._guard else 0 :]
        return ids

    def _ids(self, text: str) -> list[int]:
        encoding = self._tokenizer(text, add_special_tokens=False, verbose=False)
        ids: list[int] = encoding["input_ids"]
        return ids

    def _stands_alone(self, mark: str) -> bool:
        """Say whether `mark` is one token that takes no blank after it along."""
        return self._ids(f"{mark} ")[:1] == [self.ids[mark]] != self._ids(f"{mark} ")


def _control_tokens(tokenizer: Any, template: str) -> Iterator[tuple[str, int]]:
    """Yield each mark with its id: special tokens, and others that the template writes."""
    for number, token in getattr(tokenizer, "added_tokens_decoder", {}).items():
        name = str(token)
        written = name in template and not name.isalnum()
        if len(name.strip()) > 1 and (getattr(token, "special", True) or written):
            yield name, number


def _folds(tokenizer: Any) -> bool:
    """Say whether a tokenizer finds marks in letters that are not quite theirs."""
    normal = getattr(getattr(tokenizer, "backend_tokenizer", None), "normalizer", None)
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    return normal is not None and any(token.normalized for token in added)
