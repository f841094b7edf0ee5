"""Rows in words: by the experts alone, or with what prompts derive from that (a summary, say)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from pathlib import Path

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import Described, Describer
from textcentric.augmentation.driver import Progress
from textcentric.augmentation.opening import make_experts
from textcentric.augmentation.run import finished_manifest, opened, run_to_end, wrap_up
from textcentric.data.rows import Rows
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.protocol import Engine
from textcentric.errors import DataError, Say
from textcentric.experts.protocol import AnyExpert
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Example, Record, file_faults
from textcentric.runs.examples import read_examples
from textcentric.runs.journal import Journal

Words = dict[str, Mapping[str, str]]  # row id -> parts
Watch = Callable[[int], AbstractContextManager[Progress]]  # rows left -> what shows a run
EXPERTS_ONLY = "experts.sqlite"
AT_ONCE = 64  # rows described at a time


def expert_words(rows: Rows, config: AugmentConfig, folder: Path) -> list[Example]:
    """Return `rows` as the experts say them; what they said of files is remembered in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    experts = make_experts(config, rows)
    return describe_examples(rows, experts, journal=folder / EXPERTS_ONLY)


def augmented(
    rows: Rows,
    config: AugmentConfig,
    *,
    engine: Engine | None = None,
    library: PromptLibrary | None = None,
    watch: Watch | None = None,
    say: Say = lambda line: None,
) -> list[Example]:
    """Return `rows` with what the prompts of `config` write, from a run in its `output_dir`.

    A finished run is read, one that was interrupted goes on: no answer is asked for twice.
    `watch` is given the number of rows left and shows how they go.
    """
    with opened(config, rows=rows, engine=engine, library=library, say=say, as_frozen=True) as run:
        if finished_manifest(run.job) is None:
            left = run.job.dataset.count() - run.finished
            say(f"asking the LLM about {left} rows, into {run.job.folder}")
            with watch(left) if watch else nullcontext() as run.job.on_progress:
                manifest = run_to_end(run.job)
            wrap_up(run.job, manifest)
        return read_examples(run.job.folder)


@contextmanager
def throwaway_journal() -> Iterator[Journal]:
    """Open a journal in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="textcentric-") as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        try:
            yield journal
        finally:
            journal.close()


def in_words(
    config: AugmentConfig,
    dataset: Rows,
    records: Iterable[Record] | None = None,
    *,
    say: Say = lambda line: None,
) -> Generator[tuple[Record, Described | None]]:
    """Yield each record with its words; None where it has none, and `say` is told why."""
    with throwaway_journal() as journal, asyncio.Runner() as runner:
        describer = Describer(make_experts(config, dataset), journal)
        try:
            for record in dataset if records is None else records:
                try:
                    yield record, runner.run(describer.describe(record))
                except DataError as error:
                    say(f"textcentric: {error}")
                    yield record, None
        finally:
            describer.close()


def describe_examples(
    dataset: Iterable[Record],
    experts: Mapping[str, AnyExpert],
    *,
    journal: Path | None = None,
    on_row: Callable[[int], None] = lambda done: None,
) -> list[Example]:
    """Return raw rows in the experts' words, no LLM involved, in the order of `dataset`.

    What the experts say of pictures and sounds is remembered in `journal`, where one is given.
    A row of which no expert can say anything keeps its place, without parts; its `faults` say why.
    `on_row` is told how many rows are done.
    """

    async def describe() -> list[Example]:
        with tempfile.TemporaryDirectory() as folder:
            opened = Journal(journal or Path(folder) / "journal.sqlite")
            try:
                return await _described(dataset, Describer(experts, opened), on_row)
            finally:
                opened.close()

    return run_in_background(describe)


async def _described(
    dataset: Iterable[Record], describer: Describer, on_row: Callable[[int], None]
) -> list[Example]:
    gate, counter = asyncio.Semaphore(AT_ONCE), count(1)

    async def one(record: Record) -> Example:
        async with gate:
            parts, faults = await _parts(describer, record)
        on_row(next(counter))
        return Example(record.id, parts, record.target, record.split, record.group, faults=faults)

    try:
        return list(await asyncio.gather(*(one(record) for record in dataset)))
    finally:
        describer.close()


async def _parts(describer: Describer, record: Record) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Return the parts of a row, and why files of it, or all of it, are not in words."""
    try:
        described = await describer.describe(record)
    except DataError as error:
        return {}, (str(error),)
    return described.row.parts, file_faults(described.notes)
