"""What `textcentric train align-vl` does: cached latents in, two adapters out; or only its plan."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from textcentric.cli.align_settings import AlignTraining
from textcentric.cli.launched import first_process, processes
from textcentric.cli.outcome import facts, in_words
from textcentric.cli.run_train import training_process
from textcentric.cli.terminal import Tell
from textcentric.cli.train_plan import device, holds
from textcentric.command_line import command
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.latents import Latents, PairRows, open_latents
from textcentric.methods.align_vl import AlignVl
from textcentric.training.config import TrainConfig
from textcentric.training.start import total_steps

if TYPE_CHECKING:
    from textcentric.training.folder import TrainResult


def train_align_command(
    training: AlignTraining, *, dry_run: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Train, or show the plan of it; return the exit code."""
    with training_process(quiet=quiet, verbose=verbose) as tell:
        latents, rows, held_out = training_pairs(training)
        loop = _fitted(training, held_out, latents, tell)
        method = AlignVl(training.method(), latents, rows)
        if dry_run:
            return _show(method, rows, held_out, loop, as_json=as_json)
        return _train(method, rows, held_out, loop, tell, as_json=as_json, quiet=quiet)


def training_pairs(training: AlignTraining) -> tuple[Latents, PairRows, PairRows]:
    """Return the latents, and the pairs of the splits train and validation."""
    latents = open_latents(str(training.latents))
    rows, held_out = latents.rows("train"), latents.rows("validation")
    if not len(rows):
        raise DataError(
            f"no pair of {latents.folder} is in the split train, so there is nothing to learn; give"
            " the table a split or a group and make the latents again"
        )
    return latents, rows[: training.train_rows], held_out


def _fitted(
    training: AlignTraining, held_out: PairRows, latents: Latents, tell: Tell
) -> TrainConfig:
    """Return the configuration without evaluation where there is nothing to evaluate."""
    loop = training.loop()
    known = [f"{a}_to_{b}_r{k}" for a, b in _ways(latents) for k in (1, 5, 10)]
    name = (loop.metric_for_best_model or "mean_recall").removeprefix("eval_")
    if name not in (*known, "mean_recall"):
        raise ConfigError(unknown("metric of align-vl", name, (*known, "mean_recall")))
    if len(held_out) or loop.eval_strategy == "no":
        return loop
    if training.train.get("eval_strategy") is not None:
        raise DataError(f"eval_strategy={loop.eval_strategy!r}: no pair is in split validation")
    tell("no pair is in the split validation: nothing is evaluated")
    return loop.model_copy(update={"eval_strategy": "no", "metric_for_best_model": None})


def _ways(latents: Latents) -> list[tuple[str, str]]:
    one, other = latents.modalities
    return [(one, other), (other, one)]


def _show(
    method: AlignVl, rows: PairRows, held_out: PairRows, loop: TrainConfig, *, as_json: bool
) -> int:
    """Print what a training would do; nothing is written."""
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


def _train(
    method: AlignVl,
    rows: PairRows,
    held_out: PairRows,
    loop: TrainConfig,
    tell: Tell,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    from textcentric.train import train

    tell(f"{len(rows):,} pairs of {method.latents.name}, {len(held_out):,} held out")
    tell(f"{' and '.join(method.names)}, into {loop.output_dir}")
    result = train(method, loop, rows, held_out, quiet=quiet)
    if first_process():
        print(json.dumps(facts(result)) if as_json else _as_text(result, method))
    return 0


def _as_text(result: TrainResult, method: AlignVl) -> str:
    then = command("retrieve", result.output_dir, latents=method.latents.folder)
    return in_words(result, "none: no pair was held out", then)
