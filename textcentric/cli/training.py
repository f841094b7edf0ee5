"""What `textcentric train` does and says: a model folder in the end, or only the plan of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from textcentric.cli.progress import duration
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.errors import Say
from textcentric.methods.align_vl.config import AlignTraining
from textcentric.methods.downstream.config import Training
from textcentric.methods.fusion.config import CrmtTraining
from textcentric.methods.reward.config import RewardTraining
from textcentric.training.config import TrainConfig
from textcentric.training.processes import first_process, lone_on_cpu, processes

if TYPE_CHECKING:
    from textcentric.methods.align_vl import AlignVl
    from textcentric.methods.align_vl.latents import PairRows
    from textcentric.methods.downstream import Downstream
    from textcentric.training.folder import TrainResult

LONE = (
    "one process trains: on a CPU `accelerate launch` starts no more, whatever --num_processes"
    " says; `torchrun --nproc_per_node 2 pipelines/train.py ...` starts two"
)


def train_command(
    training: Training, *, dry_run: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Train, or show the plan of it; return the exit code."""
    with training_process(quiet=quiet, verbose=verbose) as tell:
        if dry_run:
            return show_training(training, tell, as_json=as_json)
        return train_downstream(training, tell, as_json=as_json, quiet=quiet)


@contextmanager
def training_process(*, quiet: bool, verbose: bool) -> Iterator[Say]:
    """Set up the process of a training; what is yielded tells people, from one process only."""
    silence(verbose)
    tell: Say = (lambda line: None) if quiet or not first_process() else say
    with plain_warnings(tell), terminable():
        if lone_on_cpu():
            tell(LONE)
        yield tell


def train_downstream(training: Training, tell: Say, *, as_json: bool, quiet: bool) -> int:
    """Train a transformer on text rows and say what came of it; return the exit code."""
    from transformers.utils.logging import disable_progress_bar

    from textcentric.methods.downstream import Downstream
    from textcentric.methods.downstream.training import (
        check_classes,
        check_metric,
        fitted,
        training_rows,
    )
    from textcentric.training.loop import train

    disable_progress_bar()

    loop = training.loop()
    rows = training_rows(training, loop.output_dir)
    loop = fitted(loop, training, rows, tell)
    method = Downstream(
        training.method(), rows.train, calibrate_on=rows.held_out or None, origin=rows.origin
    )
    check_metric(loop, method.decision.task)
    check_classes(loop, method, rows, tell)
    tell(f"{len(rows.train)} rows of {rows.name}, {len(rows.held_out)} held out")
    tell(f"model {method.config.model}, task {method.decision.task}, into {loop.output_dir}")
    result = train(method, loop, rows.train, rows.held_out, quiet=quiet)
    if first_process():
        known = {"task": method.decision.task, **facts(result)}
        print(json.dumps(known) if as_json else _downstream_as_text(result, method, training))
    return 0


def _downstream_as_text(result: TrainResult, method: Downstream, training: Training) -> str:
    task, classes = method.decision.task, method.decision.classes
    first = f"task     {task}" + (f" of {len(classes)} classes" if classes else "")
    return f"{first}\n" + outcome_in_words(
        result, "none: no row was held out", then_do(result, training)
    )


def then_do(result: TrainResult, training: Training) -> str:
    """Return the command that comes after the training."""
    from textcentric.command_line import command, schema_flags

    model, dataset = result.output_dir, training.dataset
    if dataset is None:
        return command("predict", model, dataset="NEW.csv", output="predictions.csv")
    schema = schema_flags(training.table_schema)
    return command("evaluate", model, dataset=dataset, data_dir=training.data_dir, **schema)


def facts(result: TrainResult) -> dict[str, Any]:
    """Return where the model is, its steps and its figures, as JSON values."""
    return {
        "path": str(result.output_dir),
        "steps": result.step,
        "best_step": result.best_step,
        "stopped": result.stopped,
        "seconds": round(result.train_seconds, 1),
        "metrics": result.metrics,
    }


def outcome_in_words(result: TrainResult, nothing_held_out: str, then: str) -> str:
    """Return the same as lines; `then` is the command that comes next."""
    from textcentric.training.held_out import in_words as metrics_in_words

    steps = f"{result.step} in {duration(result.train_seconds)}"
    steps += f", best {result.best_step}" if result.best_step is not None else ""
    steps += f", stopped early: {result.stopped}" if result.stopped else ""
    lines = [
        f"steps    {steps}",
        f"metrics  {metrics_in_words(result.metrics) or nothing_held_out}",
        f"model    {result.output_dir}",
        f"next     {then}",
    ]
    return "\n".join(lines)


def show_training(training: Training, tell: Callable[[str], None], *, as_json: bool) -> int:
    """Print what a training would do; the model is built, nothing is written."""
    from textcentric.methods.downstream import Downstream
    from textcentric.methods.downstream.training import (
        check_classes,
        check_metric,
        fitted,
        planned,
        training_rows,
    )

    rows = training_rows(training, None)
    loop = fitted(training.loop(), training, rows, tell)
    method = Downstream(
        training.method(), rows.train, calibrate_on=rows.held_out or None, origin=rows.origin
    )
    check_metric(loop, method.decision.task)
    check_classes(loop, method, rows, tell)
    shown = planned(method, loop, rows)
    if first_process():
        print(json.dumps(shown, ensure_ascii=False) if as_json else _plan_as_text(shown))
    return 0


def _plan_as_text(shown: dict[str, Any]) -> str:
    classes = ", ".join(f"{label}: {count}" for label, count in shown["classes"].items())
    how_long = f" ({shown['epochs']:g} epochs)" if shown["epochs"] else ""
    lines = [
        f"rows     {shown['train_rows']:,} of {shown['rows']} with {shown['variants']:,} variants,"
        f" {shown['held_out_rows']:,} held out",
        f"task     {shown['task']}" + (f" ({classes})" if classes else ""),
        f"reads    {', '.join(shown['parts'])}: {shown['tokens_a_row']:,} tokens a row,"
        f" longest {shown['longest']:,}, {shown['full']:.0%} at --max-length"
        f" {shown['max_length']}",
        f"model    {shown['model']}: {shown['parameters']:,} parameters,"
        f" {shown['trained']:,} of them trained",
        f"steps    {shown['steps']:,} of {shown['batch']} rows{how_long}, about"
        f" {shown['tokens_an_epoch']:,} tokens an epoch",
        f"device   {shown['device']}, processes: {shown['processes']}, mixed precision:"
        f" {shown['mixed_precision']}",
        f"into     {shown['output_dir']} (holds {shown['output_dir_holds']})",
    ]
    return "\n".join(lines)


def train_reward_command(
    training: RewardTraining, *, dry_run: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Train, or show the plan of it; return the exit code."""
    with training_process(quiet=quiet, verbose=verbose) as tell:
        if dry_run:
            return show_reward_training(training, tell, as_json=as_json)
        return train_reward(training, tell, as_json=as_json, quiet=quiet)


def train_reward(training: RewardTraining, tell: Say, *, as_json: bool, quiet: bool) -> int:
    """Train a reward model on pairs and say what came of it; return the exit code."""
    from textcentric.methods.reward.training import prepared
    from textcentric.training.loop import train

    ready = prepared(training, tell)
    loop, method, pairs = ready.loop, ready.method, ready.pairs
    tell(f"{len(pairs.train):,} pairs of {pairs.name}, {len(pairs.held_out):,} held out")
    told = f"objective {method.config.reward_objective}"
    tell(f"model {method.config.model}, {told}, into {loop.output_dir}")
    result = train(method, loop, pairs.train, pairs.held_out, quiet=quiet)
    if first_process():
        print(json.dumps(facts(result)) if as_json else _reward_as_text(result, training))
    return 0


def _reward_as_text(result: TrainResult, training: RewardTraining) -> str:
    from textcentric.methods.reward.training import then_do as after_rewards

    return outcome_in_words(result, "none: no pair was held out", after_rewards(result, training))


def show_reward_training(training: RewardTraining, tell: Say, *, as_json: bool) -> int:
    """Print what a training would do; the model is built, nothing is written."""
    from textcentric.methods.reward.training import planned, prepared

    shown = planned(prepared(training, tell, writes=False))
    if first_process():
        print(json.dumps(shown, ensure_ascii=False) if as_json else _reward_plan_as_text(shown))
    return 0


def _reward_plan_as_text(shown: dict[str, Any]) -> str:
    how_long = f" ({shown['epochs']:g} epochs)" if shown["epochs"] else ""
    proxy = f", proxy reads {shown['proxy_input']}" if shown["proxy_input"] else ""
    described = ", ".join(shown["descriptions"]) or "none"
    lines = [
        f"pairs    {shown['train_pairs']:,} of {shown['pairs']}, {shown['held_out_pairs']:,} held"
        f" out; descriptions: {described}; pictures: {shown['pictures']:,}",
        f"reads    {shown['tokens_a_text']:,} tokens a text, longest {shown['longest']:,},"
        f" {shown['full']:.0%} at --max-length {shown['max_length']}",
        f"learns   by {shown['objective']}{proxy}",
        f"model    {shown['model']}: {shown['parameters']:,} parameters with the proxy,"
        f" {shown['trained']:,} of them trained",
        f"steps    {shown['steps']:,} of {shown['batch']} pairs{how_long}",
        f"device   {shown['device']}, processes: {shown['processes']}, mixed precision:"
        f" {shown['mixed_precision']}",
        f"into     {shown['output_dir']} (holds {shown['output_dir_holds']})",
    ]
    return "\n".join(lines)


def train_crmt_command(
    training: CrmtTraining, *, dry_run: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Train, or show the plan of it; return the exit code."""
    with training_process(quiet=quiet, verbose=verbose) as tell:
        if dry_run:
            return show_crmt_training(training, tell, as_json=as_json)
        return train_crmt(training, tell, as_json=as_json, quiet=quiet)


def train_crmt(training: CrmtTraining, tell: Say, *, as_json: bool, quiet: bool) -> int:
    """Train a fusion model on raw rows and say what came of it; return the exit code."""
    from textcentric.methods.fusion.training import prepared
    from textcentric.training.loop import train

    rows, method, loop = prepared(training, tell)
    tell(f"{len(rows.train):,} rows of {rows.name}, {len(rows.held_out):,} held out")
    tell(
        f"{method.config.variant} of {', '.join(method.names)}, {len(method.classes)} classes,"
        f" into {loop.output_dir}"
    )
    result = train(method, loop, rows.train, rows.held_out, quiet=quiet)
    if first_process():
        print(json.dumps(facts(result)) if as_json else _crmt_as_text(result, training))
    return 0


def show_crmt_training(training: CrmtTraining, tell: Say, *, as_json: bool) -> int:
    """Print what a training would do; the model is built, nothing is written."""
    from textcentric.methods.fusion.training import prepared
    from textcentric.training.plan import device, holds
    from textcentric.training.start import total_steps

    rows, method, loop = prepared(training, tell)
    batch = loop.per_device_train_batch_size * processes() * loop.gradient_accumulation_steps
    shown = {
        "rows": rows.name,
        "train_rows": len(rows.train),
        "held_out_rows": len(rows.held_out),
        "classes": method.classes,
        "modalities": list(method.names),
        "widths": {name: method.fusion.encoder(name).width for name in method.names},
        "variant": method.config.variant,
        "parameters": sum(one.numel() for one in method.model.parameters()),
        "steps": total_steps(loop, math.ceil(len(rows.train) / batch)),
        "batch": batch,
        "device": device(loop),
        "output_dir": str(loop.output_dir),
        "output_dir_holds": holds(loop),
    }
    if first_process():
        lines = (f"{name.replace('_', ' '):<18}{value}" for name, value in shown.items())
        print(json.dumps(shown, ensure_ascii=False) if as_json else "\n".join(lines))
    return 0


def _crmt_as_text(result: TrainResult, training: CrmtTraining) -> str:
    from textcentric.command_line import command, schema_flags

    rows = {"dataset": training.dataset, "data_dir": training.data_dir}
    schema = schema_flags(training.table_schema)
    then = command("evaluate", "fusion", result.output_dir, **rows, **schema)
    return outcome_in_words(result, "none: no row was held out", then)


def train_align_command(
    training: AlignTraining, *, dry_run: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Train, or show the plan of it; return the exit code."""
    from textcentric.methods.align_vl import AlignVl
    from textcentric.methods.align_vl.training import fitted, training_pairs

    with training_process(quiet=quiet, verbose=verbose) as tell:
        latents, rows, held_out = training_pairs(training)
        loop = fitted(training, held_out, latents, tell)
        method = AlignVl(training.method(), latents, rows)
        if dry_run:
            return show_align_training(method, rows, held_out, loop, as_json=as_json)
        return train_align(method, rows, held_out, loop, tell, as_json=as_json, quiet=quiet)


def show_align_training(
    method: AlignVl, rows: PairRows, held_out: PairRows, loop: TrainConfig, *, as_json: bool
) -> int:
    """Print what a training would do; nothing is written."""
    from textcentric.training.plan import device, holds
    from textcentric.training.start import total_steps

    batch = loop.per_device_train_batch_size * processes() * loop.gradient_accumulation_steps
    shown = {
        "pairs": len(rows),
        "held_out_pairs": len(held_out),
        "encoders": {name: one for name, (one, _) in method.encoders.items()},
        "widths": {name: method.latents.width(name) for name in method.names},
        "parameters": sum(one.numel() for one in method.model.parameters()),
        "steps": total_steps(loop, math.ceil(len(rows) / batch)),
        "batch": batch,
        "positives": math.ceil(batch / 2) if method.config.mixing else batch,
        "device": device(loop),
        "output_dir": str(loop.output_dir),
        "output_dir_holds": holds(loop),
    }
    if first_process():
        lines = (f"{name.replace('_', ' '):<18}{value}" for name, value in shown.items())
        print(json.dumps(shown) if as_json else "\n".join(lines))
    return 0


def train_align(
    method: AlignVl,
    rows: PairRows,
    held_out: PairRows,
    loop: TrainConfig,
    tell: Say,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Train what is learnt between two frozen encoders; return the exit code."""
    from textcentric.training.loop import train

    tell(f"{len(rows):,} pairs of {method.latents.name}, {len(held_out):,} held out")
    tell(f"{' and '.join(method.names)}, into {loop.output_dir}")
    result = train(method, loop, rows, held_out, quiet=quiet)
    if first_process():
        print(json.dumps(facts(result)) if as_json else _align_as_text(result, method))
    return 0


def _align_as_text(result: TrainResult, method: AlignVl) -> str:
    from textcentric.command_line import command

    then = command("retrieve", result.output_dir, latents=method.latents.folder)
    return outcome_in_words(result, "none: no pair was held out", then)
