"""Best-of-N: how good the response is that a reward model picks, and RewardBench 2's scores.

Legend: N responses to one prompt, n of them drawn, Q prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import comb
from statistics import fmean
from typing import TypedDict

import numpy as np

from textcentric.data.pairs.candidates import Candidates
from textcentric.evaluation.rewards.baselines import overlap
from textcentric.methods.reward.method import Item, Reward
from textcentric.methods.reward.worth import too_few
from textcentric.metrics.intervals import Figure, Resampled

TIES = "Ties"  # the subset of RewardBench 2 with several right answers
Scores = Sequence[np.ndarray]  # one array (N,) a prompt


def best_of(scores: np.ndarray, truths: Sequence[float], n: int) -> float:
    """Return the mean of `truths` (N,) of the response that `scores` (N,) rank first of n.

    The mean is over all draws of n among the N without replacement; of equal scores each is as
    likely. With n = 1 it is the mean truth, with n = N what the model would pick.

    >>> best_of(np.array([3.0, 2.0, 1.0]), [1, 0, 0], n=2)
    0.6666666666666666
    """
    values = np.asarray(truths, float)
    _, group = np.unique(scores, return_inverse=True)
    means = (np.bincount(group, values) / np.bincount(group))[group]  # of those that tie
    order = np.argsort(-np.asarray(scores), kind="stable")
    count = len(order)
    chances = [comb(count - 1 - rank, n - 1) / comb(count, n) for rank in range(count)]
    return float(means[order] @ chances)


class BestOf(TypedDict):
    """What models and baselines pick: by name and size a figure, and RewardBench 2's scores."""

    prompts: int
    left_out: int
    note: str
    sizes: list[int]
    of: dict[str, dict[str, Figure]]
    reward_bench_2: dict[str, dict[str, float]]


def best_of_table(
    models: Mapping[str, Reward],
    prompts: Sequence[Candidates],
    sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    batch_size: int = 32,
) -> BestOf:
    """Return what each model and baseline picks of n responses, with intervals over prompts.

    Sizes end at the fewest responses of any prompt, which is always among them. "best possible"
    knows the truth. Prompts of which a response cannot be scored are left out, for all. The `note`
    says where they are so few that an interval says nothing.
    """
    kept = [one for one in prompts if all(_can(model, one) for model in models.values())]
    most = min((len(one.responses) for one in kept), default=0)
    wanted = sorted({size for size in sizes if size < most} | {most}) if most else []
    by_name = {name: _scored(model, kept, batch_size) for name, model in models.items()}
    described = any(one.descriptions for one in kept)
    baselines = {name: of for name, of in BASELINES.items() if described or name != "overlap"}
    by_name |= {name: [baseline(one) for one in kept] for name, baseline in baselines.items()}
    return {
        "prompts": len(kept),
        "left_out": len(prompts) - len(kept),
        "note": too_few(len(kept), "prompts"),
        "sizes": wanted,
        "of": {
            name: {str(size): _mean(scores, kept, size) for size in wanted}
            for name, scores in by_name.items()
        },
        "reward_bench_2": {name: reward_bench_2(by_name[name], kept) for name in models},
    }


def reward_bench_2(scores: Scores, prompts: Sequence[Candidates]) -> dict[str, float]:
    """Return the score of each subset and their mean; nothing where prompts have no subset.

    A prompt counts 1 where a right response is alone on top, its share where others tie with it.
    The subset "Ties" has a formula of its own, see `ties_score`.
    """
    found: dict[str, float] = {}
    for name in sorted({one.subset for one in prompts if one.subset is not None}):
        places = [at for at, one in enumerate(prompts) if one.subset == name]
        some, asked = [scores[at] for at in places], [prompts[at] for at in places]
        if name == TIES:
            found[name] = ties_score(some, asked)
        else:
            told = [best_of(s, one.truths, len(s)) for s, one in zip(some, asked, strict=True)]
            found[name] = fmean(told)
    return {**found, "mean": fmean(found.values())} if found else {}


def ties_score(scores: Scores, prompts: Sequence[Candidates]) -> float:
    """Return the score of RewardBench 2's Ties, whose ids are "ref:K" and "tied:K".

    0.3 x accuracy on both kinds + 0.2 x P[gap of tied > spread] + 0.2 x P[both gaps > spread] +
    0.01 x mean tanh(least gap / spread - 1). The gap is the worst right answer's score less the
    best wrong one's, the spread is among the right answers of the tied prompt.
    """
    gaps: dict[str, dict[str, tuple[float, float]]] = {"ref": {}, "tied": {}}
    for told, one in zip(scores, prompts, strict=True):
        kind, _, key = one.id.partition(":")
        good = told[np.array(one.truths) > 0]
        bad = told[np.array(one.truths) <= 0]
        if kind in gaps and len(good) and len(bad):
            gaps[kind][key] = float(good.min() - bad.max()), float(good.max() - good.min())
    keys = [key for key in gaps["tied"] if key in gaps["ref"]]
    right = [[gap > 0 for gap, _ in of.values()] for of in gaps.values()]
    accurate = 0.3 * sum(fmean(one) for one in right if one)
    if not keys:
        return accurate
    tied, spread = np.array([gaps["tied"][key] for key in keys]).T
    least = np.minimum(tied, [gaps["ref"][key][0] for key in keys])
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = np.nan_to_num(np.tanh(least / spread - 1))
    kept = 0.2 * np.mean(tied > spread) + 0.2 * np.mean(least > spread) + 0.01 * np.mean(margin)
    return float(accurate + kept)


def _mean(scores: Scores, prompts: Sequence[Candidates], size: int) -> Figure:
    told = [best_of(s, one.truths, size) for s, one in zip(scores, prompts, strict=True)]
    return Resampled(len(told)).mean(np.array(told)).figure()


def _can(model: Reward, one: Candidates) -> bool:
    return not any(model.fault(item) for item in _items(one))


def _items(one: Candidates) -> list[Item]:
    return [
        Item(one.descriptions, one.prompt, response, f"{one.id}/{at}", one.images)
        for at, response in enumerate(one.responses)
    ]


def _scored(model: Reward, prompts: Sequence[Candidates], batch_size: int) -> Scores:
    flat = model.score([item for one in prompts for item in _items(one)], batch_size)
    ends = np.cumsum([len(one.responses) for one in prompts])
    return np.split(flat, ends[:-1])


BASELINES: dict[str, Callable[[Candidates], np.ndarray]] = {
    "length": lambda one: np.array([len(text) for text in one.responses], float),
    "shortest": lambda one: np.array([-len(text) for text in one.responses], float),
    "overlap": lambda one: np.array([overlap(one.descriptions, t) for t in one.responses]),
    "best possible": lambda one: np.array(one.truths),
}
