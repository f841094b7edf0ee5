"""One row through one prompt, with all that was asked, answered and judged; nothing is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from textcentric.augmentation.answers import Answers
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.curation import Draft
from textcentric.augmentation.description import Describer
from textcentric.augmentation.opening import (
    load_rows,
    make_engine,
    make_entailment,
    make_experts,
    needs_engine,
)
from textcentric.augmentation.picks.values import plan_columns
from textcentric.augmentation.plan import Plan, check_prompt, with_columns
from textcentric.augmentation.requests import RequestBuilder
from textcentric.augmentation.row import RowFlow
from textcentric.augmentation.truth import with_usual_facts
from textcentric.augmentation.words import throwaway_journal
from textcentric.data.rows import Rows, tell_notes
from textcentric.data.schema import question
from textcentric.engines import telling
from textcentric.engines.none import NoEngine
from textcentric.engines.protocol import Engine, Request, Response
from textcentric.engines.recorded import Recorded
from textcentric.errors import DataError, PromptError, Say, TextCentricError, unknown
from textcentric.models.packaged import packaged_encoder
from textcentric.models.sentence_encoder import SentenceEncoder
from textcentric.prompts.library import (
    BANK,
    PromptLibrary,
    instruction,
    open_library,
    with_instruction,
)
from textcentric.prompts.prompt import Prompt
from textcentric.rows import Record
from textcentric.runs.columns import Failure, Output
from textcentric.runs.counters import Metrics

CARRIER = "adversarial/bank"
DERIVING = ("align", "summarize", "reason")
VARYING = ("adversarial", "rule", "bank")
NEAR_IDS = 5


@dataclass
class Trial:
    """What one row gave: the questions with their answers, the drafts, the outputs."""

    prompt: Prompt
    record: Record
    asked: list[tuple[Request, Response | TextCentricError]] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    outputs: list[Output | Failure] = field(default_factory=list)


def try_prompt(
    config: AugmentConfig,
    name: str,
    row_id: str | None,
    *,
    engine: Engine | None = None,
    say: Say = lambda line: None,
) -> Trial:
    """Put one row of the data set through one prompt, with a run's own flow and checks."""
    library = open_library(config.prompt_dir)
    plan, _ = with_usual_facts(plan_of(config, library, name))
    dataset = load_rows(config)
    plan = with_columns(plan, dataset)
    tell_notes(dataset, say)
    trial = Trial((plan.variants or plan.derive)[-1], find_row(dataset, row_id))
    if plan.variants and trial.prompt.front.stage == "bank":
        trial.prompt = with_instruction(trial.prompt, plan.library.bank[0])
    if not needs_engine(config, plan):
        engine = NoEngine()
    engine = telling(engine or make_engine(config, plan), say)
    asyncio.run(_run(config, plan, dataset, engine, trial))
    return trial


def plan_of(config: AugmentConfig, library: PromptLibrary, name: str) -> Plan:
    """Return the plan that asks `name` and what it reads, once for any row."""
    if name.startswith(BANK):
        library, name = replace(library, bank=(instruction(library, name),)), CARRIER
    prompt = library[name]
    stage = prompt.front.stage
    if stage not in (*DERIVING, *VARYING):
        raise PromptError(
            f"prompt {name} is for the stage {stage}, which needs more than a row;"
            f" `try` takes {', '.join(DERIVING + VARYING)}",
            prompt=name,
        )
    check_prompt(prompt)
    needed = library.select("summarize") if "summary" in prompt.front.reads else []
    needed += library.select("reason") if "reason" in prompt.front.reads else []
    if stage in DERIVING:
        return Plan((*needed, prompt), (), None, library, perturb="all", seed=config.seed)
    return Plan(tuple(needed), (prompt,), None, library, perturb="all", seed=config.seed)


def find_row(dataset: Rows, row_id: str | None) -> Record:
    """Return the row with the id `row_id`, the first one without; names the nearest ids."""
    ids: list[str] = []
    record: Record
    for record in dataset:
        if row_id is None or record.id == row_id:
            return record
        ids.append(record.id)
    near = get_close_matches(str(row_id), ids, n=NEAR_IDS, cutoff=0.0)
    raise DataError(unknown("row", str(row_id), near), row_id=row_id)


async def _run(
    config: AugmentConfig, plan: Plan, dataset: Rows, engine: Engine, trial: Trial
) -> None:
    encoder = SentenceEncoder(str(packaged_encoder())) if config.embeddings else None
    recorded = Recorded(engine)
    trial.asked = recorded.asked
    with throwaway_journal() as journal:
        describer = Describer(make_experts(config, dataset), journal)
        builder = RequestBuilder(
            engine.fingerprint(), temperature=config.temperature, max_tokens=config.max_tokens
        )
        flow = RowFlow(
            plan,
            describer,
            Answers(recorded, journal, Metrics()),
            builder,
            encoder,
            dataset=dataset.name,
            reason_about=question(dataset.schema),
            columns=plan_columns(plan, dataset),
            likelihoods=config.likelihoods,
            strict=config.strict,
            entailment=make_entailment(config),
            observe=trial.drafts.extend,
        )
        try:
            trial.outputs = await flow.run(trial.record)
        finally:
            describer.close()
            await engine.close()
            if encoder is not None:
                encoder.close()
