"""Training two adapters: on cached latents of frozen encoders."""

from __future__ import annotations

import math
from pathlib import Path

from textcentric.command_line import command
from textcentric.errors import ConfigError, DataError, Say
from textcentric.methods.align_vl import AlignVl
from textcentric.methods.align_vl.config import AlignTraining
from textcentric.methods.align_vl.latents import Latents, PairRows, open_latents
from textcentric.training.config import TrainConfig
from textcentric.training.folder import TrainResult
from textcentric.training.plan import (
    Planned,
    Prepared,
    batch_of,
    check_metric,
    figures,
    figures_as_text,
    without_evaluation,
)
from textcentric.values import Json


def prepared(
    training: AlignTraining, say: Say, *, rows: object = None, writes: bool = True
) -> Prepared:
    """Return a training of which everything is checked; raises ConfigError for rows in hand."""
    if rows is not None:
        raise ConfigError("align-vl learns from latents: make a folder of them from these rows")
    latents, pairs, held_out = training_pairs(training)
    loop = fitted(training, held_out, latents, say)
    return Prepared(
        latents.name,
        AlignVl(training.method(), latents, pairs),
        loop,
        pairs,
        held_out,
        about=" and ".join(latents.modalities),
        unit="pair",
        counts=(len(pairs), len(held_out)),
        balance=latents.balance(len(pairs) + len(held_out)),
    )


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


def fitted(training: AlignTraining, held_out: PairRows, latents: Latents, tell: Say) -> TrainConfig:
    """Return the configuration without evaluation where there is nothing to evaluate."""
    loop = training.loop()
    recalls = [f"{a}_to_{b}_r{k}" for a, b in _ways(latents) for k in (1, 5, 10)]
    check_metric(loop, "align-vl", ("mean_recall", *recalls))
    if len(held_out) or loop.eval_strategy == "no":
        return loop
    absent = f"no pair of {latents.name} is in the split validation"
    return without_evaluation(loop, training.train, absent, tell)


def _ways(latents: Latents) -> list[tuple[str, str]]:
    one, other = latents.modalities
    return [(one, other), (other, one)]


def planned(ready: Prepared) -> dict[str, Json]:
    """Return the figures of a training that has not begun."""
    loop, method, batch = ready.loop, ready.method, batch_of(ready.loop)
    assert isinstance(method, AlignVl)
    return {
        "pairs": len(ready.train),
        "held_out_pairs": len(ready.held_out),
        "encoders": {name: one for name, (one, _) in method.encoders.items()},
        "widths": {name: method.latents.width(name) for name in method.names},
        "positives": math.ceil(batch / 2) if method.config.mixing else batch,
        **figures(method, loop, len(ready.train)),
    }


def plan_as_text(plan: Planned) -> str:
    """Return the figures as people read them."""
    return figures_as_text(plan)


def then_do(result: TrainResult, training: AlignTraining) -> str:
    """Return the command that comes after the training."""
    return command(
        "retrieve", result.output_dir, latents=open_latents(str(training.latents)).folder
    )


def load(
    folder: Path, files: str | Path | None = None, *, trust_remote_code: bool = False
) -> AlignVl:
    """Return a trained model, ready to embed the latents in the folder `files`."""
    return AlignVl.load(folder, None if files is None else open_latents(str(files)))
