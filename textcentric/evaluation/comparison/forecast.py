"""What a comparison would do and how long it would take on this machine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypedDict

from textcentric.augmentation.description import expert_input
from textcentric.augmentation.opening import make_experts
from textcentric.augmentation.plan import Plan, make_plan
from textcentric.augmentation.words import EXPERTS_ONLY
from textcentric.corruption.orders import MOST_ORDERS
from textcentric.errors import RunError
from textcentric.evaluation.comparison.arms import read_trial
from textcentric.evaluation.comparison.comparison import CONSTANT, WORDS, Comparison
from textcentric.evaluation.comparison.config import Arm, CompareConfig
from textcentric.evaluation.comparison.rates import Rates, measure
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import FILES, MODALITIES, Record
from textcentric.runs.journal import Journal
from textcentric.runs.listing import RUNS, list_runs
from textcentric.runs.manifest import read_manifest
from textcentric.training.config import train_config

LATE_FUSION = "late-fusion"
ASSUMED = 1.0  # requests a second where nothing is known: a small model on two CPU cores
ENOUGH = 20  # requests that tell a rate
NOISY = {
    "image": ("image-noise", "all"),
    "audio": ("audio-noise",),
}  # which make files of their own


class Work(TypedDict):
    """Whether a trial is made already, and how many texts it learns, predicts and embeds."""

    made: bool
    texts: float
    predictions: int
    embedded: int


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
    looks = _looks(comparison) if left else {}
    embedded = sum(trial["embedded"] for trial in left)
    rates = Rates(why="nothing is left to be made")
    if left:
        rates = measure(comparison, files=sum(looks.values()) > 0, embeds=embedded > 0)
    requests = sum(max(0, run["requests"] - run["answered"]) for run in llm.values())
    rate, source = _llm_rate(config)
    seconds = {
        "experts": sum(looks.values()) / rates.described,
        "llm": requests / rate,
        "training": sum(trial["texts"] for trial in left) / rates.trained,
        "predicting": sum(trial["predictions"] for trial in left) / rates.predicted,
        "embedding": embedded / rates.embedded,
    }
    asked = {cell.level for cell in comparison.cells(llm=False) if cell.level}
    return {
        "dataset": comparison.train_rows.name,
        "rows": _row_counts(parts[0]) | {"test": comparison.test_rows.count()},
        "cells": {"all": len(comparison.cells(False)), "llm": len(comparison.cells(True))},
        "arms": list(config.arms),
        "seeds": list(config.seeds),
        "trials": {"all": len(trials), "left": len(left)},
        "levels": sorted(asked),
        "levels_for_llm": sorted(set(config.llm_levels) - set(config.levels)),
        "files_to_look_at": looks,
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
    return _answers_in(path)


def _answers_in(path: Path) -> int:
    if not path.is_file():
        return 0
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
        "embedded": _embedded(comparison) if name == LATE_FUSION else 0,
    }


def _embedded(comparison: Comparison) -> int:
    """Return how many texts late fusion embeds: the parts of each row, anew where damage is."""
    changed = [cell for cell in comparison.cells(llm=False) if not cell.missing]
    rows = comparison.train_rows.count() + comparison.test_rows.count() * len(changed)
    return rows * len(comparison.modalities)


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


def _looks(comparison: Comparison) -> dict[str, int]:
    """Return at how many rows' pictures and sounds the experts look for the first time.

    Noise makes files of its own of every test row, the same in every corruption of a level; what
    a journal holds already is not counted.
    """
    clean = {r.id: r for r in (*comparison.train_rows, *comparison.test_rows)}
    experts = make_experts(comparison.config.augment_config(), comparison.train_rows)
    found = {}
    for modality in FILES:
        if modality not in experts or expert_input(experts[modality]) != modality:
            continue
        cells = comparison.cells(llm=False)
        noises = {cell.level for cell in cells if cell.corruption in NOISY[modality]}
        damaged = sum(_has(row, modality) for row in comparison.test_rows) * len(noises)
        found[modality] = sum(_has(row, modality) for row in clean.values()) + damaged
    known = _answers_in((comparison.words or comparison.folder / WORDS) / EXPERTS_ONLY)
    for modality, number in found.items():
        found[modality] = max(0, number - known)
        known = max(0, known - number)
    return {modality: number for modality, number in found.items() if number}


def _has(record: Record, modality: str) -> bool:
    return bool(record.inputs.get(modality))


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
