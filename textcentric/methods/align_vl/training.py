"""What `textcentric train align-vl` does: cached latents in, two adapters out; or only its plan."""

from __future__ import annotations

from textcentric.errors import ConfigError, DataError, Say, unknown
from textcentric.methods.align_vl.config import AlignTraining
from textcentric.methods.align_vl.latents import Latents, PairRows, open_latents
from textcentric.training.config import TrainConfig


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
