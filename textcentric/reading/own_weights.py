"""What readings make of the verdict: a threshold from some, weights near the shipped from many.

Each question, such as "same meaning", is looked at by itself. Weights are taken only where they
lose less on sources that they have not seen, by more than a standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from textcentric.checks.edit import Embed, Facts
from textcentric.checks.verdict import GROUPS, Weights, question, weights_for
from textcentric.prompts.fitted import Fitted, Question
from textcentric.reading.cuts import default_cut, figures, held_out_calls, thresholds
from textcentric.reading.fitting import (
    Pairs,
    fitted,
    gain,
    held_out,
    log_odds,
    loss,
    lowest_scores,
)
from textcentric.reading.sheet import Sheet
from textcentric.reading.weighed import Weighed, weighed_pairs

# Pairs that weights decide, of which at least so many true and so many false.
THRESHOLD_FROM, WEIGHTS_FROM = (100, 30), (300, 60)


@dataclass(frozen=True)
class Outcome:
    """What readings made of one question, and what is to be said of it; None: nothing."""

    name: str
    said: str
    question: Question | None = None


def own_weights(
    run: Path, drawn: Sequence[Sheet], encoder: Embed | None
) -> tuple[list[Outcome], Fitted | None]:
    """Return what the sheets `drawn` of `run` make of each question, and the weights to keep."""
    pairs = weighed_pairs(run, drawn, encoder)
    outcomes = outcomes_of(pairs)
    questions = {one.name: one.question for one in outcomes if one.question is not None}
    if not questions:
        return outcomes, None
    groups = {name: group for sheet in drawn for name, group in sheet.groups.items()}
    named = sorted({pair.group for pair in pairs})
    made = groups[named[0]]
    return outcomes, Fitted(
        model=made.model,
        revision=made.revision,
        checks=made.checks.partition("+")[0],
        prompts={name: groups[name].digest for name in named},
        sheets=tuple(sheet.digest for sheet in drawn),
        questions=questions,
    )


def outcomes_of(pairs: Sequence[Weighed]) -> list[Outcome]:
    """Return what `pairs` make of each question that any of them answers."""
    if not pairs:
        return [Outcome("same", f"rules decide every pair that was read; {_needed()}")]
    outcomes = []
    for facts in [name for name in get_args(Facts) if any(p.facts == name for p in pairs)]:
        of = [pair for pair in pairs if pair.facts == facts]
        for names in _sets(of):
            outcomes += _outcome(facts, names, of)
    return outcomes


def _sets(pairs: Sequence[Weighed]) -> list[tuple[str, ...]]:
    """Return the sets of GROUPS whose parts are known of any pair."""
    known = [n for n, keys in GROUPS.items() if any(_knows(pair, keys) for pair in pairs)]
    return [names for count in range(len(known) + 1) for names in combinations(known, count)]


def _knows(pair: Weighed, keys: Sequence[str]) -> bool:
    return all(key in parts for parts in pair.parts for key in keys)


def _outcome(facts: Facts, names: Sequence[str], pairs: Sequence[Weighed]) -> list[Outcome]:
    """Return what pairs make of the question of `facts` and of the groups `names`, if anything."""
    extra = [key for name in names for key in GROUPS[name]]
    name = question(facts, dict.fromkeys(extra, 0.0))
    shipped = weights_for(facts, dict.fromkeys(extra, 0.0))
    keys = [*dict.fromkeys([*shipped["weights"], *extra])]
    table = _table([pair for pair in pairs if _knows(pair, extra)], keys)
    count, true = len(table.true), int(table.true.sum())
    read = f"{name}: of {count} pairs that the weights decide {true} are true"
    if not _enough(table, THRESHOLD_FROM):
        return [Outcome(name, f"{read}; {_needed()}")]
    base = _vector(shipped, keys)
    usual = log_odds(base, table.x)
    if _enough(table, WEIGHTS_FROM):
        own = held_out(table, base)
        less, error = gain(own, usual, table)
        read += (
            f"; held-out loss {loss(own, table):.3f}, of the shipped weights"
            f" {loss(usual, table):.3f} ({less:+.3f}, standard error {error:.3f})"
        )
        if less > error:
            weights = fitted(table, base)
            return [_cut("weights", name, read, weights, own, table, keys, shipped)]
        read += ", so the shipped ones stay"
    if any(key not in shipped["weights"] for key in extra):
        return []  # the shipped weights of fewer parts judge, and are looked at by themselves
    return [_cut("threshold", name, read, base, usual, table, keys, shipped)]


def _enough(table: Pairs, least: tuple[int, int]) -> bool:
    true = int(table.true.sum())
    return len(table.true) >= least[0] and min(true, len(table.true) - true) >= least[1]


def _needed() -> str:
    (threshold, one), (weights, other) = THRESHOLD_FROM, WEIGHTS_FROM
    return (
        f"a threshold of its own takes {threshold} ({one} true, {one} false), weights {weights}"
        f" ({other} and {other})"
    )


def _table(pairs: Sequence[Weighed], keys: Sequence[str]) -> Pairs:
    rows = [[parts[key] for key in keys] for pair in pairs for parts in pair.parts]
    return Pairs(
        np.array(rows).reshape(len(rows), len(keys)),
        np.repeat(np.arange(len(pairs)), [len(pair.parts) for pair in pairs]),
        np.array([pair.true for pair in pairs], bool),
        np.array([pair.source for pair in pairs], str),
        np.array([pair.share for pair in pairs], float),
    )


def _cut(
    how: Literal["threshold", "weights"],
    name: str,
    read: str,
    weights: np.ndarray,
    odds: np.ndarray,
    table: Pairs,
    keys: Sequence[str],
    shipped: Weights,
) -> Outcome:
    """Set the thresholds of `weights` by held-out `odds`, and say what they come to."""
    scores, former = lowest_scores(odds, table).round(4), shipped["threshold"]
    cut = default_cut(scores, table.true, table.share, otherwise=former)
    usual = lowest_scores(log_odds(_vector(shipped, keys), table.x), table) >= former - 5e-5
    calls = held_out_calls(scores, table.true, table.share, table.folds(), former)
    before, after = (figures(c, table.true, table.share) for c in (usual, calls))
    said = (
        f"{read}; {how} of its own: threshold {cut:.2f} instead of {former:.2f}, held-out precision"
        f" {after['precision']:.2f} at recall {after['recall']:.2f}, shipped"
        f" {before['precision']:.2f} at {before['recall']:.2f}"
    )
    if how == "threshold" and abs(cut - former) < 5e-5:
        return Outcome(name, f"{read}; the shipped threshold {former:.2f} stays")
    return Outcome(
        name,
        said,
        Question(
            how=how,
            intercept=round(float(weights[-1]), 4),
            weights=dict(zip(keys, weights[:-1].round(4).tolist(), strict=True)),
            threshold=round(cut, 4),
            thresholds=thresholds(scores, table.true, table.share),
            pairs=len(table.true),
            true=int(table.true.sum()),
            precision=after["precision"],
            recall=after["recall"],
        ),
    )


def _vector(held: Weights, keys: Sequence[str]) -> np.ndarray:
    """Return weights (F + 1,) in the order of `keys`, the intercept last."""
    return np.array([*(held["weights"].get(key, 0.0) for key in keys), held["intercept"]])
