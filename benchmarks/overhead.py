"""Whole `augment` against vLLM given the same requests with nothing around it.

The reference is the faster of `LLM.generate` over one list and a bare `AsyncLLM` loop; it replays
the recorded token ids and sampling values in recorded order. Outputs must be the same tokens.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.figure import Bar, Figure, median
from benchmarks.offline import generate, offline_llm
from benchmarks.vllm_run import (
    RecordingEngine,
    Sent,
    sample_config,
    stage_by_stage,
    whole_augment,
)
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.opening import load_rows, make_experts
from textcentric.models.packaged import packaged_encoder
from textcentric.models.sentence_encoder import SentenceEncoder

BAR = Bar("overhead", "<=", 1.05)
QUICK = {"rows": 2, "pairs": 1, "rounds": 1}
Outputs = list[tuple[int, ...]]
Replay = Callable[[], Awaitable[tuple[float, Outputs]]]


def measure(rows: int = 16, pairs: int = 5, rounds: int = 2) -> Figure:
    """Choose the reference in `rounds`, then measure `pairs`, taking turns at who is first."""
    return asyncio.run(_measure(rows, pairs, rounds))


async def _measure(rows: int, pairs: int, rounds: int) -> Figure:
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name, ExitStack() as opened:
        engine = RecordingEngine()
        try:
            await engine.warm_up()
            config = sample_config(Path(name), limit=rows)
            _, manifest = await whole_augment(_into(config, "recorded"), engine)
            sent = list(engine.recorded.values())
            chosen, first_round, replay = await _faster(opened, engine, sent, rounds)
            readings = [
                await _pair(_into(config, f"run{n}"), engine, sent, replay, bare_first=n % 2 == 1)
                for n in range(pairs)
            ]
        finally:
            await engine.close()
        apart = _timed_apart(config)
    tokens = manifest["tokens"]
    return BAR.figure(
        "whole augment against bare vLLM, same token ids",
        median([mine / bare for mine, bare in readings]),
        raw={"reference": chosen, "first_round": first_round, "pairs": readings, "rows": rows}
        | {"requests": len(sent), "tokens": tokens, "apart": apart},
        notes=(
            f"reference: {chosen}; {len(sent)} requests, {tokens['output']} output tokens, equal"
            f" in every run; augment {statistics.median(a for a, _ in readings):.2f} s,"
            f" reference {statistics.median(b for _, b in readings):.2f} s",
            "timed apart: " + ", ".join(f"{what} {took:.2f} s" for what, took in apart.items()),
        ),
    )


async def _faster(
    opened: ExitStack, engine: RecordingEngine, sent: Sequence[Sent], rounds: int
) -> tuple[str, dict[str, list[float]], Replay]:
    """Time both references and return the faster; the other's engine is closed."""
    llm_only = opened.enter_context(ExitStack())
    llm = llm_only.enter_context(offline_llm(engine))

    async def listed() -> tuple[float, Outputs]:
        return generate(llm, sent)

    async def looped() -> tuple[float, Outputs]:
        return await stage_by_stage(engine, [sent])

    replays: dict[str, Replay] = {"LLM.generate": listed, "AsyncLLM loop": looped}
    times: dict[str, list[float]] = {name: [] for name in replays}
    for _ in range(rounds):
        for name, replay in replays.items():
            seconds, outputs = await replay()
            _refuse_unequal(sent, outputs, name)
            times[name].append(seconds)
    chosen = min(times, key=lambda name: statistics.median(times[name]))
    if chosen != "LLM.generate":
        llm_only.close()
    return chosen, times, replays[chosen]


async def _pair(
    config: AugmentConfig,
    engine: RecordingEngine,
    sent: Sequence[Sent],
    replay: Replay,
    *,
    bare_first: bool,
) -> tuple[float, float]:
    """Return the seconds of one whole run and of the reference."""
    before = await replay() if bare_first else None
    mine, _ = await whole_augment(config, engine)
    again = [engine.recorded[one.request.key].output for one in sent]
    _refuse_unequal(sent, again, "augment")
    bare, outputs = before or await replay()
    _refuse_unequal(sent, outputs, "the reference")
    return mine, bare


def _refuse_unequal(sent: Sequence[Sent], outputs: Outputs, who: str) -> None:
    """Times of unequal work are not compared."""
    unequal = [n for n, (s, o) in enumerate(zip(sent, outputs, strict=True)) if s.output != o]
    assert not unequal, f"{who} wrote other tokens for {len(unequal)} of {len(sent)} requests"


def _into(config: AugmentConfig, name: str) -> AugmentConfig:
    """Return the same run with a directory of its own, so that nothing is reused."""
    return config.model_copy(update={"output_dir": str(Path(config.output_dir or ".") / name)})


def _timed_apart(config: AugmentConfig) -> dict[str, Any]:
    """Return the seconds of what the pairs leave out: experts, pictures too, and embeddings."""
    full = config.model_copy(update={"image_expert": "auto"})
    dataset = load_rows(full)
    experts = make_experts(full, dataset)
    texts = [text for record in dataset if (text := record.inputs.get("text"))]
    times = {}
    for modality, expert in experts.items():
        assert not hasattr(expert, "caption"), "no engine was given that it could ask"
        values = [v for record in dataset if (v := record.inputs.get(modality))]
        if modality == "image" and values:
            expert.describe(values[:1])  # loads the model
        started = time.perf_counter()
        expert.describe(values)
        times[f"{modality} expert, {len(values)} rows"] = time.perf_counter() - started
    encoder = SentenceEncoder(str(packaged_encoder()))
    encoder._embed(texts[:1])
    started = time.perf_counter()
    encoder._embed(texts)
    times[f"embedding {len(texts)} texts"] = time.perf_counter() - started
    encoder.close()
    return times
