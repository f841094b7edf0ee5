"""Pairs that a reward model learns from: checked, digested, and their margins counted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from statistics import fmean
from typing import TypedDict

from textcentric.data.pairs.layouts import fault
from textcentric.errors import DataError
from textcentric.experts.picture_features import Eyes
from textcentric.methods.reward.config import RewardConfig
from textcentric.rows import Pair


class MarginCount(TypedDict):
    """How many of the pairs have a margin that is not 0, and what those are."""

    pairs: int
    of: int
    lowest: float
    mean: float
    highest: float


def check_pairs(config: RewardConfig, pairs: Sequence[Pair]) -> None:
    """Raise DataError for pairs that nothing can be learnt from by `config`."""
    for pair in pairs:
        if why := fault(pair):
            raise DataError(f"pair {pair.id!r}: {why}; leave it out", row_id=pair.id)
        if config.vision_model and not pair.images:
            raise DataError(f"pair {pair.id!r} has no picture; leave it out", row_id=pair.id)
    if config.proxied:
        fields = {name for pair in pairs for name in pair.descriptions}
        hidden = fields if config.hidden_fields is None else fields & set(config.hidden_fields)
        if not hidden and config.vision_model is None:
            wanted = ", ".join(config.proxy_fields or ()) or "any"
            raise DataError(
                f"the proxy is to do without the descriptions ({wanted}) and no pair has one: model"
                " and proxy would read the same; give descriptions, or reward_objective='bt'"
            )


def digest(pairs: Sequence[Pair], eyes: Eyes | None) -> str:
    """Return a digest of everything that training reads of the pairs."""
    total = hashlib.blake2b(digest_size=8)
    for pair in pairs:
        read = (pair.prompt, pair.chosen, pair.rejected, dict(pair.descriptions), pair.margin)
        total.update(repr((pair.id, *read)).encode())
        if eyes:
            total.update(eyes.digest(pair.images).encode())
    return total.hexdigest()


def margins_of(pairs: Sequence[Pair]) -> MarginCount | None:
    """Return how many pairs have a margin and what they are, None where none has one."""
    margins = [pair.margin for pair in pairs if pair.margin]
    if not margins:
        return None
    return {
        "pairs": len(margins),
        "of": len(pairs),
        "lowest": min(margins),
        "mean": fmean(margins),
        "highest": max(margins),
    }


def margins_in_words(count: MarginCount) -> str:
    """Say of how many pairs the chosen response must be better by a margin, and by which."""
    return (
        f"{count['pairs']:,} of {count['of']:,} pairs have a margin by which the chosen response"
        f" must be better, {count['lowest']:g} to {count['highest']:g} (mean {count['mean']:.3g}),"
        " in units of reward"
    )
