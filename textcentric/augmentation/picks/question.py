"""One question of a pick: the choices that a row gives, and the words that each choice becomes.

The model answers in JSON under a schema that lists the choices, so it cannot write a word of its
own; code carries the pick out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textcentric.experts.sentences import Span
from textcentric.values import JsonSchema

OUTSIDE = "picked outside of its choices"
Picked = Mapping[str, str]  # the choice, by key of the answer
Carried = tuple[str, str]  # the words that stand in, and what a reader is told of the change


@dataclass(frozen=True, slots=True)
class Question:
    """Choices for one place of a row: `source` at `span` of `part`.

    `carry` turns what was picked into the words that stand in for `source`, and a note on them.
    """

    source: str
    choices: Mapping[str, Sequence[str]]
    carry: Callable[[Picked], Carried]
    part: str = ""
    span: Span | None = None
    shown: str = ""  # what the prompt calls `sentence`; without, `source`

    def carried(self, answer: str) -> Carried:
        """Return the words that the JSON object `answer` becomes, none where it is empty."""
        return self.carry(json.loads(answer)) if answer else ("", "")

    def schema(self) -> JsonSchema:
        """Return the JSON schema of the answer: an object with one of the choices for each key."""
        return {
            "type": "object",
            "properties": {key: {"enum": list(texts)} for key, texts in self.choices.items()},
            "required": list(self.choices),
            "additionalProperties": False,
        }
