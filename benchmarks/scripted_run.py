"""Whole runs of `augment` over the synthetic table with a scripted engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from benchmarks.rewrites import answer
from benchmarks.rows import SCHEMA
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.driver import Driver
from textcentric.augmentation.run import opened
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import Answer, ScriptedEngine
from textcentric.runs.counters import Metrics
from textcentric.runs.manifest import Manifest

CONCURRENCY = 256  # what vLLM takes at once on a GPU


class Remembered:
    """Answer from what was answered before, so that making answers up costs the run nothing."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}

    def __call__(self, request: Request) -> str:
        said = self.answers.get(request.key)
        if said is None:
            said = self.answers[request.key] = answer(request)
        return said


def run(config: AugmentConfig, answers: Answer = answer) -> Manifest:
    """Run `config` to its end and return the manifest."""
    engine = ScriptedEngine(answers, concurrency=CONCURRENCY, keep=False)
    with opened(config, engine=engine, on_progress=Display()) as run:
        return asyncio.run(Driver(run.job).run())


def configure(table: Path, output_dir: Path, **values: Any) -> AugmentConfig:
    """Return a run over `table` with everything on but embeddings."""
    values = {"engine": "scripted", "embeddings": False, "image_expert": "none"} | values
    return AugmentConfig(
        dataset=str(table), table_schema=SCHEMA, output_dir=str(output_dir), **values
    )


class Display:
    """Stand in for a progress display: read what one shows."""

    line = ""

    def __call__(self, metrics: Metrics) -> None:
        self.line = f"{metrics.rows} rows, {metrics.accepted} accepted, {metrics.bottleneck()}"
