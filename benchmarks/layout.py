"""Fixed work: rows first and no barrier, against a loop over instructions with a barrier each.

40 rows of at least 200 prompt tokens, 4 instructions for the whole row, exactly 32 output tokens.
The reference is what one writes by hand: for each instruction, ask it of every row, instruction
first; its token ids are ready before the clock starts.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.figure import Bar, Figure, median
from benchmarks.vllm_run import (
    RecordingEngine,
    Sent,
    sample_config,
    stage_by_stage,
    whole_augment,
)
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.opening import load_rows
from textcentric.data.memory import InHand
from textcentric.experts.protocol import Expert
from textcentric.rows import Record

BAR = Bar("layout", ">=", 1.35)
QUICK = {"rows": 2, "pairs": 1}
INSTRUCTIONS = {
    "errors": "Tell this listing again with typing mistakes.",
    "short": "Tell this listing again in half as many words.",
    "loud": "Tell this listing again as loud advertising.",
    "opposite": "Tell this listing again so that it says the opposite.",
}
PROMPT = """---
id: fixed/{name}
version: 1
stage: adversarial
intent: Fixed work for a benchmark.
writes: row
sampling: {{temperature: 0.7, top_p: 0.95}}
---
{{% block system %}}You edit listings.{{% endblock %}}
{{% block user %}}{{{{ row }}}}

{instruction}{{% endblock %}}
"""


class FixedLength(RecordingEngine):
    """vLLM that writes exactly `tokens` tokens, whatever the prompt asks for."""

    tokens = 32

    def changed(self, params: Any) -> Any:
        """Return `params` with the fixed length in place of stops and limits."""
        return exactly(params, self.tokens)


def exactly(params: Any, tokens: int) -> Any:
    """Return a copy of `params` that makes the model write exactly so many tokens."""
    fixed = params.clone()
    fixed.ignore_eos, fixed.min_tokens, fixed.max_tokens = True, 0, tokens
    fixed.stop, fixed.structured_outputs = [], None
    return fixed


def measure(rows: int = 40, pairs: int = 3, least: int = 200) -> Figure:
    """Measure `pairs` over `rows` rows whose prompts have `least` tokens and more."""
    return asyncio.run(_measure(rows, pairs, least))


async def _measure(rows: int, pairs: int, least: int) -> Figure:
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        folder = Path(name)
        write_prompts(folder / "prompts")
        engine = FixedLength()
        config = sample_config(folder, prompts="fixed/*", prompt_dir=str(folder / "prompts"))
        config = config.model_copy(update={"summarize": False})
        try:
            await engine.warm_up()
            data = long_rows(config, engine, rows, least)
            readings = []
            for n in range(pairs):
                into = config.model_copy(update={"output_dir": str(folder / f"run{n}")})
                seconds, manifest = await whole_augment(into, engine, rows=data)
                sent = list(engine.recorded.values())
                stages = instruction_first(engine, sent)
                loop, outputs = await stage_by_stage(engine, stages)
                refuse_unequal(sent, outputs, rows * len(INSTRUCTIONS))
                readings.append((seconds, loop))
        finally:
            await engine.close()
    lengths = [len(one.ids) for one in sent]
    cached = manifest["tokens"]["cached"] / manifest["tokens"]["prompt"]
    return BAR.figure(
        f"fixed work, {rows} rows x {len(INSTRUCTIONS)}: stage-by-stage loop / augment",
        median([loop / mine for mine, loop in readings]),
        raw={"pairs": readings, "prompt_tokens": lengths, "cached_share": cached},
        notes=(
            f"prompts of {min(lengths)} to {max(lengths)} tokens, median"
            f" {statistics.median(lengths):g}; {cached:.0%} of them from the prefix cache",
        ),
    )


def write_prompts(folder: Path) -> None:
    """Write the four prompts as files, the row first."""
    for name, instruction in INSTRUCTIONS.items():
        path = folder / "fixed" / f"{name}.jinja"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PROMPT.format(name=name, instruction=instruction), encoding="utf-8")


def long_rows(config: AugmentConfig, engine: RecordingEngine, count: int, least: int) -> InHand:
    """Return the sample's first `count` rows whose table and text alone have `least` tokens."""
    from textcentric.experts.table import TableExpert
    from textcentric.experts.text import TextExpert

    dataset = load_rows(config)
    experts: dict[str, Expert] = {"table": TableExpert(), "text": TextExpert()}

    def tokens(record: Record) -> int:
        said = (expert.describe([record.inputs[m]])[0].text for m, expert in experts.items())
        return len(engine._chat.tokenizer("\n\n".join(said))["input_ids"])

    full = (r for r in dataset if {"table", "text"} <= r.inputs.keys())
    rows = list(islice((r for r in full if tokens(r) >= least - 30), count))
    assert len(rows) == count, f"only {len(rows)} rows have prompts of {least} tokens"
    return InHand(rows, dataset.schema, name=dataset.name)


def instruction_first(engine: RecordingEngine, sent: Sequence[Sent]) -> list[list[Sent]]:
    """Group requests by their instruction and put it before the row."""
    stages: dict[str, list[Sent]] = {}
    for one in sent:
        row, _, instruction = one.request.messages[1].content.rpartition("\n\n")
        stages.setdefault(instruction, []).append(turned(engine, one, f"{instruction}\n\n{row}"))
    return list(stages.values())


def turned(engine: RecordingEngine, sent: Sent, user: str) -> Sent:
    """Return the request with another user turn."""
    system, old, *begun = sent.request.messages
    messages = (system, replace(old, content=user), *begun)
    return replace(sent, ids=engine.encode(messages), output=())


def refuse_unequal(
    sent: Sequence[Sent], outputs: Sequence[tuple[int, ...]], requests: int | None = None
) -> None:
    """Times of unequal work are not compared: both must write the same number of tokens."""
    mine, theirs = sum(len(s.output) for s in sent), sum(map(len, outputs))
    assert mine == theirs, f"augment wrote {mine} tokens, the loop {theirs}"
    assert len(sent) == len(outputs) == (requests or len(sent)), (len(sent), len(outputs))
