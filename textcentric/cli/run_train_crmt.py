"""What `textcentric train crmt` does: rows in, a fusion model out; or only its plan."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textcentric.cli.crmt_settings import CrmtTraining
from textcentric.cli.launched import first_process, processes
from textcentric.cli.outcome import facts, in_words
from textcentric.cli.run_train import training_process
from textcentric.cli.terminal import Tell
from textcentric.cli.train_plan import device, holds
from textcentric.command_line import command, schema_flags
from textcentric.data import load
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.methods.crmt import Crmt
from textcentric.methods.crmt.encoders import DEFAULTS
from textcentric.rows import Record
from textcentric.training.config import TrainConfig
from textcentric.training.start import total_steps

if TYPE_CHECKING:
    from textcentric.training.folder import TrainResult


@dataclass(frozen=True)
class Rows:
    """What is trained on and what is evaluated."""

    name: str
    train: list[Record]
    held_out: list[Record]


def train_crmt_command(
    training: CrmtTraining, *, dry_run: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Train, or show the plan of it; return the exit code."""
    with training_process(quiet=quiet, verbose=verbose) as tell:
        if dry_run:
            return show_crmt_training(training, tell, as_json=as_json)
        return train_crmt(training, tell, as_json=as_json, quiet=quiet)


def train_crmt(training: CrmtTraining, tell: Tell, *, as_json: bool, quiet: bool) -> int:
    """Train a fusion model on raw rows and say what came of it; return the exit code."""
    from textcentric.train import train

    rows, method, loop = prepared(training, tell)
    tell(f"{len(rows.train):,} rows of {rows.name}, {len(rows.held_out):,} held out")
    tell(
        f"{method.config.variant} of {', '.join(method.names)}, {len(method.classes)} classes,"
        f" into {loop.output_dir}"
    )
    result = train(method, loop, rows.train, rows.held_out, quiet=quiet)
    if first_process():
        print(json.dumps(facts(result)) if as_json else _as_text(result, training))
    return 0


def show_crmt_training(training: CrmtTraining, tell: Tell, *, as_json: bool) -> int:
    """Print what a training would do; the model is built, nothing is written."""
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


def prepared(training: CrmtTraining, tell: Tell) -> tuple[Rows, Crmt, TrainConfig]:
    """Return rows, model and loop of a training of which everything is checked."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    rows = training_rows(training, tell)
    loop = _fitted(training, rows, tell)
    method = Crmt(training.method(), rows.train)
    known = ("loss", "accuracy", "margin", *(f"accuracy_{name}" for name in method.names))
    name = (loop.metric_for_best_model or "loss").removeprefix("eval_")
    if name not in known:
        raise ConfigError(unknown("metric of a fusion model", name, known))
    return rows, method, loop


def training_rows(training: CrmtTraining, tell: Tell) -> Rows:
    """Return the rows of `training` with a class and something to read, by split."""
    found = load(training.dataset, data_dir=training.data_dir, schema=training.table_schema)
    for note in found.notes:
        tell(note)
    if found.schema.target is None:
        raise ConfigError("what is to be predicted? Give --target, the class of each row")
    of: dict[str | None, list[Record]] = {}
    for row in found:
        if row.target is not None and any(name in row.inputs for name in DEFAULTS):
            of.setdefault(row.split, []).append(row)
    train, held_out = of.get("train", []), of.get("validation", [])
    if not train:
        raise DataError(
            f"no row of {found.name} is in the split train with a class and a picture, sound, text"
            " or table, so there is nothing to learn"
        )
    known = {str(row.target) for row in train}
    strange = [row for row in held_out if str(row.target) not in known]
    if strange:
        tell(f"{len(strange):,} held-out rows left out: their class is not in training")
    held_out = [row for row in held_out if str(row.target) in known]
    return Rows(
        found.name, spread(train, training.train_rows), spread(held_out, training.held_out_rows)
    )


def spread(rows: list[Record], most: int | None) -> list[Record]:
    """Return at most `most` rows from all over: tables are often sorted by class.

    >>> spread([0, 1, 2, 3, 4], 2)
    [0, 2]
    """
    if most is None or len(rows) <= most:
        return rows
    return [rows[at * len(rows) // most] for at in range(most)]


def _fitted(training: CrmtTraining, rows: Rows, tell: Tell) -> TrainConfig:
    """Return the configuration without evaluation where there is nothing to evaluate."""
    loop = training.loop()
    if rows.held_out or loop.eval_strategy == "no":
        return loop
    absent = f"no row of {rows.name} is in the split validation"
    for name in ("metric_for_best_model", "eval_strategy"):
        if training.train.get(name) is not None:
            raise DataError(
                f"{name}={training.train[name]!r} needs held-out rows and {absent}; leave it out"
            )
    tell(f"{absent}: nothing is evaluated, and a second step is not guarded")
    return loop.model_copy(update={"eval_strategy": "no"})


def _as_text(result: TrainResult, training: CrmtTraining) -> str:
    rows = {"dataset": training.dataset, "data_dir": training.data_dir}
    schema = schema_flags(training.table_schema)
    then = command("evaluate", "fusion", result.output_dir, **rows, **schema)
    return in_words(result, "none: no row was held out", then)
