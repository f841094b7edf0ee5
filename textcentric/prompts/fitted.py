"""Thresholds and weights of the verdict that a user's own readings came to, for one model.

They hold for the model, the prompts and the checks that they were made with, and for nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from textcentric.values import Json


class Question(BaseModel):
    """The weights of one question, such as "same meaning", and what they were on held-out pairs.

    `how` says whether the weights were fitted, or are the shipped ones with another threshold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    how: Literal["threshold", "weights"]
    intercept: FiniteFloat
    weights: Mapping[str, FiniteFloat]
    threshold: float = Field(ge=0, le=1)
    thresholds: Mapping[str, float]
    pairs: int = Field(ge=0)
    true: int = Field(ge=0)
    precision: float
    recall: float


class Fitted(BaseModel):
    """What one user's readings of one model's variants made of the verdict.

    `prompts` are those that were read, with their digests; `checks` is the identity of the checks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model: str
    revision: str
    checks: str
    prompts: Mapping[str, str]
    sheets: tuple[str, ...]
    questions: Mapping[str, Question]

    @property
    def digest(self) -> str:
        """Return eight hex digits for the questions: other weights accept other variants."""
        questions = self.model_dump(mode="json")["questions"]
        text = json.dumps(questions, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()

    def words(self) -> str:
        """Say what they were made of, as people read it."""
        made = " and ".join(sorted({question.how for question in self.questions.values()}))
        pairs = max(question.pairs for question in self.questions.values())
        return f"{made} of your own ({self.digest}, made of {pairs} read pairs of {self.model})"


def judged_by(checks: str, fitted: Fitted | None) -> str:
    """Return what judged: the identity of the checks, and of weights that are not shipped.

    So a reading under one threshold never counts for another one.
    """
    return f"{checks}+{fitted.digest}" if fitted else checks


def weights_in(saved: Mapping[str, Json]) -> list[Fitted]:
    """Return the weights that a `run.yaml` holds."""
    values = saved.get("weights") or []
    return [Fitted.model_validate(value) for value in values] if isinstance(values, list) else []
