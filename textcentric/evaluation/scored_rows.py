"""The rows that trained models are scored on: read as the training read its own, and not seen then.

A table whose rows no model was trained on is a test set as a whole, whatever splits a hash would
make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from textcentric.augmentation.opening import make_experts
from textcentric.augmentation.words import describe_examples
from textcentric.data import Dataset, load
from textcentric.data.balance import count_left
from textcentric.data.fit import Fit
from textcentric.data.loading import ALL
from textcentric.data.memory import InHand, in_hand
from textcentric.data.rows import Rows, RowsLike
from textcentric.data.schema import Schema
from textcentric.errors import DataError, option
from textcentric.evaluation.config import EvaluateConfig
from textcentric.evaluation.prediction import are_records, fit_to, training_config
from textcentric.evaluation.ranks import in_ranks, ranks_in_words
from textcentric.methods.downstream.seen import SAID, alike, seen
from textcentric.rows import Example, Record

if TYPE_CHECKING:
    from textcentric.methods.downstream import Downstream
    from textcentric.methods.downstream.decision import Decision

DEFAULT = "test"


def rows_to_score(
    config: EvaluateConfig, methods: Sequence[Downstream], given: RowsLike | None
) -> InHand:
    """Return the rows with targets, on the scale that the models learnt; `given` stand in.

    Raises DataError where columns of the training lack or no row has a target.
    """
    from textcentric.methods.downstream.decision import scaled

    first = methods[0]
    fit = _fit(first, config)
    rows, note = _chosen(config, methods, given, fit)
    told = fit.records(list(rows))
    named = [_named(first.decision, record) for record in told]
    records = [scaled(first.decision.transform, r) for r in named if r.target is not None]
    if not records:
        raise DataError(
            f"no row of {rows.name} (split {config.split}) has a target to score predictions by;"
            f" name the target column in the schema, or another {option('split')}, such as {ALL}"
        )
    ranks = first.decision.ranks
    notes = (*rows.notes, *fit.notes, *note, *ranks_in_words(ranks))
    records = [replace(r, target=in_ranks(r.target, ranks)) for r in records]
    left = dict(rows.balance["left_out"])
    for record in told:
        if record.target is None:
            count_left(left, "row(s) without a target", repr(record.id))
    return InHand(records, rows.schema, name=rows.name, path=rows.path, notes=notes, left_out=left)


def _fit(method: Downstream, config: EvaluateConfig) -> Fit:
    """Return what fits rows to the training: its task, and classes as they stand in the table."""
    fit = fit_to(method.origin, allow_missing=config.allow_missing_columns)
    decision, choices = method.decision, fit.schema.choices or {}
    named = {str(label): label for label in decision.classes}
    words = {named.get(str(key), key): word for key, word in choices.items()}
    bare = not decision.ranks and all(str(key) == word for key, word in choices.items())
    changes = {"task": decision.task, "choices": None if bare else words}
    return replace(fit, schema=fit.schema.model_copy(update=changes))


def _named(decision: Decision, record: Record) -> Record:
    """Return a row whose target is the class that is written like it, where there is one."""
    named = {str(label): label for label in decision.classes}
    target = named.get(str(record.target), record.target)
    return record if target is record.target else replace(record, target=target)


def _chosen(
    config: EvaluateConfig, methods: Sequence[Downstream], given: RowsLike | None, fit: Fit
) -> tuple[Rows, list[str]]:
    """Return the rows of the split that is asked for, or all where none was trained on."""
    if "split" in config.model_fields_set:
        rows = _read(config, given, fit, config.split, config.limit)
        return rows, _of_training(methods, rows)
    whole = _read(config, given, fit, None, None)
    if isinstance(whole, Dataset) and whole.split is not None:
        chosen = in_hand(whole, limit=config.limit)  # by who gave it
        return chosen, _of_training(methods, chosen)
    trained, same = _trained_on(methods, whole)
    if trained == 0:
        note = f"no row of {whole.name} was trained on, so all {whole.count():,} are a test set"
        if same:
            note += f"; {same:,} have the words of a row of the training, under other ids"
        return in_hand(whole, limit=config.limit), [note]
    rows = in_hand(whole, split=DEFAULT, limit=config.limit)
    if _name_splits(whole):
        return rows, []
    note = f"{rows.count():,} of {whole.count():,} rows are evaluated, those of the split {DEFAULT}"
    others = f"; {trained:,} were trained on" if trained else ""
    return rows, [f"{note}{others} ({option('split', ALL)} takes all)"]


def _read(
    config: EvaluateConfig, given: RowsLike | None, fit: Fit, split: str | None, limit: int | None
) -> Rows:
    source = config.dataset if given is None else given
    if isinstance(source, Dataset | InHand) or are_records(source):
        return in_hand(source, config.table_schema, split=split, limit=limit)
    return load(
        source,
        data_dir=config.data_dir,
        schema=config.table_schema,
        split=split,
        limit=limit,
        fit=fit.table,
    )


def _trained_on(methods: Sequence[Downstream], rows: Rows) -> tuple[int | None, int]:
    """Return how many rows a model saw in training, and how many have the words of such a row.

    Held-out rows count. None where that is not asked: the rows name their splits or are those of
    the training, or a model of a former version does not say.
    """
    own = {method.origin.dataset.get("digest") for method in methods}
    if _name_splits(rows) or rows.digest in own or any(m.seen is None for m in methods):
        return None, 0
    said, known = _said(methods[0], rows), _known(methods)
    return sum(seen(said, known)), alike(said, known)


def _of_training(methods: Sequence[Downstream], rows: Rows) -> list[str]:
    """Return a note where a model saw some of the rows in training, as far as models say so."""
    known = _known(methods)
    many = sum(seen(_said(methods[0], rows), known)) if len(known) else 0
    if not many:
        return []
    return [
        f"{many:,} of {rows.count():,} rows were trained on or held out then, so these figures say"
        " little of new rows"
    ]


def _known(methods: Sequence[Downstream]) -> np.ndarray:
    """Return the digests (N, 2) of the rows that the models saw in training, where they say so."""
    none = np.empty((0, 2), np.uint64)
    return np.concatenate([none, *(m.seen for m in methods if m.seen is not None)])


def _name_splits(rows: Rows) -> bool:
    if isinstance(rows, InHand):
        return any(record.split is not None for record in rows.records)
    return rows.schema.split is not None


def _said(method: Downstream, rows: Rows) -> list[Example]:
    """Return the rows in the words that tell whether they are the same: no file is looked at."""
    bare = [
        replace(record, inputs={m: v for m, v in record.inputs.items() if m in SAID})
        for record in rows
    ]
    experts = make_experts(training_config(method.origin), InHand(bare, Schema()))
    return describe_examples(bare, experts)
