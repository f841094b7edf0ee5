"""What `textcentric train downstream` does: rows in, a model folder out; or only its plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textcentric.cli.launched import first_process, lone_on_cpu
from textcentric.cli.outcome import facts, in_words
from textcentric.cli.terminal import Tell, plain_warnings, say, silence, terminable
from textcentric.cli.train_rows import check_classes, check_metric, fitted, training_rows
from textcentric.cli.train_settings import Training
from textcentric.command_line import command, schema_flags

if TYPE_CHECKING:
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
            from textcentric.cli.train_plan import show_training

            return show_training(training, tell, as_json=as_json)
        return train_downstream(training, tell, as_json=as_json, quiet=quiet)


@contextmanager
def training_process(*, quiet: bool, verbose: bool) -> Iterator[Tell]:
    """Set up the process of a training; what is yielded tells people, from one process only."""
    silence(verbose)
    tell: Tell = (lambda line: None) if quiet or not first_process() else say
    with plain_warnings(tell), terminable():
        if lone_on_cpu():
            tell(LONE)
        yield tell


def train_downstream(training: Training, tell: Tell, *, as_json: bool, quiet: bool) -> int:
    """Train a transformer on text rows and say what came of it; return the exit code."""
    from transformers.utils.logging import disable_progress_bar

    from textcentric.methods.downstream import Downstream
    from textcentric.train import train

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
        print(json.dumps(known) if as_json else _as_text(result, method, training))
    return 0


def _as_text(result: TrainResult, method: Downstream, training: Training) -> str:
    task, classes = method.decision.task, method.decision.classes
    first = f"task     {task}" + (f" of {len(classes)} classes" if classes else "")
    return f"{first}\n" + in_words(result, "none: no row was held out", then_do(result, training))


def then_do(result: TrainResult, training: Training) -> str:
    """Return the command that comes after the training."""
    model, dataset = result.output_dir, training.dataset
    if dataset is None:
        return command("predict", model, dataset="NEW.csv", output="predictions.csv")
    schema = schema_flags(training.table_schema)
    return command("evaluate", model, dataset=dataset, data_dir=training.data_dir, **schema)
