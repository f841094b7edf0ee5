"""From a pair to tokens: pictures, description, prompt, response; and without the description.

The blocks are tokenised apart, so prompt and response have the same ids in both branches. Of a
text that is too long the description is cut first, then the prompt at its beginning, where the
older turns stand; a response never.
Legend: T tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from textcentric.errors import DataError
from textcentric.models.tokens import pad_id, special_tokens
from textcentric.rows import Pair

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NOTHING = "not described"  # what the proxy reads in place of a description
Ids = np.ndarray  # int32 (T,)


class ResponseReader:
    """Turn a response, its prompt and descriptions into token ids.

    `without` are the descriptions that the proxy must not see, None for all of them. Each picture
    takes the place of `features` tokens at the beginning, 0 where pictures are not read.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        max_length: int,
        without: Sequence[str] | None = None,
        placeholder: bool = True,
        features: int = 0,
    ):
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.without = None if without is None else frozenset(without)
        self.placeholder = placeholder
        self.features = features
        self.before, self.after = special_tokens(tokenizer)
        self.pad = pad_id(tokenizer)
        self._picture = int(self.pad == 0)  # an id that is no padding; what it means is not read
        self._known: dict[str, Ids] = {}

    def read(
        self,
        descriptions: Mapping[str, str],
        prompt: str,
        response: str,
        name: str = "",
        pictures: int = 0,
    ) -> Ids:
        """Return the token ids (T,) of a response, T at most `max_length`.

        Raises DataError, which calls it `name`, where the response alone is longer.
        """
        said = "".join(f"{key}: {text.strip()}\n" for key, text in descriptions.items())
        asked = f"question: {prompt.strip()}\n" if prompt.strip() else ""
        seen = np.full(pictures * self.features, self._picture, np.int32)
        told = self._tokens(f"response: {response.strip()}")
        return self._joined(seen, self._tokens(said), self._tokens(asked), told, name)

    def places(self, pictures: int) -> slice:
        """Return where in the ids of a text its pictures stand."""
        return slice(len(self.before), len(self.before) + pictures * self.features)

    def without_fields(self, descriptions: Mapping[str, str]) -> dict[str, str]:
        """Return `descriptions` as the proxy reads them."""
        hidden = frozenset(descriptions) if self.without is None else self.without
        if self.placeholder:
            return {k: NOTHING if k in hidden else text for k, text in descriptions.items()}
        return {k: text for k, text in descriptions.items() if k not in hidden}

    def both(self, pair: Pair, *, proxy: bool = False) -> tuple[Ids, Ids]:
        """Return the ids of chosen and rejected, as the model reads them or as the proxy does."""
        seen = self.without_fields(pair.descriptions) if proxy else pair.descriptions
        chosen, rejected = (
            self.read(seen, pair.prompt, response, pair.id, len(pair.images))
            for response in (pair.chosen, pair.rejected)
        )
        return chosen, rejected

    def response_tokens(self, response: str, pictures: int = 0) -> tuple[int, int]:
        """Return how many tokens a response has, and how many one beside `pictures` may have."""
        most = self.max_length - len(self.before) - len(self.after) - pictures * self.features
        return len(self._tokens(f"response: {response.strip()}")), most

    def too_long(self, pair: Pair) -> bool:
        """Say whether a response of `pair` would have to be cut."""
        both = (self.response_tokens(one, len(pair.images)) for one in (pair.chosen, pair.rejected))
        return any(tokens > most for tokens, most in both)

    def _tokens(self, text: str) -> Ids:
        found = self._known.get(text)
        if found is None:
            ids = self.tokenizer(
                text, add_special_tokens=False, split_special_tokens=True, verbose=False
            )["input_ids"]
            found = self._known[text] = np.array(ids, np.int32)
        return found

    def _joined(self, seen: Ids, described: Ids, prompt: Ids, response: Ids, name: str) -> Ids:
        left = self.max_length - len(self.before) - len(self.after) - len(seen) - len(response)
        if left < 0:
            raise DataError(
                f"the response of {name!r} has {len(response)} tokens and would be cut at"
                f" max_length={self.max_length}; raise max_length, or leave it out",
                row_id=name,
            )
        prompt = prompt[max(0, len(prompt) - left) :]
        described = described[: left - len(prompt)]
        return np.concatenate([self.before, seen, described, prompt, response, self.after])
