"""Pairs a second of reward training: our `bt` against TRL's RewardTrainer, and `sfc` against `bt`.

All train the packaged MiniLM with one head for one epoch over the same pairs and token ids, with
the same settings, in single precision and without dropout. Pairs are tokenised and models loaded
before the clock starts. TRL draws its batches at random, as it does where nothing else is said.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, median
from benchmarks.training import (
    OUR_PRECISION,
    SETTINGS,
    THEIR_PRECISION,
    Reading,
    clock,
    model_folder,
    texts,
    timed,
    timed_trainer,
)
from textcentric.rows import Example, Pair

BT, GROUPED, SFC, TRL = "bt", "bt, grouped by length", "sfc", "TRL"
ARMS = (BT, GROUPED, TRL, SFC)
STRATEGY = {BT: "random", GROUPED: "group_by_length", SFC: "random"}
OVER_TRL = {BT: 1.0, GROUPED: 1.2}  # at least these times TRL's pairs a second
SFC_BAR = 2.1  # of the time of `bt`
BATCH = 8  # pairs, each two texts
QUICK = {"pairs": 16, "repeats": 1, "max_length": 64}


def measure(
    pairs: int = 96, repeats: int = 3, max_length: int = 512, model: str = "packaged"
) -> Figure:
    """Train with each arm `repeats` times, taking turns at who is first."""
    origin, known = reward_pairs(pairs)
    for arm in ARMS:
        read(arm, known[: 2 * BATCH], max_length, 0, model)  # to warm up
    rounds = [_round(known, max_length, number, model) for number in range(repeats)]
    over_trl = {
        arm: median([one[TRL].seconds / one[arm].seconds for one in rounds]) for arm in OVER_TRL
    }
    cost = median([one[SFC].seconds / one[BT].seconds for one in rounds])
    value, interval = over_trl[BT]
    met = all(over_trl[arm][0] >= bar for arm, bar in OVER_TRL.items()) and cost[0] <= SFC_BAR
    return Figure(
        name="reward_training",
        what="pairs a second of reward training, in random order, over TRL's",
        bar=f">= {OVER_TRL[BT]:g}; >= {OVER_TRL[GROUPED]:g} grouped; sfc <= {SFC_BAR:g} x bt",
        value=value,
        unit="x",
        met=met,
        interval=interval,
        raw={
            "rounds": [{arm: vars(found) for arm, found in one.items()} for one in rounds],
            "over_trl": over_trl,
            "sfc_over_bt": cost,
            "pairs": len(known),
            "texts": origin,
            "batch": BATCH,
        },
        notes=(
            f"{len(known)} pairs a reading, {origin}, up to {max_length} tokens, float32",
            f"grouped by length over TRL: {_in_words(over_trl[GROUPED])}",
            f"time of sfc over bt, both in random order: {_in_words(cost)}",
            _rates(rounds, len(known)),
        ),
    )


def reward_pairs(count: int) -> tuple[str, list[Pair]]:
    """Return `count` pairs and what they are: a row's own text is preferred to another row's."""
    origin, rows = texts(count + count // 4)  # not every row has a text
    told = [_split(row) for row in rows]
    told = [(words, text) for words, text in told if words and text]
    pairs = []
    for number, (words, text) in enumerate(told):
        other = told[(number + 1) % len(told)][1]
        if other != text:
            described = {"description": words}
            pairs.append(Pair(f"pair-{number}", "Describe the row.", text, other, described))
    return origin, pairs[:count]


def _split(row: Example) -> tuple[str, str]:
    """Return the words of a row that describe it, and its own text."""
    if len(row.parts) > 1:
        others = [words for name, words in row.parts.items() if name != "text"]
        return " ".join(others).strip(), row.parts.get("text", "").strip()
    words = " ".join(row.parts.values()).split()
    half = len(words) // 2
    return " ".join(words[:half]), " ".join(words[half:])


def _round(pairs: Sequence[Pair], max_length: int, number: int, model: str) -> dict[str, Reading]:
    turn = number % len(ARMS)
    order = (*ARMS[turn:], *ARMS[:turn])
    readings = {arm: read(arm, pairs, max_length, number, model) for arm in order}
    work = {(reading.tokens, reading.steps) for reading in readings.values()}
    assert len(work) == 1, f"rates of unequal work are not compared: {readings}"
    return readings


def read(arm: str, pairs: Sequence[Pair], max_length: int, seed: int, model: str) -> Reading:
    """Train once with `arm`, in a folder that is thrown away."""
    gc.collect()
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        if arm == TRL:
            return train_theirs(pairs, max_length, seed, Path(name), model)
        return train_ours(arm, pairs, max_length, seed, Path(name), model)


def train_ours(
    arm: str,
    pairs: Sequence[Pair],
    max_length: int,
    seed: int,
    folder: Path,
    model: str = "packaged",
    *,
    epochs: int = 1,
    strategy: str | None = None,
    **changes: Any,
) -> Reading:
    """Train with our loop, by the arm's strategy or another; `changes` are of the method."""
    from textcentric.methods.reward import Reward, RewardConfig

    chosen = {
        "model_name_or_path": model,
        "max_length": max_length,
        "reward_objective": "sfc" if arm == SFC else "bt",
    }
    method = Reward(RewardConfig.of(chosen | changes), pairs)
    values = SETTINGS | OUR_PRECISION | {"per_device_train_batch_size": BATCH}
    values |= {"train_sampling_strategy": strategy or STRATEGY[arm], "num_train_epochs": epochs}
    return timed(method, method.model.main, pairs, values | {"output_dir": folder, "seed": seed})


def train_theirs(
    pairs: Sequence[Pair],
    max_length: int,
    seed: int,
    folder: Path,
    model: str = "packaged",
) -> Reading:
    """Train with TRL's RewardTrainer on the token ids that our reader makes."""
    import torch
    import transformers
    from datasets import Dataset
    from trl.trainer.reward_config import RewardConfig
    from trl.trainer.reward_trainer import RewardTrainer

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    weights = model_folder(model)
    timer = clock()
    arguments = RewardConfig(
        **SETTINGS | THEIR_PRECISION | {"per_device_train_batch_size": BATCH},
        gradient_checkpointing=False,
        max_length=None,
        disable_tqdm=True,
        output_dir=str(folder),
        seed=seed,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    transformers.set_seed(seed)
    trainer = RewardTrainer(
        transformers.AutoModelForSequenceClassification.from_pretrained(
            weights, num_labels=1, dtype=torch.float32
        ),
        arguments,
        train_dataset=Dataset.from_list(_ids(pairs, max_length, weights)),
        processing_class=transformers.AutoTokenizer.from_pretrained(weights),
        callbacks=[timer],
    )
    return timed_trainer(trainer, trainer.model, timer)


def _ids(pairs: Sequence[Pair], max_length: int, weights: str) -> list[dict[str, list[int]]]:
    from transformers import AutoTokenizer

    from textcentric.methods.reward.texts import ResponseReader

    reader = ResponseReader(AutoTokenizer.from_pretrained(weights), max_length=max_length)
    names = ("chosen_ids", "rejected_ids")
    sides = (reader.both(pair) for pair in pairs)
    return [dict(zip(names, (ids.tolist() for ids in both), strict=True)) for both in sides]


def _rates(rounds: Sequence[Mapping[str, Reading]], pairs: int) -> str:
    rates = {arm: median([pairs / one[arm].seconds for one in rounds])[0] for arm in ARMS}
    full = {arm: rounds[0][arm].tokens / rounds[0][arm].padded for arm in ARMS}
    told = (f"{arm} {rate:.2f} ({full[arm]:.0%} no padding)" for arm, rate in rates.items())
    return "pairs a second: " + ", ".join(told)


def _in_words(found: tuple[float, tuple[float, float]]) -> str:
    value, (low, high) = found
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
