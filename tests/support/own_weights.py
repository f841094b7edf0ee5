"""Thresholds and weights of a user's own, and a model whose rewordings the weights decide."""

from __future__ import annotations

import random

from tests.support.small_run import true_model
from textcentric.checks.identity import checks_identity
from textcentric.checks.verdict import weights_for
from textcentric.engines.protocol import Request
from textcentric.prompts.fitted import Fitted, Question

WORDS = {
    "found": "discovered", "likes": "enjoys", "people": "company", "when": "whenever",
    "somebody": "someone", "ask for": "request", "write": "talk", "about": "regarding",
}  # fmt: skip


def rewording(request: Request) -> str | Exception:
    """Answer with the sentence in other words, half of those that there are."""
    task = request.messages[-1].content.rpartition("\n\n")[2]
    if not task.startswith("Rewrite:"):
        return true_model(request)
    said, draw = task.partition(": ")[2], random.Random(request.key)
    for old, new in WORDS.items():
        said = said.replace(old, new) if draw.random() < 0.5 else said
    return said


def question(threshold: float) -> Question:
    """Return the shipped weights of texts alone, with another threshold."""
    held = weights_for("same", {})
    return Question(
        how="threshold",
        intercept=held["intercept"],
        weights=held["weights"],
        threshold=threshold,
        thresholds=dict.fromkeys(held["thresholds"], threshold),
        pairs=120,
        true=70,
        precision=0.9,
        recall=0.8,
    )


def own_fitted(prompts: dict[str, str], threshold: float = 0.01, **values: str) -> Fitted:
    """Return weights of the scripted model for `prompts`, as today's checks know them."""
    made = {"model": "scripted", "revision": "", "checks": checks_identity(), **values}
    return Fitted(
        **made, prompts=prompts, sheets=("1f3a",), questions={"same": question(threshold)}
    )
