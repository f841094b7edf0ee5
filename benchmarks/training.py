"""Tokens a second in training: our loop against transformers' Trainer on the same token ids.

Both fine-tune the packaged MiniLM for one epoch over the same rows, with the same settings, in
single precision. Rows are tokenised and models loaded before the clock starts, and only what is not
padding counts. One of the Trainer's two arms draws its batches at random, its default; the other
groups by length. It takes half an hour on two cores: each reading is kept as it comes, and a
second call goes on with the missing ones.
"""

from __future__ import annotations

import gc
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.figure import RESULTS, Figure, cpu_model, median
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.opening import load_rows
from textcentric.augmentation.words import expert_words
from textcentric.folders import write_text
from textcentric.rows import Example
from textcentric.runs.examples import labelled

BARS = {"random": 1.25, "group_by_length": 0.97}  # our tokens a second over the Trainer's
OURS = "textcentric"
ARMS = (OURS, *BARS)
BATCH = 16
SETTINGS: dict[str, Any] = {  # the names are the same on both sides
    "learning_rate": 5e-5,
    "weight_decay": 0.01,
    "num_train_epochs": 1,
    "per_device_train_batch_size": BATCH,
    "max_grad_norm": 1.0,
    "warmup_steps": 0.1,
    "lr_scheduler_type": "cosine",
    "logging_steps": 10,
    "eval_strategy": "no",
    "save_strategy": "no",
    "report_to": "none",
}
OUR_PRECISION = {"mixed_precision": "no"}
THEIR_PRECISION = {"bf16": False, "fp16": False}
PETS = Path(__file__).parents[2] / "shared" / "data" / "petfinder"
# Tokens of PetFinder rows in the experts' words, cut at 512, and the share that is no longer.
SHARES, TOKENS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0), (150, 165, 188, 219, 265, 390, 512)
TOKENS_A_WORD = 1.7  # in the built-in sample
KEPT = RESULTS / "training-readings.json"  # of a measurement that is not at its end
QUICK = {"rows": 16, "repeats": {64: 1, 32: 1}, "kept": None}


@dataclass(frozen=True)
class Reading:
    """One training: seconds of its steps, seconds of the whole call, and what went through."""

    seconds: float
    whole: float
    tokens: int
    padded: int  # tokens and padding
    steps: int

    @property
    def rate(self) -> float:
        """Return the tokens a second that are not padding."""
        return self.tokens / self.seconds


Round = Mapping[str, Reading]
ReadOne = Callable[[str, int, int], Reading]  # arm, longest row in tokens, number of the round


def measure(
    rows: int = 192,
    repeats: Mapping[int, int] = MappingProxyType({512: 5, 160: 2}),
    model: str = "packaged",
    kept: Path | None = KEPT,
) -> Figure:
    """Train with each arm, taking turns at who is first: `repeats` maps tokens to times.

    The bars hold at the first length. Readings are in the file `kept` until the last one is made.
    """
    origin, examples = texts(rows)
    read_one = _keeping(kept, examples, origin, model) if kept else _reading(examples, model)
    rounds = {length: _rounds(read_one, length, times) for length, times in repeats.items()}
    longest = next(iter(repeats))
    if kept:
        kept.unlink(missing_ok=True)
    against = {
        length: {arm: median(_ratios(found, arm)) for arm in BARS}
        for length, found in rounds.items()
    }
    first = against[longest]
    value, interval = first["random"]
    return Figure(
        name="training",
        what=f"training tokens a second, {longest} tokens, over the Trainer's",
        bar="; ".join(f">= {bar:g} x {arm}" for arm, bar in BARS.items()),
        value=value,
        unit="x",
        met=all(first[arm][0] >= bar for arm, bar in BARS.items()),
        interval=interval,
        raw={
            "rounds": {n: [_plain(one) for one in found] for n, found in rounds.items()},
            "against": against,
            "rows": len(examples),
            "texts": origin,
            "batch": BATCH,
            "precision": "float32",
        },
        notes=(
            f"{len(examples)} rows a reading, {origin}; tokenised before on both sides, float32",
            *(_in_words(n, found, against[n]) for n, found in rounds.items()),
        ),
    )


def texts(count: int) -> tuple[str, list[Example]]:
    """Return `count` rows in the experts' words, and what they are.

    Without PetFinder they are made from the words of the built-in sample, as long as its rows.
    """
    folder = Path(os.environ.get("PETFINDER_DIR", PETS))
    if (folder / "train").is_dir():
        return "PetFinder rows: table, text, image words", _described(str(folder), count)
    sample = _described(None, None)
    return "the sample's words, as long as PetFinder rows", list(_lengthened(sample, count))


def _described(folder: str | None, count: int | None) -> list[Example]:
    config = AugmentConfig(data_dir=folder, split="train", limit=count, image_expert="labels")
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        return labelled(expert_words(load_rows(config), config, Path(name)))


def _lengthened(sample: Sequence[Example], count: int) -> list[Example]:
    """Return `count` rows cut from the joined words of `sample`, of drawn lengths."""
    import numpy as np

    rng = random.Random(0)
    words = [word for row in sample for text in row.parts.values() for word in text.split()]
    found = []
    for number in range(count):
        length = int(np.interp(rng.random(), SHARES, TOKENS) / TOKENS_A_WORD)
        start = rng.randrange(len(words) - length)
        row = sample[number % len(sample)]
        text = " ".join(words[start : start + length])
        found.append(replace(row, id=f"row-{number}", parts={"text": text}))
    return found


def _rounds(read_one: ReadOne, max_length: int, repeats: int) -> list[dict[str, Reading]]:
    """Return the readings of every arm, `repeats` times."""
    found = []
    for number in range(repeats):
        turn = number % len(ARMS)
        order = (*ARMS[turn:], *ARMS[:turn])
        readings = {arm: read_one(arm, max_length, number) for arm in order}
        work = {(reading.tokens, reading.steps) for reading in readings.values()}
        assert len(work) == 1, f"rates of unequal work are not compared: {readings}"
        found.append(readings)
    return found


def _reading(examples: Sequence[Example], model: str) -> ReadOne:
    """Return a function that reads an arm, which first takes two steps to warm up."""
    warm = set()

    def read_one(arm: str, max_length: int, number: int) -> Reading:
        if (arm, max_length) not in warm:
            read(arm, examples[: 2 * BATCH], max_length, number, model)
            warm.add((arm, max_length))
        return read(arm, examples, max_length, number, model)

    return read_one


def _keeping(file: Path, examples: Sequence[Example], origin: str, model: str) -> ReadOne:
    """Return a function that reads an arm once: what `file` holds of the same work is taken."""
    read_one = _reading(examples, model)
    same = [len(examples), origin, model, cpu_model(), os.cpu_count()]
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []

    def read_or_take(arm: str, max_length: int, number: int) -> Reading:
        key = [*same, max_length, number, arm]
        for name, values in kept:
            if name == key:
                return Reading(**values)
        found = read_one(arm, max_length, number)
        kept.append([key, asdict(found)])
        write_text(file, json.dumps(kept))
        return found

    return read_or_take


def read(
    arm: str, examples: Sequence[Example], max_length: int, seed: int, model: str = "packaged"
) -> Reading:
    """Train once with `arm`, in a folder that is thrown away."""
    gc.collect()
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        if arm == OURS:
            return train_ours(examples, max_length, seed, Path(name), model)
        ids = token_ids(examples, max_length, model)
        labels = [str(example.target) for example in examples]
        return train_theirs(arm, ids, labels, seed, Path(name), model)


def train_ours(
    examples: Sequence[Example],
    max_length: int,
    seed: int,
    folder: Path,
    model: str = "packaged",
    **changes: Any,
) -> Reading:
    """Train with our loop, which groups by length where nothing else is said."""
    from textcentric.methods.downstream import Downstream, DownstreamConfig

    chosen = DownstreamConfig(
        model=model, task="classification", variants=0, max_length=max_length, seed=seed
    )
    method = Downstream(chosen, examples)
    values = {**SETTINGS, **OUR_PRECISION, **changes, "output_dir": folder, "seed": seed}
    return timed(method, method.model.encoder, examples, values)


def timed(method: Any, encoder: Any, rows: Sequence[Any], values: Mapping[str, Any]) -> Reading:
    """Train `method` on `rows` with our loop, told `values`; count what `encoder` reads."""
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    counter = Counter(encoder)
    config = TrainConfig(**values)
    started = time.perf_counter()
    result = train(method, config, rows, quiet=True)
    whole = time.perf_counter() - started
    return Reading(result.train_seconds, whole, counter.tokens, counter.padded, result.step)


def train_theirs(
    strategy: str,
    ids: Sequence[Sequence[int]],
    labels: Sequence[str],
    seed: int,
    folder: Path,
    model: str = "packaged",
    **changes: Any,
) -> Reading:
    """Train transformers' own classifier with its Trainer, on rows of token ids."""
    import torch
    import transformers

    classes = sorted(set(labels))
    pairs = zip(ids, labels, strict=True)
    rows = [{"input_ids": one, "labels": classes.index(label)} for one, label in pairs]
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    weights = model_folder(model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(weights)
    transformers.set_seed(seed)
    classifier = transformers.AutoModelForSequenceClassification.from_pretrained(
        weights, num_labels=len(classes), dtype=torch.float32
    )
    timer = clock()
    arguments = transformers.TrainingArguments(
        **{**SETTINGS, **THEIR_PRECISION, "disable_tqdm": True, **changes},
        train_sampling_strategy=strategy,
        output_dir=str(folder),
        seed=seed,
        dataloader_pin_memory=torch.cuda.is_available(),  # without a GPU it warns, and does nothing
    )
    trainer = transformers.Trainer(
        classifier,
        arguments,
        train_dataset=rows,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
        callbacks=[timer],
    )
    return timed_trainer(trainer, classifier.base_model, timer)


def timed_trainer(trainer: Any, encoder: Any, timer: Any) -> Reading:
    """Train with a Trainer that has the callback `timer`; count what `encoder` reads."""
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    counter = Counter(encoder)
    started = time.perf_counter()
    trainer.train()
    trainer.save_model()
    whole = time.perf_counter() - started
    steps = trainer.state.global_step
    return Reading(timer.seconds, whole, counter.tokens, counter.padded, steps)


class Counter:
    """Count the tokens that go through `encoder` with gradients, and the padding around them."""

    def __init__(self, encoder: Any) -> None:
        self.tokens = self.padded = 0
        encoder.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, encoder: Any, args: Any, kwargs: Mapping[str, Any]) -> None:
        if encoder.training:
            mask = kwargs["attention_mask"]
            self.tokens += int(mask.sum())
            self.padded += mask.numel()


def clock() -> Any:
    """Return a callback that times the Trainer's steps, from its first to the end of its last."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        seconds = 0.0

        def on_train_begin(self, *known: Any, **more: Any) -> None:
            self.started = time.perf_counter()

        def on_train_end(self, *known: Any, **more: Any) -> None:
            self.seconds = time.perf_counter() - self.started

    return Clock()


def token_ids(
    examples: Sequence[Example], max_length: int, model: str = "packaged"
) -> list[list[int]]:
    """Return the token ids of each row, as our loop reads it."""
    from textcentric.methods.downstream import DownstreamConfig
    from textcentric.methods.downstream.texts import TextReader
    from textcentric.models.loading import load_tokenizer

    config = DownstreamConfig(model=model, max_length=max_length)
    tokenizer = load_tokenizer(config, model_folder(model))
    reader = TextReader(tokenizer, max_length=max_length, headers=config.headers)
    return [ids.tolist() for ids in reader.read([example.parts for example in examples])]


def model_folder(model: str) -> str:
    from textcentric.models.packaged import packaged_encoder

    return str(packaged_encoder()) if model == "packaged" else model


def _ratios(rounds: Sequence[Round], arm: str) -> list[float]:
    return [one[OURS].rate / one[arm].rate for one in rounds]


def _plain(one: Round) -> dict[str, Any]:
    return {arm: {**vars(reading), "rate": reading.rate} for arm, reading in one.items()}


def _in_words(length: int, rounds: Sequence[Round], against: Mapping[str, Any]) -> str:
    rates = {arm: median([one[arm].rate for one in rounds])[0] for arm in ARMS}
    full = {arm: rounds[0][arm].tokens / rounds[0][arm].padded for arm in ARMS}
    ratios = (f"{v:.3f} [{low:.3f}, {high:.3f}] x {a}" for a, (v, (low, high)) in against.items())
    arms = ", ".join(f"{a} {rate:.0f} ({full[a]:.0%} no padding)" for a, rate in rates.items())
    return f"{length} tokens: {', '.join(ratios)}; tokens a second: {arms}"
