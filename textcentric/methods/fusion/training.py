"""Training a fusion model: on raw rows with a class, of a table with its files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from textcentric.command_line import command, schema_flags
from textcentric.data.balance import balance_of, in_words, left_out
from textcentric.data.memory import InHand, in_hand
from textcentric.data.rows import Rows, RowsLike, tell_notes
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import ConfigError, DataError, Say, option
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.config import CrmtConfig, CrmtTraining, FusionTraining
from textcentric.methods.fusion.encoders import DEFAULTS
from textcentric.methods.fusion.heard import unheard
from textcentric.methods.fusion.method import PAPERS
from textcentric.rows import Balance, Record
from textcentric.settings import keys_of
from textcentric.training.config import TrainConfig
from textcentric.training.folder import TrainResult, find_model_folder
from textcentric.training.plan import (
    Planned,
    Prepared,
    check_metric,
    figures,
    figures_as_text,
    without_evaluation,
)
from textcentric.values import Json


@dataclass(frozen=True)
class Split:
    """What is trained on and what is evaluated; `group` is the column of rows' groups."""

    name: str
    train: list[Record]
    held_out: list[Record]
    balance: Balance
    group: str | None = None


def prepared(
    training: CrmtTraining, say: Say, *, rows: RowsLike | None = None, writes: bool = True
) -> Prepared:
    """Return a training of which everything is checked; `rows` stand in for the data set named."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    before = _before(training)
    for name in unheard(config := training.method(), training.crmt):
        value = option(name, getattr(config, name))
        say(f"{value} changes nothing: {option('variant', config.variant)} does not hear it")
    known, unlabelled = before.classes if before else (), config.method.unlabelled
    split = training_rows(training, say, rows, known, unlabelled=unlabelled)
    loop = _fitted(training, split, say)
    if config.variant == "gradient-blending" and loop.eval_strategy == "no":
        raise ConfigError(
            "variant='gradient-blending' weighs its branches by held-out losses, and nothing is"
            " evaluated; give rows of the split validation, and an eval_strategy other than 'no'"
        )
    method = before or Crmt(config, split.train)
    if before is not None:
        before.take(split.train)
    method.balance = split.balance
    metrics = ("loss", "accuracy", "margin", *(f"accuracy_{name}" for name in method.names))
    check_metric(loop, "a fusion model", metrics)
    read = f"{method.config.variant} of {', '.join(method.names)}"
    return Prepared(
        split.name,
        method,
        loop,
        split.train,
        split.held_out,
        about=f"{read}, {len(method.classes)} classes",
        counts=(len(split.train), len(split.held_out)),
        balance=split.balance,
    )


def _before(training: CrmtTraining) -> Crmt | None:
    """Return the model that rows are added to; raises ConfigError for settings of another one."""
    if training.add_to is None:
        return None
    folder = find_model_folder(training.add_to, PAPERS, "fusion model")
    before, asked = Crmt.load(folder), training.method()
    if before.config.variant != "pal":
        raise ConfigError(
            f"{option('add_to', str(folder))}: its variant is {before.config.variant!r}, and rows"
            " are added to a model of variant 'pal' alone; train one with"
            f" {option('variant', 'pal')}"
        )
    for name in ("variant", *training.crmt):
        if getattr(asked, name) != (its := getattr(before.config, name)):
            raise ConfigError(
                f"{_as_given(name, getattr(asked, name))}: rows are added to {folder}, whose"
                f" {name} is {its!r}; leave it out"
            )
    return before


def _as_given(name: str, value: object) -> str:
    """Return a setting as whoever calls says it: of starts and encoders one for each modality."""
    if not isinstance(value, dict):
        return option(name, value)
    keys = keys_of(CrmtConfig, name).items()
    return " ".join(option(flag, value[at.key]) for flag, at in keys if at.key in value)


def training_rows(
    training: FusionTraining,
    tell: Say,
    given: RowsLike | None = None,
    classes: Collection[str] = (),
    *,
    unlabelled: bool = False,
) -> Split:
    """Return the rows of `training` with a class and something to read, by split.

    Held-out rows may have one of `classes`, which are known without training rows. Rows without a
    class are learnt from too where that is asked for (`unlabelled`).
    """
    source = given if given is not None else str(training.dataset)
    found = in_hand(source, training.table_schema, data_dir=training.data_dir)
    tell_notes(found, tell)
    if found.schema.target is None and not isinstance(found, InHand):
        raise ConfigError(
            f"what is to be predicted? Give {option('target')}, the class of each row"
        )
    _refuse_numbers(found)
    gone = LeftOut()
    train, validation = _usable(found, gone, unlabelled=unlabelled)
    if not train:
        why = in_words(balance_of(0, {**found.balance["left_out"], **left_out(gone)}))
        raise DataError(
            f"no row of {found.name} is in the split train with a class and a picture, sound, text"
            f" or table, so there is nothing to learn ({why})"
        )
    learnt = spread(train, training.train_rows)
    known = _of_known_classes(learnt, validation, classes, gone)
    kept = learnt, spread(known, training.held_out_rows)
    if beyond := len(train) + len(known) - sum(map(len, kept)):
        gone.add("row(s) beyond the numbers asked for", lines=beyond)
    left = {**found.balance["left_out"], **left_out(gone)}
    balance = balance_of(sum(map(len, kept)), left)
    return Split(found.name, *kept, balance, found.schema.group)


def _refuse_numbers(rows: Rows) -> None:
    """Raise ConfigError for a target that is a number to be predicted: none of them is a class."""
    if rows.schema.task == "regression":
        raise ConfigError(
            f"{rows.name}: the target {str(rows.schema.target)!r} is a number (task: regression),"
            " and a fusion model learns classes; write `task: classification` into a schema where"
            " each number is a class, or train numbers with `textcentric train downstream`"
        )


def _usable(rows: Rows, gone: LeftOut, *, unlabelled: bool) -> tuple[list[Record], list[Record]]:
    """Return the rows to learn from and those of validation; others are counted in `gone`.

    Rows without a class are learnt from where the variant takes them `unlabelled`.
    """
    of: dict[str | None, list[Record]] = {"train": [], "validation": []}
    for row in rows:
        if row.target is None and not (unlabelled and row.split == "train"):
            gone.add("row(s) without a class", text=row.id)
        elif not any(name in row.inputs for name in DEFAULTS):
            gone.add(f"row(s) without any of {', '.join(DEFAULTS)}", text=row.id)
        elif row.split not in of:
            gone.add(f"row(s) of split {row.split}", text=row.id)
        else:
            of[row.split].append(row)
    return of["train"], of["validation"]


def _of_known_classes(
    train: Sequence[Record], rows: Sequence[Record], classes: Collection[str], gone: LeftOut
) -> list[Record]:
    """Return the rows of a class that `train` or `classes` have; others are counted in `gone`."""
    known = {*classes, *(str(row.target) for row in train if row.target is not None)}
    for row in rows if known else ():
        if str(row.target) not in known:
            gone.add("held-out row(s) of a class that is not in training", text=row.id)
    return [row for row in rows if str(row.target) in known]


def spread(rows: list[Record], most: int | None) -> list[Record]:
    """Return at most `most` rows from all over: tables are often sorted by class.

    >>> spread([0, 1, 2, 3, 4], 2)
    [0, 2]
    """
    if most is None or len(rows) <= most:
        return rows
    return [rows[at * len(rows) // most] for at in range(most)]


def _fitted(training: CrmtTraining, rows: Split, tell: Say) -> TrainConfig:
    """Return the configuration without evaluation where there is nothing to evaluate."""
    loop = training.loop()
    if rows.held_out or loop.eval_strategy == "no":
        return loop
    absent = f"no usable row of {rows.name} is in the split validation"
    so = "nothing is evaluated, and a second step is not guarded"
    return without_evaluation(loop, training.train, absent, tell, so=so)


def planned(ready: Prepared) -> dict[str, Json]:
    """Return the figures of a training that has not begun."""
    loop, method = ready.loop, ready.method
    assert isinstance(method, Crmt)
    return {
        "rows": ready.name,
        "train_rows": len(ready.train),
        "held_out_rows": len(ready.held_out),
        "classes": method.classes,
        "modalities": list(method.names),
        "widths": {name: method.fusion.encoder(name).width for name in method.names},
        "variant": method.config.variant,
        **figures(method, loop, len(ready.train)),
    }


def plan_as_text(plan: Planned) -> str:
    """Return the figures as people read them."""
    return figures_as_text(plan)


def then_do(result: TrainResult, training: CrmtTraining) -> str:
    """Return the command that comes after the training."""
    rows = {"dataset": training.dataset, "data_dir": training.data_dir}
    schema = schema_flags(training.table_schema)
    return command("evaluate", "fusion", result.output_dir, **rows, **schema)


def load(folder: Path, files: str | Path | None = None, *, trust_remote_code: bool = False) -> Crmt:
    """Return a trained model; the files of its rows lie in `files`."""
    return Crmt.load(folder, files)
