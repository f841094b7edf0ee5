"""Reward models by name, on pairs and candidates by name: a matrix of accuracies, Best-of-N."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textcentric.data.balance import balance_of
from textcentric.data.balance import left_out as by_reason
from textcentric.data.pairs import PairSet, PairsLike, read_pairs
from textcentric.data.pairs.candidates import Candidates, read_candidates
from textcentric.data.pairs.loading import reasons
from textcentric.errors import ConfigError, DataError, Say, option
from textcentric.evaluation.config import EvaluateRewardConfig
from textcentric.evaluation.rewards.best_of import best_of_table
from textcentric.evaluation.rewards.matrix import reward_matrix
from textcentric.evaluation.rewards.scoring import find_reward_model, load_reward_model
from textcentric.methods.reward import Reward
from textcentric.methods.reward.words import candidates_in_words, shown_pictures
from textcentric.rows import Balance, Pair
from textcentric.runs.counters import Steps
from textcentric.security.outputs import check_ours, head


def evaluate_reward(
    models: Sequence[str | Path],
    config: EvaluateRewardConfig,
    pairs: PairsLike | None = None,
    *,
    say: Say = lambda line: None,
    steps: Steps | None = None,
) -> dict[str, Any]:
    """Return what models make of the sets of pairs and the candidates that settings name.

    `pairs` are one more set. Raises ConfigError where there is nothing to evaluate on, RunError
    where something else than results lies at `output`.
    """
    if config.output is not None:
        check_ours(config.output, "a result", _is_results)
    if not config.dataset and not config.candidates and pairs is None:
        raise ConfigError(
            f"on what? Give pairs by {option('dataset')}, or for Best-of-N a file by"
            f" {option('candidates')}"
        )
    folders = {Path(name).name: find_reward_model(str(name)) for name in models}
    loaded = {n: load_reward_model(folder, config) for n, folder in folders.items()}
    blind = _blind(config)
    for name, method in {**loaded, **({"text only": blind} if blind else {})}.items():
        method.on_batch = steps and partial(steps, f"{name}: responses read")
    seeing = _all_see(loaded)
    sources = [*config.dataset, *([] if pairs is None else [pairs])]
    sets: dict[str, Sequence[Pair]] = {}
    balances: dict[str, Balance] = {}
    for source in sources:
        read = _read(source, config, seeing)
        for note in read.notes():
            say(note)
        name = read.name if read.name not in sets else f"{read.name}-{len(sets)}"
        sets[name], balances[name] = read.pairs, read.balance
    results = reward_matrix(loaded, sets, blind, config.batch_size) if sets else {}
    if config.candidates:
        prompts = dict(_candidates(config, say, seeing, balances))
        results["best_of"] = _picked(loaded, prompts, config.batch_size)
    return {**results, "balance": balances}


def _is_results(path: Path) -> bool:
    begun = head(path)
    return begun.startswith(b"{\n  ") and (b'"balance": ' in begun or b'"cells": ' in begun)


def _read(source: PairsLike, config: EvaluateRewardConfig, seeing: bool) -> PairSet:
    """Return a set of pairs, its pictures in words where models do not see them."""
    read = read_pairs(source, layout=config.layout, limit=config.limit)
    shown = shown_pictures(read, config.image_dir, expert=config.image_expert, seeing=seeing)
    if not shown.pairs:
        raise DataError(f"no pair of {read.name} is left: {'; '.join(reasons(shown.left_out))}")
    return shown


def _blind(config: EvaluateRewardConfig) -> Reward | None:
    """Return the model that was trained without descriptions, None where none is named."""
    if config.text_only is None:
        return None
    return load_reward_model(find_reward_model(config.text_only), config)


def _candidates(
    config: EvaluateRewardConfig, say: Say, seeing: bool, balances: dict[str, Balance]
) -> Iterator[tuple[str, Sequence[Candidates]]]:
    """Yield the name and the prompts of each file, pictures in words where models see none.

    `balances` gets how many lines give how many prompts, by that name.
    """
    for source in config.candidates:
        prompts, left_out = read_candidates(source, config.limit)
        if not seeing:
            prompts = candidates_in_words(
                prompts, left_out, config.image_dir, expert=config.image_expert
            )
        name = Path(source).name.split(".")[0]
        balances[name] = balance_of(len(prompts), by_reason(left_out))
        say(f"{name}: {balances[name]['source']:,} lines, {len(prompts):,} prompts")
        for note in reasons(left_out):
            say(f"{name}: {note}")
        yield name, prompts


def _picked(
    loaded: Mapping[str, Reward], prompts: Mapping[str, Sequence[Candidates]], batch_size: int
) -> dict[str, Any]:
    """Return what each model picks of each file of candidates."""
    found: dict[str, Any] = {}
    for name, asked in prompts.items():
        found[name] = best_of_table(loaded, asked, batch_size=batch_size)
        if not found[name]["prompts"]:
            raise DataError(f"{name}: every prompt has a response that cannot be scored")
    return found


def _all_see(loaded: Mapping[str, Reward]) -> bool:
    """Say whether the models see pictures; raises ConfigError where some do and some do not."""
    seeing = [name for name, one in loaded.items() if one.eyes]
    if seeing and len(seeing) < len(loaded):
        raise ConfigError(
            f"{', '.join(seeing)} see pictures and the others read of them, so they would not be"
            " given the same; evaluate them one after the other"
        )
    return bool(seeing)
