"""Examples of a run: a row's clean parts, its target, and the variants that were accepted.

Rows of a run are sorted by id: the order in which it finished them is chance, and training must
not depend on it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TypedDict

from textcentric.command_line import command
from textcentric.errors import DataError, RunError, unknown
from textcentric.prompts.library import read_bank
from textcentric.rows import CLEAN, Example, Target, file_faults
from textcentric.runs.columns import Failure, read_rows
from textcentric.runs.directory import frozen_prompts
from textcentric.runs.lost_shards import check_shards
from textcentric.runs.manifest import read_manifest
from textcentric.runs.shard_files import shard_files
from textcentric.security.foreign import foreign

AT_ONCE = 64  # rows of a shard: those of somebody else may be long
COLUMNS = ["id", "source_id", "split", "group", "target", "prompt", "sample", "parts", "notes"]


class _Accepted(TypedDict):
    """The columns of an accepted output that a training reads."""

    id: str
    source_id: str
    split: str | None
    group: str | None
    target: Target
    prompt: str
    sample: int
    parts: dict[str, str]
    notes: str


@dataclass(slots=True)
class _Source:
    """The accepted outputs of one row, as far as they were read."""

    clean: _Accepted | None = None
    variants: list[tuple[str, int, Mapping[str, str]]] = field(default_factory=list)


def read_examples(
    run: str | Path,
    *,
    labels: Collection[str] = ("keep",),
    only: Mapping[str, Mapping[str, str] | None] | None = None,
) -> list[Example]:
    """Return the accepted rows of a run directory, with the variants whose label may be trusted.

    A prompt declares its effect on the label (`keep`, `unsure`, `changes`); only variants of
    prompts whose effect is in `labels` are taken; of these those whose id stands in `only`, with
    the parts that it gives in place of their own where it gives any. A row without an accepted
    clean text is left out. Raises RunError where there is no run, DataError where it has no
    accepted row.
    """
    run = Path(run)
    effects = label_effects(run)
    sources: dict[str, _Source] = {}
    for row in _accepted(run):
        source = sources.setdefault(row["source_id"], _Source())
        if row["prompt"] == CLEAN:
            source.clean = row
        elif _effect(effects, row["prompt"], run) in labels and (only is None or row["id"] in only):
            mended = only[row["id"]] if only is not None else None
            parts = row["parts"] if mended is None else mended
            source.variants.append((row["prompt"], row["sample"], parts))
    examples = [
        _example(key, source, source.clean)
        for key, source in sorted(sources.items())
        if source.clean
    ]
    if not examples:
        raise DataError(
            f"run {run} has no accepted clean row to read; see its report, or run `textcentric"
            f" runs show {run}` for what was rejected or failed"
        )
    return examples


def read_failures(run: str | Path) -> list[Failure]:
    """Return the outputs of a run that failed: which, and why."""
    import pyarrow.parquet as pq

    files = shard_files(Path(run), "errors")
    return [Failure(**row) for file in files for row in pq.read_table(file).to_pylist()]


def label_effects(run: Path) -> dict[str, str]:
    """Return {prompt: its effect on the label}, entries of the run's bank included."""
    prompts = read_manifest(run).get("prompts", {})
    effects = {name: prompt["label"] for name, prompt in prompts.items()}
    for path in sorted(frozen_prompts(run).rglob("instructions.jsonl")):
        effects |= {f"bank/{entry.id}": entry.label for entry in read_bank(path)}
    return effects


def of_split(examples: Sequence[Example], split: str) -> list[Example]:
    """Return the rows of one split; raises DataError with the nearest name where it has none."""
    found = [example for example in examples if example.split == split]
    if not found:
        known = {example.split for example in examples if example.split is not None}
        raise DataError(f"{unknown('split', split, known)}; no row of {len(examples)} is in it")
    return found


def labelled(examples: Sequence[Example]) -> list[Example]:
    """Return the rows that have a target.

    Raises DataError where none has one, or where one is NaN or infinite: that is a value gone
    wrong, not one that was never there.
    """
    broken = [e for e in examples if isinstance(e.target, float) and not math.isfinite(e.target)]
    if broken:
        raise DataError(
            f"row {broken[0].id!r} has target {broken[0].target!r}, expected a number"
            f" ({len(broken)} of {len(examples)} rows are so); repair the target column, or leave"
            " these rows out",
            row_id=broken[0].id,
            field="target",
        )
    found = [example for example in examples if example.target is not None]
    if not found:
        raise DataError(
            f"none of the {len(examples)} rows has a target; name the target column in the schema"
            " (`target:`) and run `textcentric augment` again, or give rows that have one"
        )
    return found


def _accepted(run: Path) -> Iterator[_Accepted]:
    """Yield the accepted outputs of `run`; a shard that cannot be read is a RunError."""
    import pyarrow.parquet as pq

    check_shards(run, read_manifest(run), "data")
    for path in shard_files(run, "data"):
        cure = f"; `{command('runs', 'resume', run)}` writes it anew"
        with foreign(str(path), RunError, cure=cure), pq.ParquetFile(path) as file:
            for batch in file.iter_batches(AT_ONCE, columns=COLUMNS):
                yield from read_rows(batch)  # type: ignore[misc]


def _effect(effects: Mapping[str, str], prompt: str, run: Path) -> str:
    if prompt not in effects:
        raise RunError(f"{run}: manifest.json does not say what {prompt!r} does to the label")
    return effects[prompt]


def _example(row_id: str, source: _Source, row: _Accepted) -> Example:
    return Example(
        id=row_id,
        parts=row["parts"],
        target=row["target"],
        split=row["split"],
        group=row["group"],
        variants=tuple(parts for *_, parts in sorted(source.variants, key=itemgetter(0, 1))),
        faults=file_faults(row["notes"].split("; ")),
    )
