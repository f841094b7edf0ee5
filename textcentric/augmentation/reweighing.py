"""Verdicts by thresholds and weights of the user's own, where the shipped ones had decided.

What a rule decides stays decided. Own weights go before the shipped ones where these know no more
parts; of several the question of most parts answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from textcentric.checks.edit import Edit, Embed, Facts
from textcentric.checks.entailment import Entail, Entailed, entailment_reason
from textcentric.checks.verdict import (
    GROUPS,
    Verdict,
    Weights,
    judge,
    score_of,
    threshold,
    weights_for,
)
from textcentric.errors import PromptError
from textcentric.prompts.fitted import Fitted

LOW = "says something else"  # the reason of weights
Questions: TypeAlias = Mapping[str, Weights]  # question, such as "same meaning" -> weights


def questions_of(fitted: Fitted) -> dict[str, Weights]:
    """Return weights by question; raises PromptError for a part that no check measures."""
    known = {*weights_for("same", {})["weights"], *(k for keys in GROUPS.values() for k in keys)}
    held = {}
    for name, question in fitted.questions.items():
        if strange := sorted(question.weights.keys() - known):
            raise PromptError(
                f"weights of your own for {name!r} name parts that no check measures:"
                f" {', '.join(strange)}; calibrate a run that was read and keep what it finds"
            )
        held[name] = Weights(
            intercept=question.intercept,
            weights=dict(question.weights),
            threshold=question.threshold,
            thresholds=dict(question.thresholds),
        )
    return held


def judge_by(
    own: Questions,
    edits: Sequence[Edit],
    facts: Facts,
    legible: bool = True,
    *,
    encoder: Embed | None = None,
    entailment: Entail | None = None,
    strict: float | None = None,
) -> list[Verdict]:
    """Judge edits as the checks do, by `own` weights where these answer."""
    verdicts = judge(edits, facts, legible, encoder=encoder, entailment=entailment, strict=strict)
    if not own or not legible:
        return verdicts
    return [_again(verdict, facts, own, strict) for verdict in verdicts]


def _again(verdict: Verdict, facts: Facts, own: Questions, strict: float | None) -> Verdict:
    """Return the verdict of own weights on what the shipped ones have weighed."""
    if not verdict.parts or verdict.reason not in ("", LOW):
        return verdict
    held = answering(facts, verdict.parts, own)
    if held is None:
        return verdict
    score = score_of(held, verdict.parts)
    reason = LOW if score < threshold(held, strict) else _entailed(verdict.parts, facts)
    return Verdict(not reason, score, verdict.parts, reason)


def _entailed(parts: Mapping[str, float], facts: Facts) -> str:
    """Return why an inference model refuses, "" where it does not, or none was asked."""
    if not all(name in parts for name in Entailed._fields):
        return ""
    return entailment_reason(Entailed(*(parts[name] for name in Entailed._fields)), facts)


def answering(facts: Facts, parts: Mapping[str, float], own: Questions) -> Weights | None:
    """Return the own weights of most known parts; None where the shipped ones know more."""
    known = {name for name, keys in GROUPS.items() if all(key in parts for key in keys)}
    names = [name for name in own if name.split()[0] == facts and known >= {*name.split()[1:]}]
    shipped = weights_for(facts, parts)["weights"]
    least = sum(all(key in shipped for key in keys) for keys in GROUPS.values())
    best = max(names, key=lambda name: len(name.split()), default="")
    return own[best] if best and len(best.split()) > least else None
