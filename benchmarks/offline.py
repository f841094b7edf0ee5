"""vLLM's offline `LLM` with the settings that `augment` gives its engine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from functools import partial
from typing import Any
from unittest.mock import patch

from benchmarks.vllm_run import RecordingEngine, Sent
from textcentric.engines.vllm import _one_process
from textcentric.engines.watchdog import environment


@contextmanager
def offline_llm(engine: RecordingEngine) -> Iterator[Any]:
    """Open `LLM` with the arguments of `engine`, its core likewise in one process of its own."""
    from vllm import LLM, EngineArgs
    from vllm.v1.engine.llm_engine import LLMEngine

    known = {f.name for f in fields(EngineArgs)}
    everything = engine._arguments(known | set(engine.settings))
    arguments = {k: v for k, v in everything.items() if k in known}
    with ExitStack() as around:
        if arguments.get("distributed_executor_backend") == "uni":
            around.enter_context(environment(_one_process()))
            # That environment would make `LLM` compute in this process; `augment`'s core does not.
            apart = partial(LLMEngine.from_engine_args, enable_multiprocessing=True)
            around.enter_context(patch.object(LLMEngine, "from_engine_args", apart))
        llm = LLM(**arguments)
    try:
        yield llm
    finally:
        llm.llm_engine.engine_core.shutdown()


def generate(llm: Any, sent: Sequence[Sent]) -> tuple[float, list[tuple[int, ...]]]:
    """Give the whole list to `LLM.generate`, cache cold; return seconds and output tokens."""
    assert llm.reset_prefix_cache(), "the prefix cache could not be reset"
    prompts = [{"prompt_token_ids": one.ids} for one in sent]
    params = [one.params.clone() for one in sent]
    started = time.perf_counter()
    outputs = llm.generate(prompts, params, use_tqdm=False)
    seconds = time.perf_counter() - started
    return seconds, [tuple(output.outputs[0].token_ids) for output in outputs]
