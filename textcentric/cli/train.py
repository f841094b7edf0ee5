"""`textcentric train METHOD`: one command for every method, made of its settings.

A model folder in the end, or only the plan of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

import typer

from textcentric.cli.options import Configured, DryRun, Shown
from textcentric.cli.progress import duration
from textcentric.cli.terminal import plain_warnings, say, show, show_json, silence, terminable
from textcentric.errors import Say
from textcentric.machine import require
from textcentric.methods import METHODS, method_training, training_settings
from textcentric.training.config import TrainingSettings
from textcentric.training.processes import first_process, lone_on_cpu

if TYPE_CHECKING:
    from textcentric.training.folder import TrainResult
    from textcentric.training.plan import Prepared

LONE = (
    "one process trains: on a CPU `accelerate launch` starts no more, whatever --num_processes"
    " says; `torchrun --nproc_per_node 2 pipelines/train.py ...` starts two"
)


def __getattr__(name: str) -> Configured:
    """Return the command that trains a method, with options of its settings."""
    if name not in METHODS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    settings = training_settings(name)

    def command(
        training: TrainingSettings, dry_run: DryRun = False, **shown: Unpack[Shown]
    ) -> None:
        require(f"train {name}")
        training.check()
        train_command(name, training, dry_run=dry_run, **shown)
        raise typer.Exit(0)

    command.__doc__ = settings.help
    command.__annotations__["training"] = settings.__name__
    return Configured(command, settings.__module__, (), True, {})


def train_command(
    method: str,
    training: TrainingSettings,
    *,
    dry_run: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> None:
    """Train and say what came of it, or show the plan of it."""
    from textcentric.training.plan import facts

    with training_process(quiet=quiet, verbose=verbose) as tell:
        trade = method_training(method)
        ready = trade.prepared(training, tell, writes=not dry_run)
        if dry_run:
            plan = trade.planned(ready)
            shown = trade.plan_as_text(plan) + "".join(f"\n{line}" for line in balance_lines(ready))
            values = {**plan, "balance": ready.balance}
        else:
            rows = f"{len(ready.train):,} {ready.unit}s of {ready.name}"
            tell(f"{rows}, {len(ready.held_out):,} held out")
            tell(f"{ready.about}, into {ready.loop.output_dir}")
            result = ready.run(quiet=quiet)
            then = trade.then_do(result, training)
            shown, values = as_text(ready, result, then), facts(result, ready.task, ready.balance)
        if first_process() and as_json:
            show_json(values)
        elif first_process():
            show(shown)


@contextmanager
def training_process(*, quiet: bool, verbose: bool) -> Iterator[Say]:
    """Set up the process of a training; what is yielded tells people, from one process only."""
    silence(verbose)
    tell: Say = (lambda line: None) if quiet or not first_process() else say
    with plain_warnings(tell), terminable():
        if lone_on_cpu():
            tell(LONE)
        yield tell


def balance_lines(ready: Prepared) -> list[str]:
    """Return the line that says of which rows a training takes how many, where that is counted."""
    from textcentric.data.balance import in_words

    if ready.balance is None:
        return []
    return [f"counts   {in_words(ready.balance, 'learnt from or held out')}"]


def as_text(ready: Prepared, result: TrainResult, then: str) -> str:
    """Return the same as lines; `then` is the command that comes next."""
    from textcentric.training.constant import of_constant, of_model
    from textcentric.training.held_out import in_words

    steps = f"{result.step} in {duration(result.train_seconds)}"
    steps += f", best {result.best_step}" if result.best_step is not None else ""
    steps += f", stopped early: {result.stopped}" if result.stopped else ""
    constant = of_constant(result.metrics)
    nothing = f"none: no {ready.unit} was held out"
    lines = [
        *([f"task     {ready.of}"] if ready.of else []),
        *balance_lines(ready),
        f"steps    {steps}",
        f"metrics  {in_words(of_model(result.metrics)) or nothing}",
        *([f"constant {in_words(constant)}"] if constant else []),
        *(f"note     {note}" for note in result.notes),
        f"model    {result.output_dir}",
        f"next     {then}",
    ]
    return "\n".join(lines)
