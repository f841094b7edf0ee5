"""What `textcentric train crmt` does: rows in, a fusion model out; or only its plan."""

from __future__ import annotations

from dataclasses import dataclass

from textcentric.data import load
from textcentric.errors import ConfigError, DataError, Say, unknown
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.config import CrmtTraining
from textcentric.methods.fusion.encoders import DEFAULTS
from textcentric.rows import Record
from textcentric.training.config import TrainConfig


@dataclass(frozen=True)
class Rows:
    """What is trained on and what is evaluated."""

    name: str
    train: list[Record]
    held_out: list[Record]


def prepared(training: CrmtTraining, tell: Say) -> tuple[Rows, Crmt, TrainConfig]:
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


def training_rows(training: CrmtTraining, tell: Say) -> Rows:
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


def _fitted(training: CrmtTraining, rows: Rows, tell: Say) -> TrainConfig:
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
