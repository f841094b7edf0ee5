"""Whole runs of `augment` on real vLLM whose requests are recorded, and the same engine bare.

A reference replays recorded token ids and sampling values, in recorded order, on the core that
`augment` used: what differs is what stands between the rows and the core.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.driver import Driver
from textcentric.augmentation.run import opened, wrap_up
from textcentric.data.sample.writer import cached_sample
from textcentric.engines.protocol import Request, Response
from textcentric.engines.vllm import VllmEngine
from textcentric.runs.manifest import Manifest


@dataclass
class Sent:
    """One request as vLLM got it, and the tokens that came back."""

    request: Request
    ids: list[int]
    params: Any
    output: tuple[int, ...] = ()


class RecordingEngine(VllmEngine):
    """vLLM that remembers what it was sent since `recorded` was last cleared."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.recorded: dict[str, Sent] = {}
        self._asking: dict[int, Request] = {}

    @property
    def core(self) -> Any:
        """Return vLLM's own `AsyncLLM`."""
        return self._core

    def encode(self, messages: Any) -> list[int]:
        """Return the token ids of a prompt."""
        return self._chat.encode(messages)

    async def _prompt(self, request: Request) -> Any:
        prompt = await super()._prompt(request)
        self._asking[id(prompt)] = request
        return prompt

    async def _final(self, prompt: Any, params: Any) -> Any:
        request = self._asking.pop(id(prompt))
        sent = Sent(request, list(prompt["prompt_token_ids"]), self.changed(params).clone())
        self.recorded[request.key] = sent
        output = await super()._final(prompt, self.changed(params))
        sent.output = tuple(output.outputs[0].token_ids)
        return output

    def changed(self, params: Any) -> Any:
        """Return the sampling values to use; a benchmark of fixed lengths sets them here."""
        return params

    async def cold(self) -> None:
        """Forget every cached prefix, so that each measurement begins alike."""
        assert await self._core.reset_prefix_cache(), "the prefix cache could not be reset"

    async def warm_up(self) -> None:
        """Start the core and let it answer once: starting is no part of any figure."""
        from textcentric.engines.protocol import Message, Sampling

        await self.start()
        hello = Request((Message("user", "Hello."),), "", Sampling(temperature=0.0, max_tokens=8))
        assert isinstance(await self.generate(hello), Response)


def sample_config(output_dir: Path, **values: Any) -> AugmentConfig:
    """Return a run over the built-in PetFinder sample, without pictures and embeddings."""
    values = {"embeddings": False, "image_expert": "none", "perturb": "all"} | values
    return AugmentConfig(
        dataset="petfinder",
        data_dir=str(cached_sample("petfinder")),
        engine="vllm",
        output_dir=str(output_dir),
        **values,
    )


async def whole_augment(
    config: AugmentConfig, engine: RecordingEngine, **stand_ins: Any
) -> tuple[float, Manifest]:
    """Return seconds and manifest of a run from opening it to its report, cache cold.

    The engine stays open: its start and its end are no part of the time.
    """
    await engine.cold()
    engine.recorded.clear()
    started = time.perf_counter()
    with opened(config, engine=engine, **stand_ins) as run:
        manifest = await Driver(run.job).run()
        wrap_up(run.job, manifest)
    seconds = time.perf_counter() - started
    assert manifest["totals"]["failed"] == 0, manifest["errors"]
    return seconds, manifest


async def stage_by_stage(
    engine: RecordingEngine, stages: Sequence[Sequence[Sent]]
) -> tuple[float, list[tuple[int, ...]]]:
    """Send a bare `AsyncLLM` one stage after another; return seconds and output tokens, cache cold.

    The requests of a stage are sent at once, in order; a single stage is the plainest loop.
    """
    await engine.cold()
    outputs: list[tuple[int, ...]] = []
    started = time.perf_counter()
    for stage in stages:
        sending = (_one(engine.core, number, sent) for number, sent in enumerate(stage))
        outputs += await asyncio.gather(*sending)
    return time.perf_counter() - started, outputs


async def _one(core: Any, number: int, sent: Sent) -> tuple[int, ...]:
    prompt = {"type": "token", "prompt_token_ids": sent.ids}
    async with aclosing(core.generate(prompt, sent.params.clone(), f"bare{number}")) as outputs:
        output = [output async for output in outputs][-1]
    return tuple(output.outputs[0].token_ids)
