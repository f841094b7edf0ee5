"""`textcentric augment` and `textcentric describe`."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Unpack

import typer

from textcentric.augmentation.config import EXPERTS, ROWS, AugmentConfig
from textcentric.cli.options import AsJson, DryRun, Shown, configured, of_output
from textcentric.cli.running import drive, engine_in_words, run_config, unperturbed, verdict
from textcentric.cli.terminal import columns, say, show, show_json, silence
from textcentric.data.rows import tell_notes
from textcentric.errors import ConfigError, EngineError, Say, StoppedError
from textcentric.folders import another, read_yaml
from textcentric.security.visible import in_line

if TYPE_CHECKING:
    from textcentric.augmentation.driver import Job
    from textcentric.augmentation.plan import Plan
    from textcentric.data.memory import InHand
    from textcentric.data.rows import Rows
    from textcentric.engines.protocol import Engine
    from textcentric.runs.columns import Failure, Output

Mode = Literal["run", "dry-run", "estimate", "preview"]


@configured("augmentation.config")
def augment(
    config: AugmentConfig,
    dry_run: DryRun = False,
    estimate: Annotated[
        bool,
        of_output("--estimate", about="Run 20 rows, then say what all would take."),
    ] = False,
    preview: Annotated[
        int | None,
        of_output("--preview", about="Show so many rows; keep nothing.", min=1, metavar="INTEGER"),
    ] = None,
    **shown: Unpack[Shown],
) -> None:
    """Write perturbed text for each row: describe, summarise, perturb, check; a run directory.

    Example: textcentric augment --dataset petfinder --prompts adversarial --limit 24
    """
    mode = chosen_mode(dry_run=dry_run, estimate=estimate, preview=preview is not None)
    raise typer.Exit(augment_command(config, mode, preview=preview, **shown))


def chosen_mode(*, dry_run: bool, estimate: bool, preview: bool) -> Mode:
    """Return the one mode that was asked for; two at once are refused."""
    asked: dict[Mode, bool] = {"dry-run": dry_run, "estimate": estimate, "preview": preview}
    modes = [mode for mode, wanted in asked.items() if wanted]
    if len(modes) > 1:
        raise typer.BadParameter(f"--{modes[0]} and --{modes[1]} exclude each other; choose one")
    return modes[0] if modes else "run"


@configured("augmentation.config", only=(*ROWS, *EXPERTS), limit=5)
def describe(config: AugmentConfig, as_json: AsJson = False) -> None:
    """Show rows in the experts' words, without a language model.

    Example: textcentric describe --dataset petfinder --limit 2
    """
    describe_command(config, as_json=as_json)


def augment_command(
    config: AugmentConfig,
    mode: str,
    *,
    preview: int | None = None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run one mode of `augment`; return the exit code."""
    silence(verbose)
    if mode == "dry-run":
        return show_plan(config, as_json=as_json)
    if preview is not None:
        return show_preview(config, preview, as_json=as_json, quiet=quiet)
    return run_config(config, estimate=mode == "estimate", as_json=as_json, quiet=quiet)


def describe_command(config: AugmentConfig, *, as_json: bool) -> None:
    """Print rows in the experts' words."""
    from textcentric.augmentation.description import Silences
    from textcentric.augmentation.opening import load_rows
    from textcentric.augmentation.words import in_words
    from textcentric.data.balance import in_words as counts

    dataset = load_rows(config)
    tell_notes(dataset, say)
    silences = Silences()
    for _, described in in_words(config, dataset, say=say):
        if described is not None:
            silences.look(described)
            _print_row(described, as_json)
    for line in silences.lines():
        say(line)
    say(counts(dataset.balance, "described"))


def _print_row(described: Any, as_json: bool) -> None:
    row = described.row
    if as_json:
        value = {"id": row.id, "parts": dict(row.parts), "experts": described.experts}
        show_json(value | {"notes": described.notes})
        return
    show(f"\n== {in_line(row.id)}")
    for name, text in row.parts.items():
        show(f"[{in_line(name)}] {text}")


def show_preview(config: AugmentConfig, rows: int, *, as_json: bool, quiet: bool) -> int:
    """Print the outputs of the first `rows` that will be perturbed; return the exit code."""
    from textcentric.augmentation.run import opened

    def show_outputs(outputs: Sequence[Output | Failure]) -> None:
        if not as_json:
            show(row_as_text(outputs))
            return
        for output in outputs:
            show_json(asdict(output))

    tell = (lambda line: None) if quiet else say
    with tempfile.TemporaryDirectory(prefix="textcentric-") as folder:
        config = config.model_copy(update={"output_dir": folder, "resume": "auto"})
        with opened(config, on_row=show_outputs, say=tell) as run:
            run.job.dataset = _first_perturbed(run.job, rows, tell)
            tell(engine_in_words(run.job.engine.fingerprint()))
            try:
                manifest = drive(run, quiet=quiet, when_interrupted="; a preview keeps nothing")
            except StoppedError as stop:
                raise StoppedError(f"{stop.__cause__ or stop}; a preview keeps nothing") from stop
            tell(_summary(run.job.metrics.rows, manifest))
            return verdict(run.job, manifest)


def _first_perturbed(job: Job, count: int, tell: Say) -> InHand:
    """Return the first rows that will be perturbed; where none will be, the first of all."""
    from textcentric.data.memory import InHand

    dataset = job.dataset
    records = list(islice(filter(job.plan.wanted, dataset), count))
    if not records:
        records = list(islice(dataset, count))
        tell(unperturbed(len(records), len(records)))
    return InHand(records, dataset.schema, dataset.name, dataset.origin, dataset.path)


def row_as_text(outputs: Sequence[Output | Failure]) -> str:
    """Return the outputs of one row: the row whole, of its variants only what is new in them."""
    from textcentric.runs.columns import Output

    clean = next((o for o in outputs if isinstance(o, Output) and o.prompt == "clean"), None)
    source = clean.parts if clean else {}
    return "\n".join(line for output in outputs for line in _lines(output, source))


def _lines(output: Output | Failure, source: Mapping[str, str]) -> list[str]:
    from textcentric.runs.columns import Failure

    if isinstance(output, Failure):
        return [f"\n{in_line(f'== {output.id}: failed at {output.stage}: {output.message}')}"]
    fate = f"rejected: {output.reason}" if output.reason else "accepted"
    parts = output.parts
    if output.prompt != "clean":
        parts = {name: text for name, text in parts.items() if source.get(name) != text}
    lines = [f"[{name}] {text}" for name, text in parts.items()]
    heading = f"\n== {in_line(f'{output.id}: {fate}')}"
    return [heading, *(lines or ["(nothing differs from the row)"])]


def _summary(rows: int, manifest: Mapping[str, Any]) -> str:
    from textcentric.runs.directory import variants_and_clean

    variants, _ = variants_and_clean(manifest["counts"])
    counts = ", ".join(f"{variants[fate]} {fate}" for fate in ("accepted", "rejected", "failed"))
    early = f"; {manifest['stopped']}" if manifest["stopped"] else ""
    number = "1 row" if rows == 1 else f"{rows} rows"
    return f"\n{number}, variants: {counts}{early}; this was a preview, nothing is kept"


def show_plan(config: AugmentConfig, *, as_json: bool) -> int:
    """Print what a run would do; no model is loaded and nothing is written. Return the exit code.

    An engine that cannot be opened, the plan aside, ends it as it would end the run.
    """
    from textcentric.augmentation.choice import believed_plan, made_with, read_words
    from textcentric.augmentation.forecast import cost_bounds, count_work, prompt_tokens
    from textcentric.augmentation.forecast_prompts import (
        first_prompt,
        sampled_rows,
        tokens_a_request,
    )
    from textcentric.augmentation.opening import load_rows
    from textcentric.augmentation.plan import make_plan, with_columns, with_shares
    from textcentric.prompts.calibration import read_calibration
    from textcentric.prompts.library import PromptLibrary

    library = PromptLibrary.load(*([config.prompt_dir] if config.prompt_dir else []))
    plan = make_plan(config, library)
    dataset = load_rows(config)
    plan = with_shares(with_columns(plan, dataset), config, dataset)
    tell_notes(dataset, say)
    engine, fault = _opened(config, plan)
    made = made_with(config, engine.fingerprint() if engine else {})
    plan = believed_plan(plan, config, made, read_calibration())
    work = count_work(config, plan, dataset)
    rows = sampled_rows(config, plan, dataset, say)
    tokens = tokens_a_request(plan, dataset, rows, engine)
    shown: dict[str, Any] = {
        "dataset": dataset.name,
        "rows": work.rows,
        "balance": dataset.balance,
        "outputs": dict(work.outputs),
        "requests": {prompt: _whole(asked) for prompt, asked in work.requests.items()},
        "requests_at_most": _whole(sum(work.requests.values())),
        "prompt_tokens": (counted := prompt_tokens(work, tokens)),
        "cost": cost_bounds(work, counted, plan, config),
        "classes": plan.shares.words() if plan.shares else None,
        "read": read_words(plan),
        "left_out": {reading.prompt: reading.why() for reading in plan.left_out},
        "first_prompt": first_prompt(plan, dataset, *rows[0]),
        **_destination(config, plan, dataset, engine),
    }
    if as_json:
        show_json(shown)
    else:
        show(_plan_as_text(shown, plan))
    if fault is not None:
        say(f"textcentric: {fault}")
    return fault.exit_code if fault is not None else 0


def _whole(requests: float) -> int | None:
    return None if math.isinf(requests) else int(requests)


def _opened(
    config: AugmentConfig, plan: Plan
) -> tuple[Engine | None, ConfigError | EngineError | None]:
    """Return the engine, of which no model is loaded, or what is wrong with it."""
    from textcentric.augmentation.opening import make_engine, needs_engine
    from textcentric.engines.none import NoEngine

    if not needs_engine(config, plan):
        return NoEngine(), None
    try:
        return make_engine(config, plan), None
    except (ConfigError, EngineError) as error:
        return None, error


def _destination(
    config: AugmentConfig, plan: Plan, dataset: Rows, engine: Engine | None
) -> dict[str, Any]:
    """Return engine, model and run directory, as far as they are known."""
    from textcentric.augmentation.opening import engine_name, make_judge
    from textcentric.augmentation.run import held_to_facts, run_folder, run_identity
    from textcentric.augmentation.truth import facts_of

    if engine is None:
        return {"engine": engine_name(config), "model": config.model, "output_dir": None}
    identity = run_identity(config, dataset, plan, engine, make_judge(config, say))
    if facts := facts_of(held_to_facts(config, plan, identity, say)):
        identity["facts"] = dict(facts)
    folder = run_folder(config, dataset, identity)
    known = dict(engine.fingerprint())
    return {
        "engine": known.get("engine", engine_name(config)) if known else None,
        "model": known.get("model") or None,
        "output_dir": str(folder),
        "output_dir_holds": _holds(folder, identity),
    }


def _holds(folder: Path, identity: dict[str, Any]) -> str:
    """Say what a run would find in `folder`."""
    from textcentric.runs.directory import CONFIG
    from textcentric.runs.identity import identity_of

    old = identity_of(read_yaml(folder / CONFIG))
    if not old:
        return "other files" if folder.is_dir() and any(folder.iterdir()) else "nothing yet"
    return another(old, identity) or "this run, to go on with"


def _plan_as_text(shown: dict[str, Any], plan: Plan) -> str:
    first, most = shown["first_prompt"], shown["requests_at_most"]
    from textcentric.augmentation.choice import choice_lines
    from textcentric.data.balance import in_words

    lines = [f"{shown['rows']} rows of {shown['dataset']}"]
    lines += [in_words(shown["balance"])] if shown["balance"]["left_out"] else []
    lines.append(_table(shown))
    if plan.variants and len(shown["outputs"]) == 1:
        lines.append("no row is of the split train, so none is perturbed; see --perturb all")
    engine = engine_in_words({**shown, "model": shown["model"] or "not known before the start"})
    engine = engine_in_words({}) if shown["engine"] is None else engine
    bound = f"at most {most:,} requests" if most is not None else _no_bound(plan)
    lines.append(f"{bound}{_all_tokens(shown)}{_cost(shown)}; {engine}")
    if shown["output_dir"]:
        lines.append(f"into {shown['output_dir']} (holds {shown['output_dir_holds']})")
    lines += choice_lines(plan)
    if not plan.asks:
        return "\n".join(lines)
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


def _cost(shown: dict[str, Any]) -> str:
    from textcentric.runs.prices import money

    cost = shown["cost"]
    if cost is None:
        return ""
    prompts, answers = money(cost["prompts"]), money(cost["answers_at_most"])
    return f", cost about {prompts} for prompts and at most {answers} for answers"


def _no_bound(plan: Plan) -> str:
    prompts = (*plan.derive, *plan.variants)
    name = next(p.id for p in prompts if p.front.each == "sentence" and not p.front.take)
    return f"requests without a bound: {name} asks for every sentence (it sets no `take`)"
