"""`augment`: rows in, a run directory out. A bounded window of requests keeps the engine full.

The window is sized from the engine's own limits; rows are admitted in order and finish as they
may. What stops a run early (a budget, Ctrl-C, a dead engine) leaves a directory to go on from.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from textcentric.augmentation.answers import Answers, SpentError
from textcentric.augmentation.budget import Budget
from textcentric.augmentation.choice import read_words, weights_lines
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import Describer, LanguageWatch
from textcentric.augmentation.picks.values import plan_columns
from textcentric.augmentation.plan import Plan
from textcentric.augmentation.requests import RequestBuilder
from textcentric.augmentation.row import RowFlow
from textcentric.augmentation.row_faults import RowFaults
from textcentric.augmentation.window import Window
from textcentric.checks.entailment import Entail
from textcentric.checks.identity import checks_identity
from textcentric.checks.remembered import let_go
from textcentric.data.balance import unread, with_unread
from textcentric.data.memory import type_of_targets
from textcentric.data.rows import Rows
from textcentric.data.schema import question, words_of_classes
from textcentric.data.trained import read_of
from textcentric.engines.none import NAMELESS
from textcentric.engines.protocol import Engine
from textcentric.errors import EngineError, StoppedError, TextCentricError
from textcentric.experts.protocol import AnyExpert
from textcentric.folders import fingerprint
from textcentric.machine import git_commit, machine, versions
from textcentric.models.sentence_encoder import SentenceEncoder
from textcentric.rows import CLEAN, Record, file_faults
from textcentric.runs.columns import Failure, Output
from textcentric.runs.counters import INTERVAL, METRICS, Metrics, added, bottleneck, spent
from textcentric.runs.directory import all_failed, started_now
from textcentric.runs.failures import commonest_sentences
from textcentric.runs.journal import Journal
from textcentric.runs.lost_shards import forget_lost
from textcentric.runs.manifest import Manifest, Priced, counted, shards_of, write_manifest
from textcentric.runs.prices import Prices
from textcentric.runs.shards import ShardWriter
from textcentric.values import Json

TICK = 0.25  # seconds between two looks at the run
Progress = Callable[[Metrics], None]
OnRow = Callable[[list[Output | Failure]], None]


@dataclass
class Job:
    """Everything one run needs, opened and checked, before the first row."""

    config: AugmentConfig
    identity: Mapping[str, Json]
    dataset: Rows
    plan: Plan
    engine: Engine
    experts: Mapping[str, AnyExpert]
    folder: Path
    journal: Journal
    encoder: SentenceEncoder | None = None
    languages: LanguageWatch | None = None
    budget: Budget = field(default_factory=Budget)
    metrics: Metrics = field(default_factory=Metrics)
    on_progress: Progress | None = None
    on_row: OnRow | None = None
    judge: Engine | None = None  # a second model, which judges variants
    entailment: Entail | None = None
    own_engine: bool = True  # opened for this job, so closed with it


class Driver:
    """Drive the rows of one job through their program."""

    def __init__(self, job: Job):
        self.job = job
        self.metrics = job.metrics
        target, words = type_of_targets(job.dataset), words_of_classes(job.dataset.schema)
        self.writer = ShardWriter(job.folder, job.journal, target, words)
        self.describer = Describer(job.experts, job.journal, job.languages)
        judging = None if job.judge is None else self._flow(job.judge)
        self.flow = self._flow(job.engine, judging)
        self.started = started_now()
        self.earlier = spent(job.folder / METRICS)  # by the run's processes before this one
        self._rows: set[asyncio.Task[None]] = set()
        self._window = Window(job.metrics, job.plan.requests_per_row())
        self._owed = 0  # variants of the rows in flight
        self._row_faults = RowFaults()
        self._refused = ""  # why rows were left as they are
        self._faults: dict[str, tuple[str, ...]] = {}  # files that this process could not read
        self._error: BaseException | None = None
        self._room = asyncio.Event()

    def _flow(self, engine: Engine, judging: RowFlow | None = None) -> RowFlow:
        """Return the program of a row with `engine`, and with the program that asks the judge."""
        job = self.job
        requests = replace(job.budget, rows=None)  # rows that were admitted are finished
        return RowFlow(
            job.plan,
            self.describer,
            Answers(engine, job.journal, job.metrics, lambda: requests.spent(job.metrics)),
            RequestBuilder(
                engine.fingerprint(),
                temperature=job.config.temperature,
                max_tokens=job.config.max_tokens,
            ),
            job.encoder,
            dataset=job.dataset.name,
            reason_about=question(job.dataset.schema),
            truncate=job.config.on_too_long == "truncate",
            columns=plan_columns(job.plan, job.dataset),
            likelihoods=job.config.likelihoods,
            strict=job.config.strict,
            entailment=job.entailment,
            judging=judging,
        )

    async def run(self) -> Manifest:
        """Run until every row is done or something stops it; return the manifest.

        Raises StoppedError, EngineError or CancelledError after everything finished is on disk.
        """
        with rare_collections():
            return await self._run()

    async def _run(self) -> Manifest:
        self._write_manifest("running")
        stopped, status = "", "stopped"
        ticker = asyncio.create_task(self._tick())
        try:
            stopped = await self._until_time_is_up()
            self.writer.close()
            self._look_at_shards()
            enough = self.job.budget.enough(self.metrics)
            status = "finished" if not stopped or enough else "stopped"
        except asyncio.CancelledError:
            status = "interrupted"
            raise
        except Exception as error:
            stopped = str(error)
            raise
        finally:
            ticker.cancel()
            await self._abandon()
            manifest = self._finish(status, stopped)
        return manifest

    def _look_at_shards(self) -> None:
        """Raise StoppedError, with it forgotten, where a shard that was written is not there."""
        lost: list[str] = []
        if forget_lost(self.job.folder, self.job.journal, lost.append, digests=False):
            raise StoppedError(f"{'; '.join(lost)} when the same command is run again")

    async def _until_time_is_up(self) -> str:
        """Run the rows; return why not all are done, empty where they are."""
        budget = self.job.budget
        try:
            async with asyncio.timeout(budget.seconds_left(self.metrics)) as limit:
                stopped = await self._admit()
                await self._drain()
                self._row_faults.check()
                return stopped or self._refused
        except TimeoutError:
            if not limit.expired():
                raise
            await self._abandon_rows()
            return budget.spent(self.metrics)

    async def _admit(self) -> str:
        """Admit rows while there is room; return why it stopped before the last one, if it did."""
        self.metrics.capacity = self.job.engine.limits().concurrency
        self.metrics.on_leave = self._room.set
        for record in self.job.dataset.remaining(self.job.journal.finished_ids()):
            while (self._window.crowded() or self._enough_coming()) and self._error is None:
                self._room.clear()
                await self._room.wait()
            if self._error is not None:
                break
            stopped = self.job.budget.spent(self.metrics)
            if stopped:
                return stopped
            self.metrics.admitted += 1
            self._owed += (owed := len(self.job.plan.wanted(record)))
            size = self._window.enter(record)
            task = asyncio.create_task(self._row(record, owed, size))
            self._rows.add(task)
            task.add_done_callback(self._rows.discard)
            await asyncio.sleep(0)
        return ""

    def _enough_coming(self) -> bool:
        """Say whether the rows in flight will bring what is asked for, as rows did until now."""
        done = self.metrics
        accepted = (done.accepted + 1) / (done.accepted + done.rejected + done.failed + 1)
        return self._owed > 0 and self.job.budget.enough(done, self._owed * accepted)

    async def _row(self, record: Record, owed: int, size: int) -> None:
        try:
            await self._through(record)
        except SpentError as error:
            self._refused = str(error)  # the row stays pending, the answers it has are kept
        except Exception as error:
            self._error = self._error or error
        finally:
            self._owed -= owed
            self._window.leave(size)
            self._room.set()
            let_go(size)

    async def _through(self, record: Record) -> None:
        """Bring a row through its program; what nobody foresaw fails it alone."""
        try:
            outputs = await self.flow.run(record)
        except Exception as error:
            self._row_faults.hold(record, self.job.plan.owed(record), error)
        else:
            self._take(record, outputs)
        if self.metrics.rows:
            for failed, failures in self._row_faults.released():
                self._take(failed, failures)

    def _take(self, record: Record, outputs: Sequence[Output | Failure]) -> None:
        """Write and count what became of a row."""
        self.writer.add_row(record.id, outputs)
        self._count(outputs)
        if self.job.on_row is not None:
            self.job.on_row([*outputs])

    async def _drain(self) -> None:
        while self._rows and self._error is None:
            await asyncio.wait(self._rows, return_when=asyncio.FIRST_COMPLETED)
        if isinstance(self._error, EngineError):
            raise StoppedError(
                f"{self._error}. What is finished is kept; run the same command again to go on"
            ) from self._error
        if self._error is not None:
            raise self._error

    async def _abandon(self) -> None:
        """Cancel what is still in flight, after an error or an interruption."""
        await self._abandon_rows()
        self.describer.close()

    async def _abandon_rows(self) -> None:
        for task in list(self._rows):
            task.cancel()
        if self._rows:
            await asyncio.gather(*self._rows, return_exceptions=True)

    def _count(self, outputs: Iterable[Output | Failure]) -> None:
        self.metrics.rows += 1
        for output in outputs:
            if isinstance(output, Failure):
                self.metrics.failed += 1
            elif output.reason:
                self.metrics.rejected += 1
            elif output.prompt != CLEAN:
                self.metrics.accepted += 1
            elif faults := file_faults(output.notes.split("; ")):
                self._faults[output.source_id] = faults

    async def _tick(self) -> None:
        """Report progress, write a line of metrics a second, commit what waits."""
        lines, at = self.job.folder / METRICS, 0.0
        while True:
            with suppress(StoppedError):  # met again, and raised, where the next row is written
                self.job.journal.commit()
            if time.monotonic() - at >= INTERVAL:
                at = time.monotonic()
                with suppress(OSError):
                    self.metrics.append(lines)
            if self.job.on_progress is not None:
                self.job.on_progress(self.metrics)
            await asyncio.sleep(TICK)

    def _finish(self, status: str, stopped: str) -> Manifest:
        """Put what is finished on disk, as far as the disk allows, and say what came of it."""
        if status != "finished":
            self.writer.write()
        self.job.journal.commit()
        with suppress(OSError):
            self.metrics.append(self.job.folder / METRICS)
        return self._write_manifest(status, stopped)

    def _write_manifest(self, status: str, stopped: str = "") -> Manifest:
        manifest = self._manifest(status, stopped)
        write_manifest(self.job.folder, manifest)
        return manifest

    def _manifest(self, status: str, stopped: str) -> Manifest:
        job, whole = self.job, added(self.earlier, self.metrics.reading())
        owed = requested(job, everything=status in ("stopped", "interrupted"))
        came = counted(job.journal, owed)
        dataset = job.dataset
        status = "failed" if status == "finished" and all_failed(came["counts"]) else status
        return {
            "fingerprint": fingerprint(job.identity),
            "status": status,
            "stopped": stopped,
            "started": self.started,
            "seconds": round(whole["t"], 2),
            "versions": versions(),
            "git": git_commit(),
            "machine": machine(),
            "seed": job.config.seed,
            "dataset": {
                "name": dataset.name,
                "path": str(dataset.path),
                "digest": dataset.digest,
                "origin": dataset.origin,
                "rows": dataset.count(),
                "balance": with_unread(
                    dataset.balance, unread(self._faults.keys(), self._faults.values())
                ),
                "read": read_of(dataset),
                "notes": list(dataset.notes),
            },
            "engine": dict(job.engine.fingerprint()) or NAMELESS,
            **({"judge": dict(job.judge.fingerprint())} if job.judge is not None else {}),
            "prompts": {
                prompt.id: {
                    "version": prompt.front.version,
                    "digest": prompt.digest,
                    "label": prompt.front.label,
                    "stage": prompt.front.stage,
                }
                for prompt in (*job.plan.derive, *job.plan.variants)
            },
            "checks": checks_identity(),
            **({"weights": "; ".join(own)} if (own := weights_lines(job.plan)) else {}),
            "read": read_words(job.plan),
            **came,
            **({"said": commonest_sentences(job.folder)} if came["errors"] else {}),
            "tokens": {
                "prompt": whole["prompt_tokens"],
                "cached": whole["cached_tokens"],
                "output": whole["output_tokens"],
            },
            "requests": _requests(whole),
            **_cost(prices_of(job.config), whole),
            "answers": job.journal.answers(),
            "shards": shards_of(job.journal),
            "engine_full": round(whole["full"], 2),
            "engine_starved": round(whole["starved"], 2),
            "bottleneck": bottleneck(whole),
        }


def prices_of(config: AugmentConfig) -> Prices:
    """Return what tokens cost in a run."""
    return Prices(config.price_input, config.price_output)


def _requests(counts: Mapping[str, float]) -> dict[str, float]:
    """Return how many answers were asked for, and apart, where there were any, likelihoods."""
    names = ["sent", "reused", *(["likelihoods"] if counts.get("likelihoods") else [])]
    return {name: counts[name] for name in names}


def _cost(prices: Prices, counts: Mapping[str, float]) -> Priced:
    """Return what a run has cost, where its tokens have a price."""
    if not prices:
        return {}
    cost = prices.of(counts["prompt_tokens"], counts["output_tokens"])
    return {"cost": round(cost, 6), "prices": {"input": prices.input, "output": prices.output}}


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for reference cycles a hundred times less often: requests by the thousand make none.

    Worth a twentieth of the driver's time; memory stays as flat (`benchmarks/memory.py`).
    """
    before = gc.get_threshold()
    gc.set_threshold(100 * max(before[0], 700), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def requested(job: Job, *, everything: bool) -> dict[str, int]:
    """Return how many outputs each prompt owes for the rows not yet finished, and has given.

    Only a run that was stopped has to look at the rows it never admitted.
    """
    owed = Counter[str]()
    for (prompt, _, _), n in job.journal.counts().items():
        owed[prompt] += n
    if everything:
        for record in job.dataset:
            if not job.journal.finished(record.id):
                owed["clean"] += 1
                owed.update(prompt.id for prompt, _ in job.plan.wanted(record))
    return dict(owed)


async def stream(job: Job) -> AsyncIterator[Output | Failure]:
    """Run `job` and yield outputs as their rows finish."""
    queue: asyncio.Queue[list[Output | Failure] | None] = asyncio.Queue()
    job.on_row = queue.put_nowait
    driving = asyncio.create_task(Driver(job).run())
    driving.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (outputs := await queue.get()) is not None:
            for output in outputs:
                yield output
        await driving
    finally:
        driving.cancel()
        with suppress(asyncio.CancelledError, TextCentricError):
            await driving
