"""What evaluating again costs: a second evaluation of the same rows asks the LLM nothing.

A scripted engine answers at the pace of the packaged model on two cores, and a model that reads
its summaries predicts every damaged row. The evaluation is made again twice: at once, and after
one of another grid in the same folder, so that its rows are put together from the journals.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figure import Bar, Figure
from benchmarks.rewrites import answer
from benchmarks.rows import SCHEMA, write_table
from benchmarks.scripted_run import configure, run
from textcentric.corruption.grid import make_grid
from textcentric.engines.scripted import ScriptedEngine
from textcentric.evaluation.config import EvaluateConfig
from textcentric.evaluation.robustness import evaluate
from textcentric.methods.downstream import Downstream, DownstreamConfig
from textcentric.runs.examples import read_examples
from textcentric.runs.origin import read_origin

BAR = Bar("second_grid", "<", 0.05)
CONCURRENCY, DELAY = 16, 3.0  # seconds: about five answers a second
LEVELS = (0.3, 0.5, 0.7)
GRID = make_grid(("all",), LEVELS, ("table", "text"))
TRAINING_ROWS = 32
QUICK = {"rows": 3, "delay": 0.2}


@dataclass(frozen=True)
class Reading:
    """One evaluation: what was asked, seconds of the whole call, and what it found."""

    requests: int
    seconds: float
    results: Mapping[str, Any]

    @property
    def scores(self) -> list[tuple[float, int]]:
        """Return score and rows of every cell."""
        return [(cell["score"], cell["n"]) for cell in self.results["cells"]]


def measure(
    rows: int = 40, delay: float = DELAY, model: str = "packaged", max_length: int = 256
) -> Figure:
    """Evaluate one model on `rows` synthetic rows in every cell of the grid, three times."""
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        folder = Path(name)
        write_table(folder / "rows.csv", rows)
        reader = trained(folder, model, max_length)
        first = evaluation(folder, reader, delay)
        again = {"at once": evaluation(folder, reader, delay)}
        other = evaluation(folder, reader, delay, levels=LEVELS[:1])
        again["after another grid"] = evaluation(folder, reader, delay)
    for when, second in {**again, "of fewer levels": other}.items():
        assert second.requests == 0, f"{when}: {second.requests} requests were asked again"
    for when, second in again.items():
        assert second.scores == first.scores, f"{when}: the scores differ from the first ones"
    llm_seconds = first.results["arms"][reader.name]["llm_seconds"]
    slowest = max(second.seconds for second in again.values())
    return BAR.figure(
        "second evaluation of the same rows, over the first one's LLM time",
        slowest / max(llm_seconds, 0.1),  # which is told in tenths of a second
        raw={
            "rows": rows,
            "cells": [cell.name for cell in GRID],
            "requests": first.requests,
            "llm_seconds": llm_seconds,
            "first_seconds": first.seconds,
            "whole_seconds": {when: second.seconds for when, second in again.items()},
            "delay": delay,
            "concurrency": CONCURRENCY,
            "model": model,
        },
        notes=(
            f"first: {first.requests} requests in {llm_seconds:.1f} s of LLM, {first.seconds:.1f} s"
            " in all; again, none asked: "
            + ", ".join(f"{second.seconds:.2f} s {when}" for when, second in again.items())
            + f"; the bar holds up to {BAR.bound * first.requests / slowest:.0f} requests a second",
        ),
    )


def trained(folder: Path, model: str, max_length: int) -> Path:
    """Save a model that reads summaries; what it says of them does not matter here."""
    table = write_table(folder / "training.csv", TRAINING_ROWS)
    run(configure(table, folder / "training", prompts="summarize/brief"))
    values = DownstreamConfig.of({"model": model, "max_length": max_length})
    reader = Downstream(
        values, read_examples(folder / "training"), origin=read_origin(folder / "training")
    )
    reader.save(folder / "reader")
    return folder / "reader"


def evaluation(folder: Path, model: Path, delay: float, **values: Any) -> Reading:
    """Evaluate `model` on the rows in `folder`, and time all of it."""
    given = {"levels": LEVELS, **values}
    config = EvaluateConfig(
        models=(model,),
        dataset=str(folder / "rows.csv"),
        table_schema=SCHEMA,
        split="train",  # the synthetic table has no other
        output_dir=folder / "evaluation",
        **given,
    )
    engine = ScriptedEngine(answer, delay=delay, concurrency=CONCURRENCY, keep=False)
    started = time.perf_counter()
    results = evaluate(config, engine=engine)
    return Reading(engine.count, time.perf_counter() - started, results)
