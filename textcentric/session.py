"""Open everything a run needs, check it before the first row, and close it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from textcentric.augment import Budget, Driver, Job, OnRow, Progress
from textcentric.background import run_in_background
from textcentric.config import AugmentConfig, fingerprint
from textcentric.data import load
from textcentric.describe import LanguageWatch
from textcentric.encoder import SentenceEncoder
from textcentric.engines import open_engine
from textcentric.engines.languages import model_languages
from textcentric.engines.packaged import packaged_encoder
from textcentric.engines.protocol import Engine, Request
from textcentric.errors import PromptError, RunError
from textcentric.experts import open_experts
from textcentric.experts.protocol import AnyExpert
from textcentric.experts.vlm import CaptionExpert
from textcentric.flow import DERIVED, Plan
from textcentric.journal import Journal
from textcentric.prompts import Prompt, PromptLibrary, lint
from textcentric.requests import RequestBuilder
from textcentric.runs import lock, prepare, read_manifest, write_jsonl, writing

SUMMARY, CAPTION = "summarize/brief", "caption/photo"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Opened:
    """A job ready to run, and what its directory held before."""

    job: Job
    going_on: bool = False
    changed: tuple[str, ...] = ()
    answers: int = 0
    finished: int = 0


def make_plan(config: AugmentConfig, library: PromptLibrary) -> Plan:
    """Choose the prompts of a run; raises PromptError for one that could never be rendered."""
    chosen = library.select(config.prompts)
    stages: dict[str, list[Prompt]] = {}
    for prompt in chosen:
        stages.setdefault(prompt.front.stage, []).append(prompt)
    if config.summarize:
        stages.setdefault("summarize", [library[SUMMARY]])
    derive = [p for stage in ("align", "summarize", "reason") for p in stages.get(stage, ())]
    variants = tuple(
        fewer_sentences(prompt, config.sentences)
        for prompt in (*stages.get("adversarial", ()), *stages.get("bank", ()))
    )
    check_derived(derive, variants)
    for prompt in (*derive, *variants, *stages.get("judge", ())):
        check_prompt(prompt)
    judges = stages.get("judge", [])
    return Plan(
        derive=tuple(derive),
        variants=variants,
        judge=judges[0] if judges else None,
        library=library,
        samples=config.samples,
        perturb=config.perturb,
        seed=config.seed,
    )


def fewer_sentences(prompt: Prompt, most: int | None) -> Prompt:
    """Return a prompt that rewrites at most `most` sentences of a row, one request each."""
    front = prompt.front
    if most is None or front.each != "sentence":
        return prompt
    take = min(most, front.take or most)
    return replace(prompt, front=front.model_copy(update={"take": take}))


def check_derived(derive: Sequence[Prompt], variants: Sequence[Prompt]) -> None:
    """Raise PromptError where a prompt reads a derived part that no prompt before it writes."""
    written: set[str] = set()
    for prompt in (*derive, *variants):
        missing = [n for n in DERIVED if n in prompt.front.reads and n not in written]
        if missing:
            how = "leave out --no-summarize" if missing[0] == "summary" else "add it to --prompts"
            raise PromptError(
                f"prompt {prompt.id} reads {missing[0]!r}, but no prompt of this run writes it"
                f" first (written: {', '.join(sorted(written)) or 'nothing'}); take one that does"
                f" ({how}), or leave {prompt.id} out of --prompts",
                prompt=prompt.id,
                variable=missing[0],
            )
        if prompt in derive and prompt.front.stage != "align":
            written.add(prompt.front.writes)


def check_prompt(prompt: Prompt) -> None:
    """Raise PromptError where a prompt cannot work with any row."""
    for problem in lint(prompt):
        if problem.startswith(("unknown variable", "has no", "prompt ", "block ")):
            raise PromptError(f"prompt {prompt.id}: {problem}", prompt=prompt.id)
    needed = {"judge": ["verdict"], "reason": ["prediction", "explanation"]}
    front = prompt.front
    if front.stage == "judge" or front.answer_schema:
        given = (front.answer_schema or {}).get("required", ())
        for name in needed.get(front.stage, ()):
            if name not in given:
                raise PromptError(
                    f"prompt {prompt.id}: a {front.stage} prompt's `schema` must require {name!r}",
                    prompt=prompt.id,
                )


def engine_name(config: AugmentConfig) -> str:
    """Return the engine that `auto` stands for on this machine."""
    if config.engine != "auto":
        return config.engine
    return "vllm" if find_spec("vllm") is not None else "transformers"


def make_engine(config: AugmentConfig) -> Engine:
    """Open the engine; a model is loaded with the first request, not here."""
    settings = dict(config.engine_settings)
    if config.base_url is not None:
        settings["base_url"] = config.base_url
    return open_engine(engine_name(config), config.model, **settings)


@contextmanager
def opened(
    config: AugmentConfig,
    *,
    rows: Any = None,
    engine: Engine | None = None,
    library: PromptLibrary | None = None,
    on_progress: Progress | None = None,
    on_row: OnRow | None = None,
    say: Say = lambda line: None,
) -> Iterator[Opened]:
    """Open a run: data, prompts, engine, directory; hold its lock until the end.

    `rows`, `engine` and `library` stand in for what the configuration names; such an engine is
    its owner's to close. Raises the error of whatever cannot be used, before anything is written.
    """
    folders = [config.prompt_dir] if config.prompt_dir else []
    library = library or PromptLibrary.load(*folders)
    plan = make_plan(config, library)
    dataset = rows if rows is not None else load_rows(config)
    for note in dataset.notes:
        say(note)
    own_engine = engine is None
    engine = engine or make_engine(config)
    identity = run_identity(config, dataset, plan, engine)
    folder = run_folder(config, dataset, identity)
    prompts = (*plan.derive, *plan.variants, *([plan.judge] if plan.judge else []))
    with lock(folder):
        going_on, changed = prepare(
            folder, identity, config.resume, prompts, library.bank, config.runtime()
        )
        reuse = [Path(path) / "journal.sqlite" for path in config.reuse]
        journal = Journal(folder / "journal.sqlite", reuse=reuse)
        try:
            encoder = SentenceEncoder(str(packaged_encoder())) if config.embeddings else None
            job = Job(
                config=config,
                identity=identity,
                dataset=dataset,
                plan=plan,
                engine=engine,
                experts=make_experts(config, dataset, engine, library),
                languages=LanguageWatch(model_languages(engine), say),
                folder=folder,
                journal=journal,
                encoder=encoder,
                budget=Budget(
                    config.max_tokens_total,
                    config.max_minutes,
                    config.accept,
                    accepted=_accepted(journal),
                ),
                on_progress=on_progress,
                on_row=on_row,
                own_engine=own_engine,
            )
            yield Opened(job, going_on, tuple(changed), journal.answers(), journal.finished_rows())
        finally:
            journal.close()


def load_rows(config: AugmentConfig) -> Any:
    """Load the data set that the configuration names."""
    return load(
        config.dataset,
        data_dir=config.data_dir,
        schema=config.table_schema,
        split=config.split,
        limit=config.limit,
        require=config.require,
    )


def run_identity(config: AugmentConfig, dataset: Any, plan: Plan, engine: Engine) -> dict[str, Any]:
    """Return what makes this run this run: configuration, data, prompts and model."""
    prompts = (*plan.derive, *plan.variants, *([plan.judge] if plan.judge else []))
    identity = config.identity()
    identity["data"] = {
        "name": dataset.name,
        "digest": dataset.digest,
        "schema": dataset.schema.model_dump(mode="json", exclude_defaults=True),
    }
    identity["prompt_digests"] = {prompt.id: prompt.digest for prompt in prompts}
    if any(prompt.front.stage == "bank" for prompt in prompts):
        identity["bank"] = fingerprint({e.id: e.instruction for e in plan.library.bank})
    identity["engine_fingerprint"] = dict(engine.fingerprint())
    return identity


def run_folder(config: AugmentConfig, dataset: Any, identity: Mapping[str, Any]) -> Path:
    """Return the run directory: the one asked for, or one named after the data and the run."""
    if config.output_dir:
        return Path(config.output_dir)
    return Path("runs") / f"{dataset.name}-{fingerprint(identity)}"


def make_experts(
    config: AugmentConfig,
    dataset: Any,
    engine: Engine | None = None,
    library: PromptLibrary | None = None,
) -> dict[str, AnyExpert]:
    """Open the experts that the data set's modalities need.

    The rows name only files that the loader found inside the data folder. A vision-language
    model behind `engine` describes the pictures where it is asked for, or where it is one.
    """
    modalities = ["table", "text", *dataset.schema.files()]
    if config.image_expert == "labels" and "image" not in modalities:
        modalities.append("image")
    vlm = None
    if engine is not None and library is not None and "image" in modalities:
        asked = config.image_expert == "vlm"
        vlm = _captioner(engine, library) if asked or _sees(engine) else None
    return dict(
        open_experts(
            modalities,
            missing=config.missing_values,
            image=config.image_expert,
            audio=config.audio_expert,
            vlm=vlm,
        )
    )


def _sees(engine: Engine) -> bool:
    """Say whether the engine's model is known to read pictures."""
    return "vision_config" in getattr(getattr(engine, "model", None), "config", {})


def _captioner(engine: Engine, library: PromptLibrary) -> CaptionExpert:
    prompt = library[CAPTION]
    builder = RequestBuilder(engine.fingerprint())

    def build(path: str, digest: str) -> Request:
        request, _ = builder.build(prompt, {}, seed=0)
        *before, user = request.messages
        seen = replace(user, images=(path,), image_digests=(digest,))
        return replace(request, messages=(*before, seen))

    return CaptionExpert(engine, build, version=prompt.digest)


def finished_manifest(job: Job) -> dict[str, Any] | None:
    """Return the manifest of a run that is complete, so that no row need be looked at."""
    try:
        manifest = read_manifest(job.folder)
    except RunError:
        return None
    same = manifest.get("fingerprint") == fingerprint(job.identity)
    complete = same and manifest.get("status") in ("finished", "failed")
    if not complete or manifest["totals"].get("pending", 1):
        return None
    if job.journal.finished_rows() != job.dataset.count():
        return None
    if not (job.folder / "report.html").is_file():
        wrap_up(job, manifest)  # killed between the last row and the report
    return manifest


def _accepted(journal: Journal) -> int:
    """Return how many variants are accepted already."""
    counts = journal.counts().items()
    return sum(n for (name, status, _), n in counts if status == "accepted" and name != "clean")


def wrap_up(job: Job, manifest: Mapping[str, Any]) -> None:
    """Write what people read: the report, the data set card, JSON lines where asked for."""
    from textcentric.card import write_card
    from textcentric.report import write_report

    with writing(job.folder):
        if job.config.format == "jsonl":
            write_jsonl(job.folder)
        write_card(job.folder)
        write_report(job.folder)


async def drive(job: Job) -> dict[str, Any]:
    """Run `job` to its end and close what was opened for it; return the manifest."""
    try:
        return await Driver(job).run()
    finally:
        await close_job(job)


async def close_job(job: Job) -> None:
    """Close the engine, unless the caller made it, and the encoder."""
    if job.own_engine:
        await job.engine.close()
    if job.encoder is not None:
        job.encoder.close()


def run_to_end(job: Job) -> dict[str, Any]:
    """Run `job` from synchronous code, also where an event loop is already running.

    An engine that the caller made is to outlive the run, and so must the loop it lives in.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if job.own_engine:
            return asyncio.run(drive(job))
    return run_in_background(lambda: drive(job))
