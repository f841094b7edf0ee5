"""`augment --dry-run`: the plan, the first rendered prompt and the number of requests."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from textcentric.augment import question
from textcentric.cli.columns import columns
from textcentric.cli.rows_in_words import in_words
from textcentric.cli.terminal import say
from textcentric.config import AugmentConfig, differences, identity_of
from textcentric.errors import ConfigError, DataError, EngineError
from textcentric.experts.image import MOST_PICTURES
from textcentric.flow import DERIVED, Plan, derive_seed
from textcentric.prompts import Prompt, PromptLibrary
from textcentric.rows import Record, TextRow
from textcentric.runs import CONFIG, read_yaml
from textcentric.session import (
    engine_name,
    load_rows,
    make_engine,
    make_plan,
    run_folder,
    run_identity,
)
from textcentric.variants import aim

TRIES = 2  # requests for an answer that must fit a schema
BY_THE_MODEL = "({} of the row: the model writes it during the run)"


@dataclass
class Work:
    """What a run owes: rows, outputs a prompt, and requests at most (inf: no bound)."""

    rows: int = 0
    outputs: Counter[str] = field(default_factory=Counter)
    requests: float = 0.0


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
    shown: dict[str, Any] = {
        "dataset": dataset.name,
        "rows": work.rows,
        "outputs": dict(work.outputs),
        "requests_at_most": None if math.isinf(work.requests) else int(work.requests),
        "first_prompt": first_prompt(config, plan, dataset),
    }
    where, fault = _destination(config, plan, dataset)
    shown |= where
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
        work.requests += sum(_most(prompt, record) for prompt in (*plan.derive, *wanted))
        work.requests += _most(plan.judge, record) * len(wanted) if plan.judge else 0
        if config.image_expert == "vlm":
            work.requests += min(MOST_PICTURES, len(record.inputs.get("image", ())))
    return work


def _most(prompt: Prompt, record: Record) -> float:
    """Return how many requests `prompt` makes of one row at most."""
    front = prompt.front
    units = (front.take or math.inf) if front.each == "sentence" else 1
    parts = len(record.inputs) if front.stage == "align" else 1
    return units * parts * (TRIES if front.answer_schema else 1)


def first_prompt(config: AugmentConfig, plan: Plan, dataset: Any) -> dict[str, Any]:
    """Return the first prompt that has something to write on in the first row, rendered."""
    row = _first_row(config, plan, dataset)
    for prompt in (*plan.variants, *plan.derive):
        if prompt.front.stage == "bank":
            prompt = plan.library.from_bank(prompt, derive_seed(plan.seed, row.id, "bank", 0))
        rng = random.Random(derive_seed(plan.seed, row.id, prompt.id, 0))
        told = next(iter(row.parts)) if prompt.front.stage == "align" else None
        target = aim(prompt, row, rng, told)
        if not target.units:
            continue
        written = {name: BY_THE_MODEL.format(name) for name in DERIVED}
        known = {**written, **target.variables, **question(dataset), **target.units[0].variables}
        turns = [{"role": role, "text": text} for role, text in prompt.render(known).turns]
        return {"prompt": prompt.id, "row": row.id, "turns": turns}
    return {"prompt": None, "row": row.id, "turns": []}


def _first_row(config: AugmentConfig, plan: Plan, dataset: Any) -> TextRow:
    """Return the first row that is perturbed; the first of all where none is."""
    if config.image_expert == "vlm":
        say("pictures: the model describes them in a run; here only their look is told")
        config = config.model_copy(update={"image_expert": "pixels"})
    records = chain((record for record in dataset if plan.wanted(record)), dataset)
    with closing(in_words(config, dataset, records)) as rows:
        for _, described in rows:
            if described is not None:
                return described.row
    raise DataError(f"no row of {dataset.name} can be put into words; see `textcentric data check`")


def _destination(
    config: AugmentConfig, plan: Plan, dataset: Any
) -> tuple[dict[str, Any], ConfigError | EngineError | None]:
    """Return engine, model and run directory, as far as they are known, and what is wrong."""
    try:
        engine = make_engine(config)
    except (ConfigError, EngineError) as error:
        return {"engine": engine_name(config), "model": config.model, "output_dir": None}, error
    identity = run_identity(config, dataset, plan, engine)
    folder = run_folder(config, dataset, identity)
    known = dict(engine.fingerprint())
    return {
        "engine": known.get("engine", engine_name(config)),
        "model": known.get("model") or None,
        "output_dir": str(folder),
        "output_dir_holds": _holds(folder, identity),
    }, None


def _holds(folder: Path, identity: dict[str, Any]) -> str:
    """Say what a run would find in `folder`."""
    old = identity_of(read_yaml(folder / CONFIG))
    if not old:
        return "other files" if folder.is_dir() and any(folder.iterdir()) else "nothing yet"
    changed = differences(old, identity)
    return f"another configuration: {'; '.join(changed)}" if changed else "this run, to go on with"


def _as_text(shown: dict[str, Any], plan: Plan) -> str:
    first, most = shown["first_prompt"], shown["requests_at_most"]
    lines = [f"{shown['rows']} rows of {shown['dataset']}", columns([*shown["outputs"].items()])]
    if plan.variants and len(shown["outputs"]) == 1:
        lines.append("no row is of the split train, so none is perturbed; see --perturb all")
    engine = f"engine {shown['engine']}, model {shown['model'] or 'not known before the start'}"
    lines.append(
        f"{f'at most {most:,} requests' if most is not None else _no_bound(plan)}; {engine}"
    )
    if shown["output_dir"]:
        lines.append(f"into {shown['output_dir']} (holds {shown['output_dir_holds']})")
    if not first["turns"]:
        return "\n".join([*lines, f"row {first['row']} has nothing for these prompts to write on"])
    lines.append(f"\nthe first prompt: {first['prompt']} on row {first['row']}")
    lines += [f"--- {turn['role']}\n{turn['text']}" for turn in first["turns"]]
    return "\n".join(lines)


def _no_bound(plan: Plan) -> str:
    prompts = (*plan.derive, *plan.variants)
    name = next(p.id for p in prompts if p.front.each == "sentence" and not p.front.take)
    return f"requests without a bound: {name} asks for every sentence (it sets no `take`)"
