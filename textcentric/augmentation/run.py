"""One run: opened and checked before the first row, driven to its end, closed again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from textcentric.augmentation.budget import Budget
from textcentric.augmentation.choice import believed_plan, made_with
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import LanguageWatch
from textcentric.augmentation.driver import Driver, Job, OnRow, Progress, prices_of
from textcentric.augmentation.opening import (
    load_rows,
    make_engine,
    make_entailment,
    make_experts,
    make_judge,
    needs_engine,
)
from textcentric.augmentation.plan import Plan, make_plan, with_columns, with_shares
from textcentric.augmentation.truth import facts_of, with_usual_facts
from textcentric.data.rows import Rows, tell_notes
from textcentric.data.schema import Schema
from textcentric.engines import telling
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.none import NAMELESS, NoEngine
from textcentric.engines.protocol import Engine
from textcentric.errors import RunError, Say
from textcentric.folders import differences, fingerprint, read_yaml, writing
from textcentric.models.languages import model_languages
from textcentric.models.packaged import packaged_encoder
from textcentric.models.sentence_encoder import SentenceEncoder
from textcentric.prompts.calibration import read_calibration
from textcentric.prompts.library import PromptLibrary
from textcentric.runs.directory import CARD, CONFIG, prepare
from textcentric.runs.identity import identity_of
from textcentric.runs.journal import Journal
from textcentric.runs.lock import lock
from textcentric.runs.lost_shards import forget_lost
from textcentric.runs.manifest import Manifest, read_manifest
from textcentric.runs.shards import JSON_LINES, write_jsonl
from textcentric.values import Json


@dataclass(frozen=True)
class Opened:
    """A job ready to run, and what its directory held before."""

    job: Job
    going_on: bool = False
    changed: tuple[str, ...] = ()
    answers: int = 0
    finished: int = 0


@contextmanager
def opened(
    config: AugmentConfig,
    *,
    rows: Rows | None = None,
    engine: Engine | None = None,
    library: PromptLibrary | None = None,
    on_progress: Progress | None = None,
    on_row: OnRow | None = None,
    say: Say = lambda line: None,
    as_frozen: bool = False,
) -> Iterator[Opened]:
    """Open a run: data, prompts, engine, directory; hold its lock until the end.

    `rows`, `engine` and `library` stand in for what the configuration names; such an engine is
    its owner's to close. With `as_frozen` a prompt is held to what its file says of facts alone.
    Raises the error of whatever cannot be used, before anything is written.
    """
    folders = [config.prompt_dir] if config.prompt_dir else []
    frozen = library is not None
    library = library or PromptLibrary.load(*folders)
    plan = make_plan(config, library)
    dataset = rows if rows is not None else load_rows(config)
    plan = with_shares(with_columns(plan, dataset), config, dataset)
    tell_notes(dataset, say)
    own_engine = engine is None
    if not needs_engine(config, plan):
        engine = NoEngine()
    engine = telling(engine or make_engine(config, plan), say)
    judge = make_judge(config, say)
    made = made_with(config, engine.fingerprint())
    plan = believed_plan(plan, config, made, read_calibration(), frozen=frozen)
    identity = run_identity(config, dataset, plan, engine, judge)
    if not as_frozen:
        plan = held_to_facts(config, plan, identity, say)
    if facts := facts_of(plan):
        identity["facts"] = dict(facts)
    folder = run_folder(config, dataset, identity)
    prompts = (*plan.derive, *plan.variants, *([plan.judge] if plan.judge else []))
    with lock(folder):
        going_on, changed = prepare(
            folder, identity, config.resume, prompts, plan.library.bank, config.runtime()
        )
        reuse = [Path(path) / "journal.sqlite" for path in config.reuse]
        journal = Journal(folder / "journal.sqlite", reuse=reuse)
        try:
            forget_lost(folder, journal, say, digests=frozen)  # `runs resume` looks at every byte
            encoder = SentenceEncoder(str(packaged_encoder())) if config.embeddings else None
            job = Job(
                config=config,
                identity=identity,
                dataset=dataset,
                plan=plan,
                engine=engine,
                judge=judge,
                experts=make_experts(worded(config, identity), dataset, engine, library),
                languages=LanguageWatch(
                    model_languages(engine), say, leave_out=config.languages == "listed"
                ),
                folder=folder,
                journal=journal,
                encoder=encoder,
                entailment=make_entailment(config),
                budget=Budget(
                    config.max_tokens_total,
                    config.max_minutes,
                    config.accept,
                    accepted=_accepted(journal),
                    cost=config.max_cost,
                    prices=prices_of(config),
                ),
                on_progress=on_progress,
                on_row=on_row,
                own_engine=own_engine,
            )
            yield Opened(job, going_on, tuple(changed), journal.answers(), journal.finished_rows())
        finally:
            journal.close()


def _schema_of_identity(schema: Schema) -> dict[str, Json]:
    """Return a schema as identities have it: there whole numbers are classes, ordinal or not.

    That files may be missing changes no row.
    """
    if schema.task == "ordinal" and schema.counts():
        schema = schema.model_copy(update={"task": "classification"})
    values: dict[str, Json] = schema.model_dump(
        mode="json", exclude_defaults=True, exclude={"allow_missing"}
    )
    return values


def held_to_facts(
    config: AugmentConfig, plan: Plan, identity: Mapping[str, Json], say: Say
) -> Plan:
    """Return `plan` with what its prompts are held to; `say` is told of those that do not say it.

    A run that began when prompts said nothing of facts goes on with the checks it began with.
    """
    if _begun_without_facts(config, identity):
        return plan
    plan, silent = with_usual_facts(plan)
    if silent:
        say(_silent(plan, silent))
    return plan


def _begun_without_facts(config: AugmentConfig, identity: Mapping[str, Json]) -> bool:
    """Say whether the folder holds this run, begun when prompts said nothing of facts."""
    if not config.output_dir:
        return False
    saved = identity_of(read_yaml(Path(config.output_dir) / CONFIG))
    return bool(saved) and "facts" not in saved and not differences(saved, identity)


def _silent(plan: Plan, silent: Sequence[str]) -> str:
    facts = facts_of(plan)
    named = ", ".join(f"{name} ({facts[name]})" for name in silent)
    return f"prompts that do not say what they may do with facts are held to: {named}"


def run_identity(
    config: AugmentConfig,
    dataset: Rows,
    plan: Plan,
    engine: Engine,
    judge: Engine | None = None,
) -> dict[str, Json]:
    """Return what makes this run this run: configuration, data, prompts and model."""
    prompts = (*plan.derive, *plan.variants, *([plan.judge] if plan.judge else []))
    identity = config.identity()
    identity["data"] = {
        "name": dataset.name,
        "digest": dataset.digest,
        "schema": _schema_of_identity(dataset.schema),
    }
    identity["prompt_digests"] = {prompt.id: prompt.digest for prompt in prompts}
    if any(prompt.front.stage == "bank" for prompt in prompts):
        identity["bank"] = fingerprint({e.id: e.instruction for e in plan.library.bank})
    identity["engine_fingerprint"] = dict(engine.fingerprint()) or NAMELESS
    if not engine.fingerprint():
        identity["model"] = None
    if plan.own:
        distinct = {fitted.digest: fitted for fitted in plan.own.values()}
        identity["weights"] = [one.model_dump(mode="json") for one in distinct.values()]
    if judge is not None:
        identity["judge_fingerprint"] = dict(judge.fingerprint())
    return _with_words(identity, config, dataset)


def _with_words(identity: dict[str, Json], config: AugmentConfig, dataset: Rows) -> dict[str, Json]:
    """Add what recognisers may say, where there are any and the run did not begin without it."""
    identity.pop("expert_words", None)
    held = dataset.schema.files()
    sees = "image" in held and config.image_expert in ("auto", "packaged")
    sees |= config.image_expert == "labels"
    hears = "audio" in held and config.audio_expert != "none"
    if config.expert_words == "all" or not (sees or hears):
        return identity
    saved = read_yaml(Path(config.output_dir) / CONFIG) if config.output_dir else {}
    began = bool(saved) and "expert_words" not in saved
    return identity if began else identity | {"expert_words": "sure"}


def worded(config: AugmentConfig, identity: Mapping[str, Json]) -> AugmentConfig:
    """Return `config` with the words of experts that the run began with."""
    return config.model_copy(update={"expert_words": identity.get("expert_words", "all")})


def run_folder(config: AugmentConfig, dataset: Rows, identity: Mapping[str, Json]) -> Path:
    """Return the run directory: the one asked for, or one named after the data and the run."""
    if config.output_dir:
        return Path(config.output_dir)
    return Path("runs") / f"{dataset.name}-{fingerprint(identity)}"


def finished_manifest(job: Job) -> Manifest | None:
    """Return the manifest of a run that is complete, so that no row need be looked at."""
    try:
        manifest = read_manifest(job.folder)
    except RunError:
        return None
    same = manifest.get("fingerprint") == fingerprint(job.identity)
    complete = same and manifest.get("status") in ("finished", "failed")
    if not complete or manifest.get("totals", {}).get("pending", 1):
        return None
    if job.journal.finished_rows() != job.dataset.count():
        return None
    names = ["report.html", CARD, *([JSON_LINES] if job.config.format == "jsonl" else [])]
    if not all((job.folder / name).is_file() for name in names):
        wrap_up(job, manifest)  # killed between the last row and the report
    return manifest


def _accepted(journal: Journal) -> int:
    """Return how many variants are accepted already."""
    counts = journal.counts().items()
    return sum(n for (name, status, _), n in counts if status == "accepted" and name != "clean")


def wrap_up(job: Job, manifest: Manifest) -> None:
    """Write what people read: the report, the data set card, JSON lines where asked for."""
    from textcentric.report.run import write_report
    from textcentric.report.run_card import write_card

    with writing(job.folder):
        if job.config.format == "jsonl":
            write_jsonl(job.folder)
        write_card(job.folder)
        write_report(job.folder)


async def drive(job: Job) -> Manifest:
    """Run `job` to its end and close what was opened for it; return the manifest."""
    try:
        return await Driver(job).run()
    finally:
        await close_job(job)


async def close_job(job: Job) -> None:
    """Close the engine, unless the caller made it, the judge's and the encoder."""
    if job.own_engine:
        await job.engine.close()
    if job.judge is not None:
        await job.judge.close()
    if job.encoder is not None:
        job.encoder.close()


def run_to_end(job: Job) -> Manifest:
    """Run `job` from synchronous code, also where an event loop is already running.

    An engine that the caller made is to outlive the run, and so must the loop it lives in.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if job.own_engine:
            return asyncio.run(drive(job))
    return run_in_background(lambda: drive(job))
