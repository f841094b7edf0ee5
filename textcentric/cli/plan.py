"""`augment --dry-run`: outputs, requests and prompt tokens by prompt, and the first prompt."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textcentric.cli.columns import columns
from textcentric.cli.plan_prompts import first_prompt, sampled_rows, tokens_a_request
from textcentric.cli.terminal import say
from textcentric.config import AugmentConfig, differences, identity_of
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, EngineError
from textcentric.experts.image import MOST_PICTURES
from textcentric.flow import Plan
from textcentric.prompts import Prompt, PromptLibrary
from textcentric.rows import Record
from textcentric.runs import CONFIG, read_yaml
from textcentric.session import (
    CAPTION,
    engine_name,
    load_rows,
    make_engine,
    make_plan,
    run_folder,
    run_identity,
)

TRIES = 2  # requests for an answer that must fit a schema


@dataclass
class Work:
    """What a run owes: rows, and of each prompt outputs and requests at most (inf: no bound)."""

    rows: int = 0
    outputs: Counter[str] = field(default_factory=Counter)
    requests: dict[str, float] = field(default_factory=dict)

    def ask(self, prompt: str, requests: float) -> None:
        """Count requests of a prompt."""
        self.requests[prompt] = self.requests.get(prompt, 0.0) + requests


def show_plan(config: AugmentConfig, *, as_json: bool) -> int:
    """Print what a run would do; no model is loaded and nothing is written. Return the exit code.

    An engine that cannot be opened, the plan aside, ends it as it would end the run.
    """
    library = PromptLibrary.load(*([config.prompt_dir] if config.prompt_dir else []))
    plan = make_plan(config, library)
    dataset = load_rows(config)
    for note in dataset.notes:
        say(note)
    work = count_work(config, plan, dataset)
    engine, fault = _opened(config)
    rows = sampled_rows(config, plan, dataset)
    tokens = tokens_a_request(plan, dataset, rows, engine)
    shown: dict[str, Any] = {
        "dataset": dataset.name,
        "rows": work.rows,
        "outputs": dict(work.outputs),
        "requests": {prompt: _whole(asked) for prompt, asked in work.requests.items()},
        "requests_at_most": _whole(sum(work.requests.values())),
        "prompt_tokens": _prompt_tokens(work, tokens),
        "first_prompt": first_prompt(plan, dataset, *rows[0]),
        **_destination(config, plan, dataset, engine),
    }
    print(json.dumps(shown, ensure_ascii=False) if as_json else _as_text(shown, plan))
    if fault is not None:
        say(f"textcentric: {fault}")
    return fault.exit_code if fault is not None else 0


def count_work(config: AugmentConfig, plan: Plan, dataset: Any) -> Work:
    """Count over all rows what the plan wants of them."""
    work = Work()
    for record in dataset:
        wanted = [prompt for prompt, _ in plan.wanted(record)]
        work.rows += 1
        work.outputs["clean"] += 1
        work.outputs.update(prompt.id for prompt in wanted)
        if config.image_expert == "vlm":
            work.ask(CAPTION, min(MOST_PICTURES, len(record.inputs.get("image", ()))))
        for prompt in (*plan.derive, *wanted):
            work.ask(prompt.id, _most(prompt, record))
        if plan.judge:
            work.ask(plan.judge.id, _most(plan.judge, record) * len(wanted))
    return work


def _whole(requests: float) -> int | None:
    return None if math.isinf(requests) else int(requests)


def _prompt_tokens(work: Work, tokens: Mapping[str, float]) -> dict[str, int | None]:
    """Return about how many prompt tokens each prompt takes, None where that cannot be known."""
    return {
        prompt: None if math.isinf(asked) or prompt not in tokens else round(asked * tokens[prompt])
        for prompt, asked in work.requests.items()
        if asked
    }


def _most(prompt: Prompt, record: Record) -> float:
    """Return how many requests `prompt` makes of one row at most."""
    front = prompt.front
    units = (front.take or math.inf) if front.each == "sentence" else 1
    parts = len(record.inputs) if front.stage == "align" else 1
    return units * parts * (TRIES if front.answer_schema else 1)


def _opened(config: AugmentConfig) -> tuple[Engine | None, ConfigError | EngineError | None]:
    """Return the engine, of which no model is loaded, or what is wrong with it."""
    try:
        return make_engine(config), None
    except (ConfigError, EngineError) as error:
        return None, error


def _destination(
    config: AugmentConfig, plan: Plan, dataset: Any, engine: Engine | None
) -> dict[str, Any]:
    """Return engine, model and run directory, as far as they are known."""
    if engine is None:
        return {"engine": engine_name(config), "model": config.model, "output_dir": None}
    identity = run_identity(config, dataset, plan, engine)
    folder = run_folder(config, dataset, identity)
    known = dict(engine.fingerprint())
    return {
        "engine": known.get("engine", engine_name(config)),
        "model": known.get("model") or None,
        "output_dir": str(folder),
        "output_dir_holds": _holds(folder, identity),
    }


def _holds(folder: Path, identity: dict[str, Any]) -> str:
    """Say what a run would find in `folder`."""
    old = identity_of(read_yaml(folder / CONFIG))
    if not old:
        return "other files" if folder.is_dir() and any(folder.iterdir()) else "nothing yet"
    changed = differences(old, identity)
    return f"another configuration: {'; '.join(changed)}" if changed else "this run, to go on with"


def _as_text(shown: dict[str, Any], plan: Plan) -> str:
    first, most = shown["first_prompt"], shown["requests_at_most"]
    lines = [f"{shown['rows']} rows of {shown['dataset']}", _table(shown)]
    if plan.variants and len(shown["outputs"]) == 1:
        lines.append("no row is of the split train, so none is perturbed; see --perturb all")
    engine = f"engine {shown['engine']}, model {shown['model'] or 'not known before the start'}"
    bound = f"at most {most:,} requests" if most is not None else _no_bound(plan)
    lines.append(f"{bound}{_all_tokens(shown)}; {engine}")
    if shown["output_dir"]:
        lines.append(f"into {shown['output_dir']} (holds {shown['output_dir_holds']})")
    if not first["turns"]:
        return "\n".join([*lines, f"row {first['row']} has nothing for these prompts to write on"])
    lines.append(f"\nthe first prompt: {first['prompt']} on row {first['row']}")
    lines += [f"--- {turn['role']}\n{turn['text']}" for turn in first["turns"]]
    return "\n".join(lines)


def _table(shown: dict[str, Any]) -> str:
    """Return outputs, requests and prompt tokens by prompt, those that write for others first."""
    outputs, requests, tokens = shown["outputs"], shown["requests"], shown["prompt_tokens"]
    derived = [prompt for prompt in requests if prompt not in outputs]
    rows = [
        [
            prompt,
            outputs.get(prompt, 0),
            "no bound" if requests.get(prompt, 0) is None else requests.get(prompt, 0),
            "not known" if tokens.get(prompt, 0) is None else tokens.get(prompt, 0),
        ]
        for prompt in ("clean", *derived, *(name for name in outputs if name != "clean"))
    ]
    return columns(rows, ["prompt", "outputs", "requests", "prompt tokens"])


def _all_tokens(shown: dict[str, Any]) -> str:
    counts = shown["prompt_tokens"].values()
    return "" if None in counts else f", about {sum(counts):,} prompt tokens"


def _no_bound(plan: Plan) -> str:
    prompts = (*plan.derive, *plan.variants)
    name = next(p.id for p in prompts if p.front.each == "sentence" and not p.front.take)
    return f"requests without a bound: {name} asks for every sentence (it sets no `take`)"
