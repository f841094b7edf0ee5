"""`augment` and `stream` for Python: the same runs as on the command line, over rows in hand."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.augment import Progress, numeric_target
from textcentric.augment import stream as stream_job
from textcentric.config import AugmentConfig, resolve
from textcentric.data import Dataset, Schema, load
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, DataError, unknown
from textcentric.rows import Record
from textcentric.runs import lineage, read_manifest
from textcentric.session import close_job, finished_manifest, opened, run_to_end, wrap_up
from textcentric.shards import Failure, Output, schemas

if TYPE_CHECKING:
    import datasets

Rows = Any  # a loaded Dataset, a Hugging Face data set, Records, or what `load` takes


@dataclass(frozen=True)
class Run:
    """A run directory as Hugging Face data sets."""

    path: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return counts, versions, digests: the run's `manifest.json`."""
        return read_manifest(self.path)

    @property
    def dataset(self) -> datasets.Dataset:
        """Return the accepted rows, clean ones included."""
        return self._read("data")

    @property
    def rejected(self) -> datasets.Dataset:
        """Return the rejected rows with their reasons."""
        return self._read("rejected")

    @property
    def errors(self) -> datasets.Dataset:
        """Return the outputs that failed, with stage and message."""
        return self._read("errors")

    def lineage(self, row_id: str) -> dict[str, Any]:
        """Return everything known of the output `row_id`; raises DataError for an unknown one."""
        return lineage(self.path, row_id)

    def _read(self, name: str) -> datasets.Dataset:
        import pyarrow.parquet as pq
        from datasets import Dataset as HubDataset

        files = sorted((self.path / name).glob("*.parquet"))
        filled = [str(file) for file in files if pq.read_metadata(file).num_rows]
        if filled:
            return HubDataset.from_parquet(filled)
        schema = pq.read_schema(files[0]) if files else schemas(numeric_target=True)[name]
        return HubDataset(schema.empty_table())


@dataclass(frozen=True)
class InHand:
    """Records that a program made itself, in the shape of a loaded data set."""

    records: Sequence[Record]
    schema: Schema
    name: str = "rows"
    origin: str = "memory"
    path: Path = Path()
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def remaining(self, finished: Container[str] = frozenset()) -> Iterator[Record]:
        """Yield the records whose id is not `finished`."""
        return (record for record in self.records if record.id not in finished)

    def count(self) -> int:
        """Return the number of records."""
        return len(self.records)

    @cached_property
    def digest(self) -> str:
        """Return a digest of the records' ids and inputs."""
        total = hashlib.sha256()
        for record in self.records:
            known = (record.id, record.inputs, record.target, record.group, record.split)
            total.update(f"{known!r}\n".encode())
        return total.hexdigest()


def augment(
    rows: Rows,
    *,
    prompts: str | Sequence[str] = "adversarial",
    engine: str | Engine = "auto",
    output_dir: str | Path | None = None,
    schema: Any = None,
    on_progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Augment `rows` into a run directory and return it; also works inside a running event loop.

    `rows` are a loaded or Hugging Face data set, `Record`s, or a name or path that `load` takes;
    `options` are the keys of `AugmentConfig`. Calling again with the same arguments goes on. An
    `engine` of your own stays open for the next run: `await engine.close()` when none follows.

    >>> run = augment("petfinder", limit=24, engine=ScriptedEngine("A calm dog."))  # doctest: +SKIP
    """
    config, engine_in_hand = _config(rows, prompts, engine, output_dir, options)
    dataset = in_hand(rows, config, schema)
    with opened(config, rows=dataset, engine=engine_in_hand, on_progress=on_progress) as run:
        if finished_manifest(run.job) is None:
            wrap_up(run.job, run_to_end(run.job))
        return Run(run.job.folder)


async def stream(
    rows: Rows,
    *,
    prompts: str | Sequence[str] = "adversarial",
    engine: str | Engine = "auto",
    output_dir: str | Path | None = None,
    schema: Any = None,
    **options: Any,
) -> AsyncIterator[Output | Failure]:
    """Yield outputs as their rows finish; see `augment` for the arguments.

    A run that came to its end gets its report and card; one that was left can be gone on with.
    """
    config, engine_in_hand = _config(rows, prompts, engine, output_dir, options)
    with opened(config, rows=in_hand(rows, config, schema), engine=engine_in_hand) as run:
        if finished_manifest(run.job) is not None:
            return
        try:
            async for output in stream_job(run.job):
                yield output
        finally:
            await close_job(run.job)
        await asyncio.to_thread(wrap_up, run.job, read_manifest(run.job.folder))


def in_hand(rows: Rows, config: AugmentConfig, schema: Any) -> Any:
    """Return `rows` as a data set that can be iterated more than once."""
    if isinstance(rows, Dataset):
        return replace(
            rows,
            split=config.split or rows.split,
            limit=config.limit or rows.limit,
            require=config.require or rows.require,
        )
    if isinstance(rows, InHand):
        return replace(rows, records=_kept(rows.records, config))
    if isinstance(rows, Iterable) and not isinstance(rows, (str, Path)):
        records = None if hasattr(rows, "column_names") else list(rows)
        if records is not None:
            _check_records(records)
            found = InHand(_kept(records, config), _schema_of(records, schema))
            _check_targets(found)
            return found
    return load(
        rows,
        data_dir=config.data_dir,
        schema=schema or config.table_schema,
        split=config.split,
        limit=config.limit,
        require=config.require,
    )


def _config(
    rows: Rows,
    prompts: str | Sequence[str],
    engine: str | Engine,
    output_dir: str | Path | None,
    options: dict[str, Any],
) -> tuple[AugmentConfig, Engine | None]:
    named = engine if isinstance(engine, str) else engine.fingerprint().get("engine", "own")
    flags = {
        "prompts": prompts if isinstance(prompts, str) else ",".join(prompts),
        "engine": named,
        "output_dir": str(output_dir) if output_dir else None,
        "dataset": str(rows) if isinstance(rows, (str, Path)) else getattr(rows, "name", "rows"),
    }
    config = resolve(None, {**options, **flags})
    return config, None if isinstance(engine, str) else engine


def _kept(records: Sequence[Record], config: AugmentConfig) -> list[Record]:
    """Return the records that the filters of `config` leave."""
    splits = {record.split for record in records}
    if config.split is not None and config.split not in splits:
        raise ConfigError(unknown("split", config.split, filter(None, splits)))
    kept = [
        record
        for record in records
        if config.split in (None, record.split)
        and all(record.inputs.get(modality) for modality in config.require)
    ]
    if not kept:
        raise DataError(f"no row has {' and '.join(config.require)}")
    return kept[: config.limit]


def _fault(record: Record) -> str:
    """Return what is wrong with a record that a program made, empty where nothing is."""
    if not isinstance(record.id, str) or not record.id:
        return "its id must be a text that is not empty"
    for name in ("group", "split"):
        if not isinstance(getattr(record, name), str | None):
            return f"its {name} is {getattr(record, name)!r:.80}, expected a text or None"
    for modality, kind in {"text": str, "table": Mapping}.items():
        value = record.inputs.get(modality)
        if value is not None and not isinstance(value, kind):
            return f"its {modality} is a {type(value).__name__}, expected a {kind.__name__}"
    try:
        f"{record.id}{record.group}{record.split}{record.target}".encode()
    except ValueError as error:
        return f"id, group, split and target must be writable as UTF-8 ({error})"
    return ""


def _check_targets(rows: InHand) -> None:
    if not numeric_target(rows):
        return
    for record in rows.records:
        try:
            float(record.target or 0)
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"row {record.id!r} has target {record.target!r:.80}, expected a number",
                row_id=record.id,
                field="target",
            ) from error


def _check_records(records: Sequence[Any]) -> None:
    wrong = next((row for row in records if not isinstance(row, Record)), None)
    if wrong is not None or not records:
        found = "no rows" if not records else f"a {type(wrong).__name__}"
        raise ConfigError(f"expected Records, a data set or a name; got {found}")
    for record in records:
        if fault := _fault(record):
            raise DataError(f"row {record.id!r:.80}: {fault}")
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            raise ConfigError(f"the id {record.id!r} stands in more than one row; ids are unique")
        seen.add(record.id)
    splits: dict[str, str | None] = {}
    for record in records:
        split = splits.setdefault(record.group or "", record.split)
        if record.group and split != record.split:
            both = " and ".join(sorted(map(str, (split, record.split))))
            raise DataError(
                f"group {record.group!r} stands in the splits {both}; put it into one of them",
                row_id=record.id,
                field="group",
            )


def _schema_of(records: Sequence[Record], schema: Any) -> Any:
    """Return the schema given, or one that says what the records show: modalities and task."""
    if schema is not None:
        return Schema.model_validate(schema) if isinstance(schema, dict) else schema
    numeric = all(isinstance(r.target, Real) for r in records if r.target is not None)
    present = {name for record in records for name in record.inputs}
    files = {m: {"pattern": "{id}"} for m in ("image", "audio") if m in present}
    return Schema.model_validate({"task": "regression" if numeric else "classification", **files})
