"""What evaluating again costs: a second grid over the same damaged rows asks the LLM nothing.

A scripted engine answers at the pace of the packaged model on two cores. The second grid runs
twice: in another folder, its answers from the first one's journal, and in the first one's folder.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure
from benchmarks.rewrites import answer
from benchmarks.rows import write_table
from benchmarks.scripted_run import configure
from textcentric.engines.scripted import ScriptedEngine
from textcentric.grid import CorruptedRows, make_grid
from textcentric.runs import read_manifest
from textcentric.session import load_rows
from textcentric.words import augmented

BAR = 0.05
CONCURRENCY, DELAY = 16, 3.0  # seconds: about five answers a second
GRID = make_grid(("all",), (0.3, 0.5, 0.7), ("table", "text"))
QUICK = {"rows": 3, "delay": 0.2}


@dataclass(frozen=True)
class Reading:
    """One grid: what was asked, seconds of the whole call, and the words it ended with."""

    requests: int
    seconds: float
    words: Any


def measure(rows: int = 40, delay: float = DELAY) -> Figure:
    """Put `rows` synthetic rows in every cell of the grid into words, three times."""
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        folder = Path(name)
        table = write_table(folder / "rows.csv", rows)
        first = grid(table, folder / "first", delay)
        llm_seconds = read_manifest(folder / "first")["seconds"]
        again = {
            "another folder": grid(table, folder / "second", delay, reuse=(str(folder / "first"),)),
            "the same folder": grid(table, folder / "first", delay),
        }
    for where, second in again.items():
        assert second.requests == 0, f"{where}: {second.requests} requests were asked again"
        assert second.words == first.words, f"{where}: the words differ from the first grid's"
    slowest = max(second.seconds for second in again.values())
    value = slowest / llm_seconds
    return Figure(
        name="second_grid",
        what="second grid over the same rows, over the first one's LLM time",
        bar=f"< {BAR:g}",
        value=value,
        unit="x",
        met=value < BAR,
        raw={
            "rows": rows,
            "cells": [cell.name for cell in GRID],
            "requests": first.requests,
            "llm_seconds": llm_seconds,
            "whole_seconds": {where: second.seconds for where, second in again.items()},
            "delay": delay,
            "concurrency": CONCURRENCY,
        },
        notes=(
            f"first: {first.requests} requests in {llm_seconds:.1f} s of LLM; again, none asked: "
            + ", ".join(f"{second.seconds:.2f} s in {where}" for where, second in again.items())
            + f"; the bar holds up to {BAR * first.requests / slowest:.0f} requests a second",
        ),
    )


def grid(table: Path, output_dir: Path, delay: float, **values: Any) -> Reading:
    """Damage the rows, ask for their summaries, and time all of it."""
    config = configure(table, output_dir, prompts="summarize/brief", embeddings=True, **values)
    engine = ScriptedEngine(answer, delay=delay, concurrency=CONCURRENCY, keep=False)
    started = time.perf_counter()
    damaged = CorruptedRows(load_rows(config), GRID, output_dir.parent / "damaged")
    words = augmented(damaged, config, engine=engine)
    return Reading(engine.count, time.perf_counter() - started, words)
