"""Runs for Python: rows described, augmented or streamed, and the run directories that are left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import current_process
from pathlib import Path
from typing import Any, Literal

from textcentric.api.given import (
    ENGINES,
    by_name,
    engine_in_hand,
    in_store,
    refuse_twice,
    settings_of,
)
from textcentric.api.progress import Progress, logged, watched
from textcentric.api.results import Described, Estimate, Run, RunList
from textcentric.augmentation.config import EXPERTS, ROWS, AugmentConfig, resolve
from textcentric.augmentation.description import Described as InWords
from textcentric.augmentation.driver import Progress as Counted
from textcentric.augmentation.driver import stream as stream_job
from textcentric.augmentation.forecast import PILOT_ROWS, estimate_run
from textcentric.augmentation.opening import load_rows
from textcentric.augmentation.run import (
    Opened,
    close_job,
    finished_manifest,
    opened,
    run_to_end,
    wrap_up,
)
from textcentric.augmentation.words import in_words
from textcentric.data.dataset import Dataset
from textcentric.data.loading import SchemaSource
from textcentric.data.loading import load as load_dataset
from textcentric.data.memory import label
from textcentric.data.rows import Rows, RowsLike, tell_notes
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.protocol import Engine
from textcentric.errors import Caution, ConfigError, Say, quoted, unknown
from textcentric.rows import Record
from textcentric.runs import listing
from textcentric.runs.columns import Failure, Output
from textcentric.runs.counters import Steps
from textcentric.runs.manifest import read_manifest

FEW = 5  # rows that `describe` shows of a data set by name
RESULTS = "results.json"  # in the folder of an evaluation or comparison


def load(
    dataset: object,
    *,
    data_dir: str | Path | None = None,
    schema: SchemaSource = None,
    split: str | None = None,
    limit: int | None = None,
    require: Sequence[str] = (),
) -> Dataset:
    """Load a named data set, a table by path, a hub data set ("owner/name") or one in hand.

    In hand are a Hugging Face data set, a data frame, a table of Arrow or a list of dictionaries.
    `require` keeps the rows that have these modalities, `split` those of one split, `limit` so
    many of them. What to know of the rows (`notes`), such as that a sample takes the place of the
    real ones, is a warning of the log `textcentric`. Raises DataError where they cannot be used.

    >>> rows = load("petfinder", require=["image"], limit=3)                    # doctest: +SKIP
    """
    rows = load_dataset(
        dataset, data_dir=data_dir, schema=schema, split=split, limit=limit, require=list(require)
    )
    tell_notes(rows, logged)
    return rows


def describe(
    rows: RowsLike, *, schema: SchemaSource = None, progress: Progress = None, **settings: Any
) -> Described:
    """Return rows in the experts' words, without a language model.

    `settings` are the keys of `describe`: `limit`, `split`, `image_expert`, ... Of rows by name or
    path the first five are described where no `limit` is given, of those in hand all.

    >>> describe("petfinder", limit=2).to_pandas()                              # doctest: +SKIP
    """
    rows = in_store(rows)  # type: ignore[assignment]
    with watched(progress) as (steps, say):
        _refuse_others(settings)
        few = {"limit": FEW} if by_name(rows) else {}
        given = {**few, **settings, "dataset": label(rows)}
        config = settings_of(AugmentConfig, given, say)
        dataset = load_rows(config, rows, schema)
        tell_notes(dataset, say)
        told = run_in_background(lambda: asyncio.to_thread(_told, config, dataset, steps, say))
    values: dict[str, dict[str, Any]] = {
        record.id: {"parts": dict(words.row.parts), "experts": words.experts, "notes": words.notes}
        for record, words in told
        if words is not None
    }
    return Described(None, values, [{"id": i, **of["parts"]} for i, of in values.items()])


def _refuse_others(settings: Mapping[str, object]) -> None:
    """Raise ConfigError for a setting that `describe` does not read."""
    fields = {*ROWS, *EXPERTS} - {"dataset"}
    own = [name for name, path in AugmentConfig.places().items() if path[0] in fields]
    for name in settings:
        if name not in own:
            raise ConfigError(unknown("key of describe", name, own))


def _told(
    config: AugmentConfig, dataset: Rows, steps: Steps | None, say: Say
) -> list[tuple[Record, InWords | None]]:
    told = []
    for pair in in_words(config, dataset, say=say):
        told.append(pair)
        if steps is not None:
            steps("rows", len(told), dataset.count())
    return told


def augment(
    rows: RowsLike,
    *,
    prompts: str | Sequence[str] = "adversarial",
    engine: str | Engine = "auto",
    output_dir: str | Path | None = None,
    schema: SchemaSource = None,
    progress: Progress = None,
    **settings: Any,
) -> Run:
    """Augment `rows` into a run directory and return it; also works inside a running event loop.

    `rows` are a data set, a data frame, dictionaries, `Record`s, or a name or path that `load`
    takes; `settings` are the keys of `AugmentConfig`. Calling again with the same arguments goes
    on. An `engine` of your own stays open for the next run: `await engine.close()` when none
    follows.

    >>> run = augment("petfinder", limit=24, engine=ScriptedEngine("A calm dog."))  # doctest: +SKIP
    """
    asked = (prompts, engine, output_dir, schema, settings)
    with _opened(rows, *asked, progress=progress) as (run, steps, say):
        _to_end(run, steps)
        done = Run(run.job.folder)
    if done.status == "failed":
        say(Caution(f"nothing came of {done}: its errors say why"))
    return done


def estimate(
    rows: RowsLike,
    *,
    prompts: str | Sequence[str] = "adversarial",
    engine: str | Engine = "auto",
    output_dir: str | Path | None = None,
    schema: SchemaSource = None,
    progress: Progress = None,
    **settings: Any,
) -> Estimate:
    """Run the first 20 rows and return what all would take; see `augment` for the arguments.

    The answers of the pilot are kept in the run directory, and `augment` goes on with them.
    """
    asked = (prompts, engine, output_dir, schema, settings)
    with _opened(rows, *asked, progress=progress) as (run, steps, _):
        run.job.budget = replace(run.job.budget, rows=PILOT_ROWS)
        _to_end(run, steps)
        taken = estimate_run(run.job)
    kinds: tuple[Literal["prompt_tokens", "output_tokens", "seconds"], ...]
    kinds = ("prompt_tokens", "output_tokens", "seconds")
    table = [
        {"of": kind, "mean": taken[kind]["mean"], "interval": taken[kind]["interval"]}
        for kind in kinds
    ]
    return Estimate(Path(taken["path"]), taken, table)


@contextmanager
def _opened(
    rows: RowsLike,
    prompts: str | Sequence[str],
    engine: str | Engine,
    output_dir: str | Path | None,
    schema: SchemaSource,
    settings: dict[str, Any],
    *,
    progress: Progress,
) -> Iterator[tuple[Opened, Steps | None, Say]]:
    """Open the run that a caller asked for; yield it, who follows its steps, who is told."""
    _check_guarded()
    rows = in_store(rows)  # type: ignore[assignment]
    with watched(progress) as (steps, say):
        config, opened_engine = _config(rows, prompts, engine, output_dir, settings)
        dataset = load_rows(config, rows, schema)
        with opened(config, rows=dataset, engine=opened_engine, say=say) as run:
            yield run, steps, say


def _check_guarded() -> None:
    """Refuse to run in a process of the engine, which imports the caller's script once more."""
    if getattr(current_process(), "_inheriting", False):
        raise ConfigError(
            "a process of the engine runs this script again from its first line; put what it does"
            ' under `if __name__ == "__main__":`'
        )


async def stream(
    rows: RowsLike,
    *,
    prompts: str | Sequence[str] = "adversarial",
    engine: str | Engine = "auto",
    output_dir: str | Path | None = None,
    schema: SchemaSource = None,
    progress: Progress = None,
    **settings: Any,
) -> AsyncIterator[Output | Failure]:
    """Yield outputs as their rows finish; see `augment` for the arguments.

    A run that came to its end gets its report and card; one that was left can be gone on with.
    """
    rows = in_store(rows)  # type: ignore[assignment]
    with watched(progress) as (steps, say):
        config, opened_engine = _config(rows, prompts, engine, output_dir, settings)
        dataset = load_rows(config, rows, schema)
        with opened(config, rows=dataset, engine=opened_engine, say=say) as run:
            if finished_manifest(run.job) is not None:
                return
            run.job.on_progress = _counted(run, steps)
            try:
                async for output in stream_job(run.job):
                    yield output
            finally:
                await close_job(run.job)
            await asyncio.to_thread(wrap_up, run.job, read_manifest(run.job.folder))


def list_runs(parent: str | Path = "runs") -> RunList:
    """Return the runs of a folder, newest first."""
    parent = Path(parent)
    return RunList(parent, tuple(Run(Path(run["path"])) for run in listing.list_runs(parent)))


def make_report(folder: str | Path | Run) -> Path:
    """Write the page of a run, an evaluation or a comparison anew from its files; return its path.

    Raises ConfigError with the nearest name where there is no such run.
    """
    from textcentric.report.robustness import write_robustness_report
    from textcentric.report.run import write_report

    folder = folder.path if isinstance(folder, Run) else Path(folder)
    if (folder / RESULTS).is_file():
        return write_robustness_report(folder)
    return write_report(listing.find_run(str(folder)))


def _to_end(run: Opened, steps: Steps | None) -> None:
    run.job.on_progress = counted = _counted(run, steps)
    if finished_manifest(run.job) is None:
        wrap_up(run.job, run_to_end(run.job))
        if counted is not None:
            counted(run.job.metrics)


def _counted(run: Opened, steps: Steps | None) -> Counted | None:
    """Return what tells `steps` of the rows that are finished."""
    if steps is None:
        return None
    total = min(run.job.dataset.count() - run.finished, run.job.budget.rows or 2**63)
    return lambda metrics: steps("rows", metrics.rows, total)


def _config(
    rows: RowsLike,
    prompts: str | Sequence[str],
    engine: str | Engine,
    output_dir: str | Path | None,
    settings: dict[str, Any],
) -> tuple[AugmentConfig, Engine | None]:
    in_hand = engine_in_hand(engine)
    if engine is None:
        raise ConfigError(f"engine is None, expected {ENGINES}")
    refuse_twice(settings, ["dataset"], in_hand)
    named = engine if in_hand is None else in_hand.fingerprint().get("engine", "own")
    flags = {
        "prompts": _prompts(prompts),
        "engine": named,
        "output_dir": str(output_dir) if output_dir else None,
        "dataset": label(rows),
    }
    config = resolve(None, {**settings, **flags})
    return config, in_hand


def _prompts(prompts: str | Sequence[str]) -> str:
    """Return names of prompts, comma-separated."""
    names = [prompts] if isinstance(prompts, str) else prompts
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ConfigError(
            f"prompts are {quoted(prompts)}, expected a name, such as 'adversarial', or several"
        )
    return ",".join(names)
