"""What a comparison would do and how long it would take on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from textcentric.augmentation.opening import make_experts
from textcentric.augmentation.plan import Plan, make_plan
from textcentric.augmentation.words import describe_examples
from textcentric.corruption.orders import MOST_ORDERS
from textcentric.data.memory import InHand
from textcentric.errors import DataError, RunError
from textcentric.evaluation.comparison.arms import read_trial
from textcentric.evaluation.comparison.comparison import CONSTANT, Comparison
from textcentric.evaluation.comparison.config import Arm, CompareConfig
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import MODALITIES, Example
from textcentric.runs.journal import Journal
from textcentric.runs.listing import RUNS, list_runs
from textcentric.runs.manifest import read_manifest
from textcentric.training.config import train_config

ASSUMED = 1.0  # requests a second where nothing is known: a small model on two CPU cores
ENOUGH = 20  # requests that tell a rate
PIXELS = ("image-noise", "all")  # corruptions that make pictures of their own
SECONDS = 3.0  # of learning, and of predicting
SAMPLE = 64  # rows


class Work(TypedDict):
    """Whether a trial is made already, and how many texts it learns and predicts."""

    made: bool
    texts: float
    predictions: int


def planned(config: CompareConfig) -> dict[str, Any]:
    """Return the plan of a comparison; of what is finished in its folder nothing is counted."""
    comparison = Comparison(config)
    comparison.check()
    parts = comparison.by_fold
    for part in (comparison, *parts):
        part.modalities = _modalities(part)
    llm = {name: run for part in parts for name, run in _llm_runs(comparison, part).items()}
    trials = [_trial(part, *trial) for part in parts for trial in _all_trials(part)]
    left = [trial for trial in trials if not trial["made"]]
    rates = measure(comparison) if left else Rates(why="nothing is left to be made")
    requests = sum(max(0, run["requests"] - run["answered"]) for run in llm.values())
    rate, source = _llm_rate(config)
    seconds = {
        "experts": _described(comparison) / rates.described,
        "llm": requests / rate,
        "training": sum(trial["texts"] for trial in left) / rates.trained,
        "predicting": sum(trial["predictions"] for trial in left) / rates.predicted,
    }
    return {
        "dataset": comparison.train_rows.name,
        "rows": _row_counts(parts[0]) | {"test": comparison.test_rows.count()},
        "cells": {"all": len(comparison.cells(False)), "llm": len(comparison.cells(True))},
        "arms": list(config.arms),
        "seeds": list(config.seeds),
        "trials": {"all": len(trials), "left": len(left)},
        "llm_runs": llm,
        "llm_requests": sum(run["requests"] for run in llm.values()),
        "llm_rate": {"requests_a_second": round(rate, 2), "from": source},
        "texts_to_train": round(sum(trial["texts"] for trial in left)),
        "texts_to_predict": sum(trial["predictions"] for trial in left),
        "rates": rates.as_dict(),
        "seconds": {name: round(value) for name, value in seconds.items()},
        "hours": round(sum(seconds.values()) / 3600, 2),
        "output_dir": str(config.output_dir),
    }


def _modalities(comparison: Comparison) -> tuple[str, ...]:
    """Return the modalities that rows have, as far as can be told before experts see them."""
    rows = comparison.train_rows.records
    present = {name.removesuffix("_labels") for record in rows for name in record.inputs}
    return tuple(name for name in MODALITIES if name in present)


def _row_counts(comparison: Comparison) -> dict[str, int]:
    held_out = sum(record.split == "validation" for record in comparison.train_rows)
    return {
        "train": comparison.train_rows.count() - held_out,
        "held_out": held_out,
        "test": comparison.test_rows.count(),
    }


def _llm_runs(whole: Comparison, comparison: Comparison) -> dict[str, dict[str, int]]:
    """Return rows, requests and answers that are there of every LLM run, by its folder in `whole`.

    `comparison` is the whole one, or that of one of its folds.
    """
    arms = [arm for arm in comparison.arms.values() if arm.llm]
    below = comparison.folder.relative_to(whole.folder)
    found: dict[str, dict[str, int]] = {}
    for kind in sorted({arm.kind for arm in arms}):
        name, plan = f"augmented-{kind}" if kind else "augmented", _plan(comparison, kind)
        rows = comparison.train_rows
        each = [
            plan.requests_per_row() if plan.wanted(record) else len(plan.derive) for record in rows
        ]
        found[str(below / name)] = _run(comparison, name, len(each), sum(each))
    if any(arm.derived for arm in arms):
        rows_in_cells = comparison.test_rows.count() * len(comparison.cells(llm=True))
        derived = max(1, len(_plan(comparison, "").derive))
        found[str(below / "test")] = _run(
            comparison, "test", rows_in_cells, rows_in_cells * derived
        )
    return found


def _run(comparison: Comparison, name: str, rows: int, requests: int) -> dict[str, int]:
    answered = _answers(comparison.folder / name)
    return {"rows": rows, "requests": requests, "answered": min(answered, requests)}


def _answers(folder: Path) -> int:
    """Return how many answers a run has; a finished one has all that it will ever have."""
    path = folder / "journal.sqlite"
    if not path.is_file():
        return 0
    try:
        if read_manifest(folder).get("status") == "finished":
            return 2**31
    except RunError:
        pass  # it was killed before its first manifest
    journal = Journal.reading(path)
    try:
        return journal.answers()
    finally:
        journal.close()


def _plan(comparison: Comparison, kind: str) -> Plan:
    config = comparison.config.augment_config(**({"prompts": "bank"} if kind else {}))
    library = PromptLibrary.load(*([config.prompt_dir] if config.prompt_dir else []))
    return make_plan(config, library)


def _all_trials(comparison: Comparison) -> list[tuple[str, int]]:
    seeds = comparison.config.seeds
    return [
        (name, seed)
        for name in comparison.arms
        for seed in (seeds[:1] if name == CONSTANT else seeds)
    ]


def _trial(comparison: Comparison, name: str, seed: int) -> Work:
    """Return whether a trial is made already, the texts it learns and those it predicts."""
    arm = comparison.arms[name]
    folder = comparison.folder / "arms" / name / f"seed-{seed}"
    cells = len(comparison.cells(llm=arm.derived))
    orders = min(comparison.config.orders, comparison.test_rows.count())
    orders *= min(MOST_ORDERS, math.factorial(len(comparison.modalities)))
    return {
        "made": read_trial(folder, comparison.identity(name)) is not None,
        "texts": 0.0 if arm.baseline else _texts(comparison, arm),
        "predictions": 0 if arm.baseline else cells * comparison.test_rows.count() + orders,
    }


def _texts(comparison: Comparison, arm: Arm) -> float:
    """Return how many texts an arm learns from: clean ones and their variants, every epoch."""
    config = comparison.config
    loop = train_config({**config.training, "output_dir": config.output_dir})
    values = {"variants": 1, "variant_share": 1.0, **config.downstream, **(arm.changes or {})}
    plan = _plan(comparison, arm.kind)
    offered = len(plan.variants) * plan.samples if arm.variants else 0
    texts: float = 1 + values["variant_share"] * min(values["variants"], offered)
    rows = _row_counts(comparison)["train"]
    epochs = float(loop.num_train_epochs)
    if loop.max_steps >= 0:
        batch = loop.per_device_train_batch_size * loop.gradient_accumulation_steps
        epochs = loop.max_steps * batch / rows
    return rows * epochs * texts


def _described(comparison: Comparison) -> int:
    """Return how many rows the experts see for the first time."""
    if (comparison.folder / "words").is_dir():
        return 0
    cells = [cell for cell in comparison.cells(llm=False) if cell.corruption in PIXELS]
    pictures = bool(comparison.test_rows.schema.files())
    test = comparison.test_rows.count() * (1 + len(cells) * pictures)
    return comparison.train_rows.count() + test


def _llm_rate(config: CompareConfig) -> tuple[float, str]:
    """Return requests a second, and where that is from: this comparison, the last runs, a guess."""
    model = config.augment_config().model
    for parent in (config.output_dir, RUNS):
        for run in list_runs(parent) if parent.is_dir() else ():
            sent, seconds = run.get("requests", {}).get("sent", 0), run.get("seconds", 0)
            same = parent == config.output_dir or run.get("engine", {}).get("model") == model
            if sent >= ENOUGH and seconds and same:
                return sent / seconds, f"as in {run['path']}"
    return ASSUMED, "assumed: a small model on two CPU cores; a GPU answers tens"


@dataclass(frozen=True)
class Rates:
    """Rows described a second, and texts learnt and predicted; guesses where not `measured`."""

    described: float = 10.0
    trained: float = 20.0
    predicted: float = 60.0
    measured: bool = False
    why: str = "assumed 20 and 60 a second (not measured)"

    def as_dict(self) -> dict[str, object]:
        """Return the rates as plain values."""
        return {k: round(v, 1) if isinstance(v, float) else v for k, v in asdict(self).items()}


def measure(comparison: Comparison) -> Rates:
    """Return the rates on rows spread over the training rows; nothing is written."""
    rows = comparison.train_rows
    chosen = rows.records[:: max(1, len(rows.records) // SAMPLE)][:SAMPLE]
    sample = InHand(chosen, rows.schema, name=rows.name, path=rows.path)
    experts = make_experts(comparison.config.augment_config(), sample)
    started = time.monotonic()
    examples = [e for e in describe_examples(sample, experts) if e.parts]
    rates = Rates(described=len(chosen) / max(time.monotonic() - started, 1e-9))
    if all(arm.baseline for arm in comparison.arms.values()):
        return replace(rates, why="no arm trains a transformer")
    try:
        return _model_rates(comparison, examples, rates)
    except DataError as error:  # such as one class only in so few rows
        return replace(rates, why=f"{rates.why}: {error}")


def _model_rates(comparison: Comparison, examples: Sequence[Example], rates: Rates) -> Rates:
    import torch

    from textcentric.methods.downstream import Downstream, DownstreamConfig
    from textcentric.training.start import make_optimizer

    config = comparison.config
    loop = train_config({**config.training, "output_dir": config.output_dir})
    values = {**config.downstream, "target_transform": "none", "variants": 0}
    method = Downstream(DownstreamConfig.of(values), examples)
    accelerator = None if loop.use_cpu else torch.accelerator.current_accelerator()
    device = accelerator or torch.device("cpu")
    method.model.to(device).train()
    optimizer = make_optimizer(method.model, loop, device)
    rows = list(examples)[: loop.per_device_train_batch_size]

    def learn() -> int:
        batch = {name: one.to(device) for name, one in method.collate(rows, 0).items()}
        method.loss(method.model, batch).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        return len(rows)

    def tell() -> int:
        return len(
            method.predict([row.parts for row in rows], loop.per_device_eval_batch_size).values
        )

    return Rates(rates.described, _rate(learn), _rate(tell), measured=True, why="measured")


def _rate(work: Callable[[], int]) -> float:
    """Return units a second of `work`, after a first call that warms up."""
    work()
    done, started = 0, time.monotonic()
    while not done or time.monotonic() - started < SECONDS:
        done += work()
    return done / (time.monotonic() - started)
