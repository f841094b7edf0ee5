"""A JSON schema as the tokens that may come next, by llguidance: one matcher for each answer.

llguidance works a schema out as far as an answer has come, so that one that no other request
shares costs a millisecond, and it refuses a schema of which it would enforce a part only.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from textcentric.errors import RequestError, option
from textcentric.machine import require
from textcentric.values import JsonSchema

if TYPE_CHECKING:
    from llguidance import LLMatcher
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

PICK = "a pick or JSON schema by transformers"  # the part of this machine that it needs
KEPT = 256  # compiled schemas


class Grammars:
    """Compile JSON schemas for one tokenizer, which takes a second to read; `ends` end an answer.

    Raises:
        ConfigError: llguidance is not installed.
        RequestError: a tokenizer of which llguidance cannot tell what its tokens spell.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ends: Collection[int]) -> None:
        require(PICK)
        from llguidance.hf import from_tokenizer

        try:
            self._tokenizer = from_tokenizer(tokenizer, eos_token=sorted(ends))  # type: ignore[arg-type]
        except ValueError as cause:
            raise RequestError(
                f"the engine transformers cannot keep answers of this model to a JSON schema:"
                f" {str(cause)[:200]}; use {option('engine', 'vllm')} or another model",
                kind="unsupported",
            ) from cause
        self._compiled = lru_cache(maxsize=KEPT)(self._compile)

    def matcher(self, schema: JsonSchema) -> LLMatcher:
        """Return what follows one answer under `schema`; RequestError where it cannot be kept to.

        >>> Grammars(tokenizer, {2}).matcher({"enum": ["slow", "fast"]}).compute_logit_bias()
        """
        return self._compiled(json.dumps(schema)).deep_copy()

    def _compile(self, schema: str) -> LLMatcher:
        from llguidance import LLMatcher

        compact = {"whitespace_flexible": False}
        grammar = LLMatcher.grammar_from_json_schema(schema, overrides=compact)  # type: ignore[arg-type]
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise RequestError(
                f"the JSON schema cannot be kept to: {_first_line(matcher)}; it is {schema[:200]}"
            )
        return matcher


def keep_to(matcher: LLMatcher, scores: Tensor) -> None:
    """Set to minus infinity what may not come next, in place, in the scores (V,) of one answer.

    V may be larger than the tokenizer's vocabulary (padding, never allowed) or smaller.
    """
    import torch

    bias = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8)
    size = min(len(bias), len(scores))
    scores[size:] = float("-inf")
    scores[:size].masked_fill_(bias[:size].to(scores.device) == 0, float("-inf"))


def follow(matcher: LLMatcher, token: int) -> str:
    """Take `token` as written; return what is wrong where the answer can no longer be kept to."""
    if matcher.is_stopped() or matcher.consume_token(token):
        return ""
    return f"the answer could not be kept to its JSON schema: {_first_line(matcher)}"


def _first_line(matcher: LLMatcher) -> str:
    return matcher.get_error().strip().partition("\n")[0][:300]
