"""`augment --dry-run`: the plan, the first rendered prompt and the number of requests."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from textcentric.augment import question
from textcentric.cli.run_augment import say
from textcentric.config import AugmentConfig
from textcentric.describe import Describer
from textcentric.flow import Plan, derive_seed
from textcentric.journal import Journal
from textcentric.prompts import Prompt, PromptLibrary
from textcentric.rows import Record, TextRow
from textcentric.session import engine_name, load_rows, make_experts, make_plan
from textcentric.variants import aim


def show_plan(config: AugmentConfig, *, as_json: bool) -> None:
    """Print what a run would do; no model is loaded and nothing is written."""
    library = PromptLibrary.load(*([config.prompt_dir] if config.prompt_dir else []))
    plan = make_plan(config, library)
    dataset = load_rows(config)
    for note in dataset.notes:
        say(note)
    rows, outputs, first = 0, Counter[str](), None
    for record in dataset:
        rows += 1
        first = first or record
        outputs["clean"] += 1
        outputs.update(prompt.id for prompt, _ in plan.wanted(record))
    row = _described(config, dataset, first)
    requests = rows * len(plan.derive) + _variant_requests(plan, dataset, outputs)
    shown: dict[str, Any] = {
        "dataset": dataset.name,
        "rows": rows,
        "outputs": dict(outputs),
        "requests_at_most": requests,
        "engine": engine_name(config),
        "model": config.model or "smollm2 (the engine's default)",
        "first_prompt": _first_prompt(plan, row, dataset),
    }
    print(json.dumps(shown, ensure_ascii=False) if as_json else _as_text(shown))


def _described(config: AugmentConfig, dataset: Any, record: Record | None) -> TextRow:
    assert record is not None, "a loaded data set has at least one readable row"
    with tempfile.TemporaryDirectory(prefix="textcentric-") as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        describer = Describer(make_experts(config, dataset), journal)
        try:
            return asyncio.run(describer.describe(record)).row
        finally:
            describer.close()
            journal.close()


def _variant_requests(plan: Plan, dataset: Any, outputs: Counter[str]) -> int:
    """Return how many requests the variants take at most: `take` a prompt that goes by sentence."""
    takes = {prompt.id: _requests(prompt) for prompt in plan.variants}
    bank = next((_requests(p) for p in plan.variants if p.front.stage == "bank"), 1)
    judged = 1 if plan.judge else 0
    return sum(
        n * (takes.get(name, bank) + judged) for name, n in outputs.items() if name != "clean"
    )


def _requests(prompt: Prompt) -> int:
    return prompt.front.take or 1 if prompt.front.each == "sentence" else 1


def _first_prompt(plan: Plan, row: TextRow, dataset: Any) -> list[dict[str, str]]:
    prompts: list[Prompt] = [*plan.variants, *plan.derive]
    prompt = prompts[0]
    if prompt.front.stage == "bank":
        prompt = plan.library.from_bank(prompt, derive_seed(plan.seed, row.id, "bank", 0))
    target = aim(prompt, row, random.Random(derive_seed(plan.seed, row.id, prompt.id, 0)))
    unit = target.units[0].variables if target.units else {"sentence": "", "sentences": []}
    variables = {**target.variables, **question(dataset), **unit}
    return [{"role": role, "text": text} for role, text in prompt.render(variables).turns]


def _as_text(shown: dict[str, Any]) -> str:
    lines = [f"{shown['rows']} rows of {shown['dataset']}; engine {shown['engine']}"]
    lines += [f"  {name}: {n} outputs" for name, n in shown["outputs"].items()]
    lines.append(f"at most {shown['requests_at_most']} requests to {shown['model']}")
    lines.append("the first prompt:")
    lines += [f"--- {turn['role']}\n{turn['text']}" for turn in shown["first_prompt"]]
    return "\n".join(lines)
