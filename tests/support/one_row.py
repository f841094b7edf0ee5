"""The program of one row: run with an engine at hand, answers for it, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.support.small_run import record
from textcentric.augmentation.answers import Answers
from textcentric.augmentation.description import Describer
from textcentric.augmentation.plan import Plan
from textcentric.augmentation.requests import RequestBuilder
from textcentric.augmentation.row import RowFlow
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.experts import open_experts
from textcentric.rows import Record
from textcentric.runs.columns import Failure, Output
from textcentric.runs.counters import Metrics
from textcentric.runs.journal import Journal

ROW = record(0)
SUMMARY = "A calm dog, found behind the bakery, likes people."
ASK = {"task": "How fast?", "choices": ["slow", "fast"]}
Outputs = list[Output | Failure]
Run = Callable[..., Outputs]  # the fixture `run`


def run_row(
    plan: Plan,
    journal: Journal,
    engine: ScriptedEngine,
    row: Record = ROW,
    *,
    watch: Any = None,
    encoder: Any = None,
    **of_flow: Any,
) -> Outputs:
    """Run the program of one row of table and text."""
    describer = Describer(open_experts(["table", "text"]), journal, watch)
    answers = Answers(engine, journal, Metrics())
    builder = RequestBuilder(engine.fingerprint())
    settings: dict[str, Any] = {"dataset": "rows", "reason_about": ASK, **of_flow}
    flow = RowFlow(plan, describer, answers, builder, encoder, **settings)
    try:
        return asyncio.run(flow.run(row))
    finally:
        describer.close()


class FakeEncoder:
    """Embed by a given function from text to angle (degrees)."""

    def __init__(self, angle: Callable[[str], float]):
        self.angle = angle

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        radians = np.radians([self.angle(text) for text in texts])
        return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def fates(outputs: Outputs) -> dict[str, str]:
    """Return what became of each output of the row r0, by prompt and sample."""
    return {
        one.id.removeprefix("r0/"): f"failed at {one.stage}: {one.error_type}"
        if isinstance(one, Failure)
        else one.reason or "accepted"
        for one in outputs
    }


def one(outputs: Outputs, prompt: str) -> Any:
    """Return the only output of a prompt."""
    (found,) = [output for output in outputs if output.prompt == prompt]
    return found


def task(request: Request) -> str:
    """Return the last paragraph of what was asked."""
    return request.messages[-1].content.rpartition("\n\n")[2]


def answering(**said: Any) -> Callable[[Request], Any]:
    """Answer by the first word of the task, else so that every check passes."""

    def answer(request: Request) -> Any:
        return said.get(task(request).split()[0].strip(":.")) or good(request)

    return answer


def good(request: Request) -> str:
    """Answer so that every check passes."""
    if task(request) == "Summarise.":
        return SUMMARY
    return "One " + " ".join(word[::-1] for word in task(request).split()[1:])
