"""What is said of a table that was looked through: what makes it useless, what was left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from textcentric.data.notation import COMMA, POINT
from textcentric.data.scanning.class_names import several_labels, written_twice
from textcentric.data.scanning.file_survey import refusals
from textcentric.data.scanning.scan import Scan
from textcentric.data.schema import Schema, Split, numeric_target
from textcentric.errors import cut, listed

FEW, FEW_SHARE = 2, 0.01  # rows that may have stray bytes, and their share


def _doubts(schema: Schema, result: Scan) -> Iterator[str]:
    """Yield why the notation of a column cannot be told, or is not that of the schema."""
    words = schema.task is None and not result.labels.all_numbers
    for name, column in result.columns.items():
        if not column.surveyed or (name == schema.target and words):
            continue
        notation = schema.notation(name)
        if notation is not None and (against := column.numbers.against(notation)):
            sign = "." if notation.decimal == "," else ","
            yield (
                f"column {name}: {against}; say in the schema how this table is written,"
                f' `columns: {{{name}: {{decimal: "{sign}"}}}}`, or name the values that are none'
                " under its `missing:`"
            )
        if notation is None and (doubt := column.numbers.doubt()):
            yield (
                f"column {name}: {doubt}; say which, `{POINT}` or `{COMMA}`, in the schema"
                f" (until now it was read as `{POINT}`)"
            )


def unusable(schema: Schema, result: Scan, require: Collection[str] = ()) -> list[str]:
    """Say why the rows as a whole cannot be used; empty if they can.

    Most of them may lack a modality that the schema allows to be missing, or that is required.
    """
    reasons, absent = [], list(refusals(result.files, {*schema.allow_missing, *require}))
    if result.rows == result.faulty:
        first = f": {result.faults[0].message}" if result.faults else ""
        skipped = "".join(f"; {note}" for note in (*result.left_out.notes(), *absent))
        reasons.append(f"no readable row among {result.rows}{first}{skipped}")
    if result.garbled > max(FEW, FEW_SHARE * result.rows) and schema.encoding is None:
        reasons.append(
            f"{result.garbled:,} of {result.rows:,} rows have bytes that are not UTF-8; say which"
            " encoding the file has, such as `encoding: cp1252` in the schema (`encoding: utf-8`"
            " reads them with \ufffd)"
        )
    reasons += _doubts(schema, result)
    reasons += _label_faults(schema, result)
    reasons += _key_faults(schema, result)
    return reasons + absent


def _label_faults(schema: Schema, result: Scan) -> Iterator[str]:
    """Yield why targets cannot be told; nothing where the schema lists the classes."""
    labels = result.labels
    if schema.choices or schema.task == "regression":
        return
    if found := several_labels(labels.seen):
        one, other = map(cut, found)
        yield (
            f"column {schema.target!r} holds several labels in a cell ({one!r} beside {other!r});"
            " one label a row is supported: give each label a column, or list the classes in the"
            " schema, `choices: [...]`, if these are classes as they stand"
        )
    classes = list(labels.choices() or {})
    if schema.task == "ordinal" and any(isinstance(name, str) for name in classes):
        twice = written_twice(labels.seen) if labels.all_numbers else None
        why = (
            f"{twice[0]!r} and {twice[1]!r} are one number" if twice else "whose order is not known"
        )
        yield (
            f"column {schema.target!r} has words for ordered classes ({listed(classes[:5])}),"
            f" {why}; say it in the schema, `choices: [LOWEST, ..., HIGHEST]`"
        )


def _key_faults(schema: Schema, result: Scan) -> Iterator[str]:
    """Yield what is wrong with splits, ids and groups."""
    if others := sorted({*result.splits} - {"", *get_args(Split)}):
        shown = ", ".join(f"{name!r:.40}" for name in others[:5])
        yield (
            f"{plural(len(others), 'value')} of split column {schema.split!r} other than"
            f" {', '.join(get_args(Split))} ({shown}); say in the schema what they are, such as"
            f" `splits: {{{others[0]:.40}: validation}}` (`null`: in no split), or name no"
            " split column"
        )
    if result.doubled:
        shown = ", ".join(map(repr, map(cut, result.doubled[:5])))
        yield (
            f"{plural(len(result.doubled), 'id')} of column {schema.id!r} in more than one row"
            f" ({shown}); every id must be unique"
        )
    if result.straddling:
        shown = ", ".join(map(repr, map(cut, result.straddling[:5])))
        yield (
            f"{plural(len(result.straddling), 'group')} of column {schema.group!r} in more than"
            f" one split ({shown}); put each group into one split"
        )


def balance(result: Scan) -> str:
    """Say how many rows are given of how many lines, and why the others are not.

    A line of a text file gives one row, no row, or a part of one where a value has line breaks.

    >>> balance(Scan(rows=7, faulty=2))
    '7 rows in the source = 5 given + 2 left out'
    """
    left = result.left_out.total() + result.faulty
    total, given = result.rows + result.left_out.total(), result.rows - result.faulty
    return f"{total:,} rows in the source = {given:,} given + {left:,} left out"


def notes(given: Schema, fitted: Schema, result: Scan) -> list[str]:
    """Say in one line each what was left out or assumed."""
    lines = list(result.left_out.notes())
    if result.faulty:
        lines.append(f"{plural(result.faulty, 'row')} left out; first: {result.faults[0].message}")
    marked = result.labels.marked.total() if numeric_target(fitted) else 0
    if result.copies:
        lines.append(
            f"exact copies of another row: {result.copies:,} ({result.copied}); copies can fall"
            " into train and test, so delete them"
        )
    if unlabelled := result.unlabelled + marked:
        lines.append(f"{plural(unlabelled, 'row')} without {fitted.target}")
    if result.garbled:
        lines.append(
            f"{plural(result.garbled, 'row')} with bytes that are not UTF-8, shown as \ufffd"
        )
    for modality, files in result.files.items():
        if files.refused:
            lines.append(
                f"refused {plural(files.refused, f'{modality} file')} outside the data folder"
                f"; first: {files.outside!r:.80}"
            )
    lines += filter(None, (of.in_words(name) for name, of in result.files.items()))
    if (twice := written_twice(result.labels.seen)) and not numeric_target(fitted):
        one, other = map(cut, twice)
        lines.append(
            f"classes {one!r} and {other!r} of {fitted.target} are two, as they are written; if"
            " they are one, write them alike"
        )
    if given.target and given.task is None and fitted.task:
        lines.append(f"task taken as {fitted.task}, going by {fitted.target}; `task:` decides")
    return lines


def plural(count: int, noun: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
