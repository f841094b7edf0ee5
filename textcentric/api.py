"""`augment` and `stream` for Python: the same runs as on the command line, over rows in hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.augmentation.config import AugmentConfig, resolve
from textcentric.augmentation.driver import Progress
from textcentric.augmentation.driver import stream as stream_job
from textcentric.augmentation.run import close_job, finished_manifest, opened, run_to_end, wrap_up
from textcentric.data.memory import in_hand
from textcentric.data.rows import Rows, RowsLike
from textcentric.engines.protocol import Engine
from textcentric.runs.lineage import lineage
from textcentric.runs.manifest import read_manifest
from textcentric.runs.shards import Failure, Output, schemas

if TYPE_CHECKING:
    import datasets


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


def augment(
    rows: RowsLike,
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
    dataset = rows_of(rows, config, schema)
    with opened(config, rows=dataset, engine=engine_in_hand, on_progress=on_progress) as run:
        if finished_manifest(run.job) is None:
            wrap_up(run.job, run_to_end(run.job))
        return Run(run.job.folder)


async def stream(
    rows: RowsLike,
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
    with opened(config, rows=rows_of(rows, config, schema), engine=engine_in_hand) as run:
        if finished_manifest(run.job) is not None:
            return
        try:
            async for output in stream_job(run.job):
                yield output
        finally:
            await close_job(run.job)
        await asyncio.to_thread(wrap_up, run.job, read_manifest(run.job.folder))


def rows_of(rows: RowsLike, config: AugmentConfig, schema: Any) -> Rows:
    """Return `rows` as `config` filters them, under `schema` or the one that it names."""
    return in_hand(
        rows,
        schema or config.table_schema,
        data_dir=config.data_dir,
        split=config.split,
        limit=config.limit,
        require=config.require,
    )


def _config(
    rows: RowsLike,
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
