"""Training a downstream transformer: on the rows of a run, or raw ones in the experts' words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.augmentation.opening import load_rows, make_experts
from textcentric.augmentation.words import EXPERTS_ONLY, describe_examples
from textcentric.command_line import command, schema_flags
from textcentric.data.balance import balance_of, unread_notes, unread_of, with_unread
from textcentric.data.memory import InHand
from textcentric.data.rows import Rows, RowsLike
from textcentric.data.trained import read_of
from textcentric.errors import Caution, DataError, Say, option
from textcentric.methods.downstream import Downstream
from textcentric.methods.downstream.config import Training
from textcentric.methods.downstream.splits import HELD_OUT, TRAIN, classes_in_words, parted
from textcentric.rows import Balance, Example, Left
from textcentric.runs.listing import find_run
from textcentric.runs.manifest import Manifest, read_manifest
from textcentric.training.config import TrainConfig
from textcentric.training.folder import TrainResult
from textcentric.training.plan import (
    Planned,
    Prepared,
    check_metric,
    figures,
    without_evaluation,
)
from textcentric.training.processes import first_process
from textcentric.values import Json

if TYPE_CHECKING:
    from textcentric.runs.origin import Origin

SHOWN = 64  # rows with files that a dry run puts into words


@dataclass(frozen=True)
class TrainingRows:
    """What is trained on, what is evaluated, and what put both into words.

    `counts` are the rows of both, of which a dry run may put only some into words; `others` are
    rows of other splits, of which only the classes are looked at.
    """

    name: str
    train: list[Example]
    held_out: list[Example]
    origin: Origin
    counts: tuple[int, int]
    others: Sequence[Example] = ()
    balance: Balance | None = None
    notes: tuple[str, ...] = ()


def prepared(
    training: Training, say: Say, *, rows: RowsLike | None = None, writes: bool = True
) -> Prepared:
    """Return a training of which everything is checked; `rows` stand in for the data set named."""
    from transformers.utils.logging import disable_progress_bar

    from textcentric.metrics.scores import METRICS

    disable_progress_bar()
    loop = training.loop()
    read = training_rows(training, loop.output_dir if writes else None, rows)
    loop = fitted(loop, training, read, say)
    origin = replace(read.origin, balance=read.balance)
    method = Downstream(
        training.method(), read.train, calibrate_on=read.held_out or None, origin=origin
    )
    check_metric(loop, method.decision.task, ("loss", *METRICS[method.decision.task]))
    check_classes(loop, method, read, say)
    task, classes = method.decision.task, method.decision.classes
    return Prepared(
        read.name,
        method,
        loop,
        read.train,
        read.held_out,
        about=f"model {method.config.model}, task {task}",
        task=task,
        of=task + (f" of {len(classes)} classes" if classes else ""),
        counts=read.counts,
        balance=read.balance,
        export=training.export,
    )


def training_rows(
    training: Training, folder: Path | None, given: RowsLike | None = None
) -> TrainingRows:
    """Return the rows of `training`; `folder` keeps what experts said of files.

    Without a `folder` nothing is written, and of rows with files only some are put into words.
    Raises DataError where no row can be trained on.
    """
    of_run = training.run is not None
    rows = _of_run(training) if of_run else _raw(training, folder, given)
    if not rows.train:
        raise DataError(
            f"no row of {rows.name} could be put into words; see `textcentric describe`"
        )
    return rows


def _of_run(training: Training) -> TrainingRows:
    from textcentric.reading.selection import select
    from textcentric.runs.origin import read_origin

    folder = find_run(str(training.run))
    selection = select(folder, training.only, labels=training.labels)
    rows = parted(selection.examples, training.train_rows, training.held_out_rows)
    broken = unread_of([*rows.train, *rows.held_out])
    notes = [*unread_notes(broken), *rows.told()]
    notes += [selection.words] if selection.words else []
    manifest = read_manifest(folder)
    status = manifest.get("status")
    if status != "finished":
        notes.append(f"{folder} is not finished ({status}): only the rows it has are trained on")
    return TrainingRows(
        folder.name,
        rows.train,
        rows.held_out,
        read_origin(folder),
        (len(rows.train), len(rows.held_out)),
        rows.others,
        with_unread(rows.balance(_of_accepted(manifest, len(selection.examples))), broken),
        tuple(notes),
    )


def _of_accepted(manifest: Manifest, accepted: int) -> Balance:
    """Return the balance of a run's rows, of which only so many have an accepted text."""
    source = manifest["dataset"].get("balance") or balance_of(manifest["dataset"]["rows"], {})
    lost: Left = {"rows": source["given"] - accepted, "examples": []}
    without = {"row(s) without an accepted text": lost} if lost["rows"] else {}
    return balance_of(accepted, {**source["left_out"], **without})


def _raw(training: Training, folder: Path | None, given: RowsLike | None) -> TrainingRows:
    from textcentric.runs.origin import expert_origin

    config = training.data()
    rows = load_rows(config, given)
    known = [Example(r.id, {}, r.target, r.split, r.group) for r in rows]
    split = parted(known, training.train_rows, training.held_out_rows)
    ids = {example.id for example in (*split.train, *split.held_out)}
    wanted = [record for record in rows if record.id in ids]
    if folder is None and rows.schema.files():
        wanted = wanted[:: max(1, len(wanted) // SHOWN)][:SHOWN]
    experts = make_experts(config, rows)
    chosen = InHand(wanted, rows.schema, name=rows.name, path=rows.path)
    found = describe_examples(chosen, experts, journal=_journal(rows, folder))
    said = split.in_words({example.id: example.parts for example in found})
    broken = unread_of(found)
    settings = {name: getattr(config, name) for name in ("image_expert", "audio_expert")}
    return TrainingRows(
        name=rows.name,
        train=said.train,
        held_out=said.held_out,
        origin=expert_origin(
            rows, experts, read_of(rows), **settings, missing_values=config.missing_values
        ),
        counts=(len(split.train), len(split.held_out)),
        others=split.others,
        balance=with_unread(said.balance(rows.balance), broken),
        notes=(*map(Caution, rows.notes), *unread_notes(broken), *said.told()),
    )


def _journal(rows: Rows, folder: Path | None) -> Path | None:
    """Return where the first process remembers what experts said of pictures and sounds."""
    if folder is None or not rows.schema.files() or not first_process():
        return None
    (folder / "words").mkdir(parents=True, exist_ok=True)
    return folder / "words" / EXPERTS_ONLY


def fitted(loop: TrainConfig, training: Training, rows: TrainingRows, tell: Say) -> TrainConfig:
    """Return the configuration without evaluation where there is nothing to evaluate.

    Raises DataError where an evaluation was asked for all the same.
    """
    for note in rows.notes:
        tell(note)
    if rows.held_out or loop.eval_strategy == "no":
        return loop
    absent = f"no row of {rows.name} with a target is in the split {HELD_OUT}"
    cure = ", or give rows of that split (the column `split:` of a schema names it)"
    return without_evaluation(loop, training.train, absent, tell, cure=cure)


def check_classes(loop: TrainConfig, method: Downstream, rows: TrainingRows, tell: Say) -> None:
    """Tell of held-out classes that no training row has, and how many rows are of them.

    Raises DataError, before the first step, where those rows were to be scored and cannot be.
    """
    decision = method.decision
    if beyond := decision.unseen(rows.others):
        tell(f"rows of other splits are of classes that are not learnt: {classes_in_words(beyond)}")
    unseen = decision.unseen(rows.held_out)
    if not unseen:
        return
    told = f"held-out rows are of classes that no training row has: {classes_in_words(unseen)}"
    if loop.eval_strategy == "no":
        tell(f"{told}; nothing is evaluated, so the training goes on without them")
    elif set(unseen) <= set(decision.classes):
        tell(f"{told}; nothing is learnt of those, and the scores count them")
    else:
        raise DataError(
            f"{told}. Such rows cannot be scored: put some into the split {TRAIN} too, leave them"
            f" out, name all classes ({option('downstream.classes')}) or give"
            f" {option('eval_strategy', 'no')}"
        )


def planned(ready: Prepared) -> dict[str, Json]:
    """Return the figures of a training that has not begun."""
    method, loop = ready.method, ready.loop
    assert isinstance(method, Downstream)
    lengths = method.lengths(ready.train)
    config, decision = method.config, method.decision
    train, held_out = ready.counts
    read = sum(min(config.variants, len(row.variants)) for row in ready.train)
    texts = 1 + config.variant_share * read / len(ready.train)  # of a row in an epoch
    mean = sum(lengths) / len(lengths)
    return {
        "rows": ready.name,
        "balance": ready.balance,
        "train_rows": train,
        "held_out_rows": held_out,
        "variants": sum(len(row.variants) for row in ready.train),
        "parts": sorted(method.known),
        "task": decision.task,
        "classes": dict(zip(map(str, decision.classes), decision.counts, strict=True)),
        "model": config.model,
        "tokens_a_row": round(mean, 1),
        "longest": max(lengths),
        "full": sum(length >= config.max_length for length in lengths) / len(lengths),
        "max_length": config.max_length,
        "tokens_an_epoch": round(mean * train * texts),
        **figures(method, loop, train),
    }


def plan_as_text(plan: Planned) -> str:
    """Return the figures as people read them."""
    classes = ", ".join(f"{label}: {count}" for label, count in plan["classes"].items())
    how_long = f" ({plan['epochs']:g} epochs)" if plan["epochs"] else ""
    lines = [
        f"rows     {plan['train_rows']:,} of {plan['rows']} with {plan['variants']:,} variants,"
        f" {plan['held_out_rows']:,} held out",
        f"task     {plan['task']}" + (f" ({classes})" if classes else ""),
        f"reads    {', '.join(plan['parts'])}: {plan['tokens_a_row']:,} tokens a row,"
        f" longest {plan['longest']:,}, {plan['full']:.0%} at"
        f" {option('max_length', plan['max_length'])}",
        f"model    {plan['model']}: {plan['parameters']:,} parameters,"
        f" {plan['trained']:,} of them trained",
        f"steps    {plan['steps']:,} of {plan['batch']} rows{how_long}, about"
        f" {plan['tokens_an_epoch']:,} tokens an epoch",
        f"device   {plan['device']}, processes: {plan['processes']}, mixed precision:"
        f" {plan['mixed_precision']}",
        f"into     {plan['output_dir']} (holds {plan['output_dir_holds']})",
    ]
    return "\n".join(lines)


def then_do(result: TrainResult, training: Training) -> str:
    """Return the command that comes after the training."""
    model, dataset = result.output_dir, training.dataset
    if dataset is None:
        return command("predict", model, dataset="NEW.csv", output="predictions.csv")
    schema = schema_flags(training.table_schema)
    return command("evaluate", model, dataset=dataset, data_dir=training.data_dir, **schema)


def load(
    folder: Path, files: str | Path | None = None, *, trust_remote_code: bool = False
) -> Downstream:
    """Return a trained model; its rows name their files themselves."""
    return Downstream.load(folder, trust_remote_code=trust_remote_code)
