"""Reward models on several sets of pairs: who is right how often, and beside which baselines.

A model that is trained on one set and tested on all gives the matrix of Li et al. (2025): its own
set on the diagonal, the others beside it. Every accuracy stands beside those of rules that look
at no picture, and beside the model's own with its descriptions hidden or swapped.
Legend: N pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from statistics import fmean
from typing import Any, TypedDict

import numpy as np

from textcentric.errors import DataError
from textcentric.evaluation.rewards.baselines import (
    share_right,
    shortcut_failure,
    swapped,
    word_overlap,
)
from textcentric.experts.picture_features import BLANK
from textcentric.methods.reward.method import Reward
from textcentric.methods.reward.texts import ResponseReader
from textcentric.methods.reward.worth import length_only, question, right, rule_of_length, worth
from textcentric.metrics.intervals import Resampled
from textcentric.rows import Pair
from textcentric.values import Json

DEFINITION = "P[right | text-only right] - P[right | text-only wrong], ties of text-only left out"


class Accuracy(TypedDict):
    """The share of pairs that are right, and its 95 % interval."""

    accuracy: float
    interval: list[float]


def reward_matrix(
    models: Mapping[str, Reward],
    sets: Mapping[str, Sequence[Pair]],
    text_only: Reward | None = None,
    batch_size: int = 32,
) -> dict[str, Any]:
    """Return every model's accuracy on every set, with intervals and baselines.

    `text_only` is a model that was trained without descriptions; without one each model stands for
    itself, its descriptions hidden. Intervals are 95 %, bootstrap over prompts or groups of pairs.
    Pairs of which a response would be cut by any model are left out, for all. What cannot be told
    of pairs is None: there is nothing to hide or to swap where none has a description or picture.
    """
    kept = {name: _fitting(pairs, [*models.values(), text_only]) for name, pairs in sets.items()}
    return {
        "definition_of_failure": DEFINITION,
        "text_only": "trained without descriptions" if text_only else "descriptions hidden",
        "sets": {name: _baselines(pairs) for name, pairs in kept.items()},
        "left_out": {name: len(sets[name]) - len(pairs) for name, pairs in kept.items()},
        "cells": [
            {"model": model, "set": name, **_cell(method, pairs, text_only, batch_size)}
            for model, method in models.items()
            for name, pairs in kept.items()
        ],
    }


def hidden(pairs: Sequence[Pair], method: Reward) -> list[Pair]:
    """Return the pairs without any description, a placeholder in its place if `method` has one.

    Pictures are blank.
    """
    reader = ResponseReader(
        method.reader.tokenizer, max_length=8, placeholder=method.reader.placeholder
    )
    return [
        replace(
            pair,
            descriptions=reader.without_fields(pair.descriptions),
            images=tuple(BLANK for _ in pair.images),
        )
        for pair in pairs
    ]


def _cell(
    method: Reward, pairs: Sequence[Pair], text_only: Reward | None, batch_size: int
) -> dict[str, Any]:
    main = method.differences(pairs, batch_size)[0]
    blind = text_only or (method if _described(pairs) else None)
    proxy = None if blind is None else blind.differences(hidden(pairs, blind), batch_size)[0]
    lent = swapped(pairs) if _described(pairs) else list(pairs)
    other = None if lent == list(pairs) else method.differences(lent, batch_size)[0]
    failure = shortcut_failure(main, np.zeros_like(main) if proxy is None else proxy)
    return {
        "pairs": len(pairs),
        **_accuracy(main, pairs),
        "text_only": None if proxy is None else share_right(proxy),
        "swapped": None if other is None else share_right(other),
        "failure": asdict(failure) | {"degradation": failure.degradation},
        "subsets": _subsets(main, pairs),
        "note": worth(main, pairs, rule_of_length(pairs)).note(),
    }


def _described(pairs: Sequence[Pair]) -> bool:
    """Say whether anything but prompt and response is given of any pair."""
    return any(pair.descriptions or pair.images for pair in pairs)


def _baselines(pairs: Sequence[Pair]) -> dict[str, Accuracy]:
    found = {"length": length_only(pairs), "shorter": -length_only(pairs)}
    if any(pair.descriptions for pair in pairs):
        found["overlap"] = word_overlap(pairs)
    return {name: _accuracy(differences, pairs) for name, differences in found.items()}


def _accuracy(differences: np.ndarray, pairs: Sequence[Pair]) -> Accuracy:
    """Return the share of pairs that are right and its interval, ties counted half."""
    told = Resampled(len(pairs), groups=list(map(question, pairs))).mean(right(differences))
    return {"accuracy": told.value, "interval": list(told.interval)}


def _subsets(differences: np.ndarray, pairs: Sequence[Pair]) -> dict[str, Json] | None:
    """Return the accuracy on each subset, their mean (macro) and that of all pairs (micro)."""
    names = sorted({pair.subset for pair in pairs if pair.subset is not None})
    if not names:
        return None
    of = {n: differences[[pair.subset == n for pair in pairs]] for n in names}
    scores = {name: share_right(some) for name, some in of.items()}
    return {
        "by_name": scores,
        "sizes": {name: len(some) for name, some in of.items()},
        "macro": fmean(scores.values()),
        "micro": share_right(differences),
    }


def _fitting(pairs: Sequence[Pair], methods: Sequence[Reward | None]) -> list[Pair]:
    readers = [method.reader for method in methods if method is not None]
    kept = [pair for pair in pairs if not any(reader.too_long(pair) for reader in readers)]
    if not kept:
        raise DataError("every pair has a response that would be cut; raise max_length in training")
    return kept
