"""The verdict: whether a variant says what its source says, from the parts of all checks.

Rules come first: another number, another name, another negation, an opposite, an unfinished end
are never true. What they leave is weighed: a logistic regression whose weights, thresholds and
training figures stand in `weights.json` (`python -m benchmarks.fit_verdict` writes it).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path
from typing import TypedDict

from textcentric.checks.documents import document_reason, extracted
from textcentric.checks.edit import Edit, Embed, Facts
from textcentric.checks.entailment import Entail, Entailed, entailment_reason
from textcentric.checks.languages import ENGLISH, language
from textcentric.checks.meaning import cosines
from textcentric.checks.parts import (
    added_reason,
    changed_reason,
    likely_parts,
    parts_of,
    rule_reason,
)
from textcentric.checks.slips import without_slips
from textcentric.checks.words import words

WEIGHTS = Path(__file__).parent / "weights.json"
LONG = 45  # words from which a source is no sentence, so that the weights do not fit it
MOST = 2000  # words beyond which nothing is judged
MOST_CHARACTERS = 50_000  # the same of a source and of its variant, whatever its words are
PRECISIONS = (0.8, 0.85, 0.9, 0.92, 0.95, 0.97, 0.99)
GROUPS = {"meaning": ("cosine", "tail"), "forward": ("forward",), "back": ("back",)}


class Weights(TypedDict):
    """The weights of one question, as the file holds them."""

    intercept: float
    weights: dict[str, float]
    threshold: float
    thresholds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a variant is true (None: not judged), how surely in [0, 1], and why not."""

    true: bool | None
    score: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


def judge(
    edits: Sequence[Edit],
    facts: Facts,
    legible: bool = True,
    *,
    encoder: Embed | None = None,
    entailment: Entail | None = None,
    strict: float | None = None,
) -> list[Verdict]:
    """Judge each edit by what it may do with `facts`.

    `encoder` turns texts into unit vectors, `entailment` says what follows from what; `strict`
    asks for a precision (0.8 to 0.99) in place of the threshold of the weights.
    """
    ruled = [by_rules(edit, facts, legible) for edit in edits]
    left = [edit for edit, verdict in zip(edits, ruled, strict=True) if verdict is None]
    weighed = iter(_weighed(left, facts, encoder, strict))
    verdicts = [next(weighed) if verdict is None else verdict for verdict in ruled]
    if entailment is None or facts not in ("same", "fewer"):
        return verdicts
    return [
        _entailed(verdict, said, facts)
        for verdict, said in zip(verdicts, entailment(edits), strict=True)
    ]


def _entailed(verdict: Verdict, said: Entailed, facts: Facts) -> Verdict:
    """Return the verdict with what an inference model says beside it; either may refuse."""
    if verdict.true is None:
        return verdict
    parts = {**verdict.parts, **said._asdict()}
    reason = verdict.reason or entailment_reason(said, facts)
    return Verdict(verdict.true and not reason, verdict.score, parts, reason)


def by_rules(edit: Edit, facts: Facts, legible: bool = True) -> Verdict | None:
    """Return what the rules say of `edit`, None where they leave it to the weights."""
    likely = likely_parts(edit)
    verdict = _by_rules(replace(edit, logprob=None, back=None) if likely else edit, facts, legible)
    if not likely or verdict is None or not verdict.parts:
        return verdict
    return replace(verdict, parts={**verdict.parts, **likely})


@lru_cache(maxsize=4096)
def _by_rules(edit: Edit, facts: Facts, legible: bool) -> Verdict | None:
    if reason := _not_judged(edit):
        return Verdict(None, reason=reason)
    if facts == "beside":
        return _by_rule(added_reason(edit))
    if facts == "changed":
        return _by_rule(changed_reason(edit))
    if facts == "fewer" and extracted(edit):
        return Verdict(True, 1.0)
    if max(len(words(edit.source).tokens), len(words(edit.variant).tokens)) > LONG:
        return _by_rule(document_reason(edit, facts))
    if legible:
        edit = without_slips(edit)
    parts = parts_of(edit)
    if reason := rule_reason(edit, facts, legible, parts):
        return Verdict(False, 0.0, parts, reason)
    return None if legible else Verdict(True, parts["spelling"], parts)


def _weighed(
    edits: Sequence[Edit], facts: Facts, encoder: Embed | None, strict: float | None
) -> list[Verdict]:
    """Return the verdicts of the weights on `edits`, which are legible and break no rule."""
    near = cosines(edits, encoder) if encoder is not None else [None] * len(edits)
    verdicts = []
    for edit, cosine in zip(edits, near, strict=True):
        parts = dict(parts_of(without_slips(edit)))
        if cosine is not None:
            parts["cosine"], parts["tail"] = cosine
        held = weights_for(facts, parts)
        score = score_of(held, parts)
        low = score < threshold(held, strict)
        verdicts.append(Verdict(not low, score, parts, "says something else" if low else ""))
    return verdicts


def _by_rule(reason: str) -> Verdict:
    return Verdict(not reason, float(not reason), {}, reason)


def _not_judged(edit: Edit) -> str:
    """Return why an edit cannot be judged, empty where it can."""
    count = len(words(edit.source).tokens)
    if not count:
        return "empty source"
    if count > MOST or max(len(edit.source), len(edit.variant)) > MOST_CHARACTERS:
        return "too long"
    told = language(edit.source)
    if told == ENGLISH and count < 4 and edit.row:
        told = language(edit.row)
    return "" if told == ENGLISH else f"language ({told})"


@cache
def _file() -> dict[str, Weights]:
    held: dict[str, Weights] = json.loads(WEIGHTS.read_text("utf-8"))["questions"]
    return held


def weights_for(facts: Facts, parts: Mapping[str, float]) -> Weights:
    """Return the weights of the question `facts` for the parts that are known.

    Parts for which there are no weights, such as likelihoods that nobody fitted, are left out:
    the last of GROUPS first.
    """
    known = [name for name, keys in GROUPS.items() if all(key in parts for key in keys)]
    return _weights(facts, tuple(known))


@cache
def _weights(facts: str, known: tuple[str, ...]) -> Weights:
    sets = [[name for name in known if name not in left_out] for left_out in _fewer(known)]
    return next(held for names in sets if (held := _file().get(" ".join([facts, *names]))))


def _fewer(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what is left out of `names`, as little as may be and the last ones first."""
    counts = range(len(names) + 1)
    return [left_out for count in counts for left_out in combinations(reversed(names), count)]


@cache
def weighs(group: str) -> bool:
    """Say whether any weights use the parts of a group, such as "back"."""
    return any(group in name.split() for name in _file())


def question(facts: str, parts: Mapping[str, float]) -> str:
    """Return the name of a set of weights, such as "same meaning back"."""
    known = [name for name, keys in GROUPS.items() if all(key in parts for key in keys)]
    return " ".join([facts, *known])


def score_of(held: Weights, parts: Mapping[str, float]) -> float:
    """Return the probability, in [0, 1], that the variant is true."""
    total = held["intercept"]
    for name, weight in held["weights"].items():
        total += weight * parts[name]
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, total)))), 4)


def threshold(held: Weights, strict: float | None = None) -> float:
    """Return the score from which a variant is true; with `strict` that of the next precision."""
    if strict is None:
        return held["threshold"]
    fitting = [p for p in sorted(held["thresholds"], key=float) if float(p) >= strict - 1e-9]
    return held["thresholds"][fitting[0]] if fitting else 1.0
