"""The shipped adversarial set at its real lengths, against a loop with a barrier a prompt.

The reference asks the same requests prompt by prompt, the instruction before the row, and writes
as many tokens for each as `augment` did; its token ids are ready before the clock starts.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.dataset as ds

from benchmarks.figure import Figure, median
from benchmarks.layout import exactly, refuse_unequal, turned
from benchmarks.vllm_run import (
    RecordingEngine,
    Sent,
    sample_config,
    stage_by_stage,
    whole_augment,
)

QUICK = {"rows": 2, "pairs": 1}


def measure(rows: int = 24, pairs: int = 3) -> Figure:
    """Measure `pairs` over `rows` rows of the built-in sample."""
    return asyncio.run(_measure(rows, pairs))


async def _measure(rows: int, pairs: int) -> Figure:
    readings = []
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        engine = RecordingEngine()
        try:
            await engine.warm_up()
            for n in range(pairs):
                folder = Path(name) / f"run{n}"
                seconds, manifest = await whole_augment(sample_config(folder, limit=rows), engine)
                sent = list(engine.recorded.values())
                loop, outputs = await stage_by_stage(engine, by_prompt(engine, sent, folder))
                refuse_unequal(sent, outputs)
                readings.append((seconds, loop))
        finally:
            await engine.close()
    value, interval = median([loop / mine for mine, loop in readings])
    tokens = manifest["tokens"]
    cached = tokens["cached"] / tokens["prompt"]
    return Figure(
        name="adversarial",
        what="shipped adversarial set, real lengths: stage-by-stage loop / augment",
        bar="none: the ratio",
        value=value,
        unit="x",
        met=None,
        interval=interval,
        raw={"pairs": readings, "tokens": tokens, "requests": len(sent), "cached_share": cached},
        notes=(
            f"{len(sent)} requests, {tokens['prompt']} prompt tokens, {cached:.0%} of them from"
            f" the prefix cache, {tokens['output']} output tokens",
        ),
    )


def by_prompt(engine: RecordingEngine, sent: Sequence[Sent], folder: Path) -> list[list[Sent]]:
    """Group requests by the prompt that made them; put the instruction before the row."""
    prompts = prompt_of_key(folder)
    stages: dict[str, list[Sent]] = {}
    for one in sent:
        row, _, instruction = one.request.messages[1].content.rpartition("\n\n")
        moved = turned(engine, one, f"{instruction}\n\n{row}")
        moved = replace(moved, params=exactly(one.params, len(one.output)))
        stages.setdefault(prompts[one.request.key], []).append(moved)
    return list(stages.values())


def prompt_of_key(folder: Path) -> dict[str, str]:
    """Return {request key: prompt} of a finished run; `clean` stands for the derived parts."""
    found: dict[str, str] = {}
    for name in ("data", "rejected"):
        if any((folder / name).glob("*.parquet")):
            table = ds.dataset(folder / name, format="parquet").to_table(["prompt", "request_key"])
            for row in table.to_pylist():
                found |= dict.fromkeys((row["request_key"] or "").split(), row["prompt"])
    return found
