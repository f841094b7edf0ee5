"""`textcentric prompts try`: one row through one prompt, everything shown, nothing kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from textcentric.answers import Answers
from textcentric.augment import question
from textcentric.cli.rows_in_words import throwaway_journal
from textcentric.cli.show_prompts import BANK, instruction, open_library
from textcentric.cli.terminal import say
from textcentric.config import AugmentConfig
from textcentric.curate import Draft
from textcentric.describe import Described, Describer
from textcentric.encoder import SentenceEncoder
from textcentric.engines.packaged import packaged_encoder
from textcentric.engines.protocol import Engine, Limits, Message, Request, Response
from textcentric.errors import DataError, PromptError, TextCentricError, unknown
from textcentric.flow import Plan, RowFlow
from textcentric.metrics import Metrics
from textcentric.prompts import Prompt, PromptLibrary, with_instruction
from textcentric.requests import RequestBuilder
from textcentric.rows import Record
from textcentric.session import SUMMARY, check_prompt, load_rows, make_engine, make_experts
from textcentric.shards import Failure, Output

CARRIER = "adversarial/bank"
DERIVING = ("align", "summarize", "reason")
VARYING = ("adversarial", "bank")
NEAR_IDS = 5


@dataclass
class Trial:
    """What one row gave: the questions with their answers, the drafts, the outputs."""

    prompt: Prompt
    record: Record
    asked: list[tuple[Request, Response | TextCentricError]] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    outputs: list[Output | Failure] = field(default_factory=list)


def try_command(
    config: AugmentConfig,
    name: str,
    row_id: str | None,
    *,
    as_json: bool = False,
    engine: Engine | None = None,
) -> None:
    """Try the prompt `name` and print what came of it; `engine` stands in for the configured."""
    trial = try_prompt(config, name, row_id, engine=engine)
    print(json.dumps(as_dict(trial), ensure_ascii=False) if as_json else _as_text(trial))


def try_prompt(
    config: AugmentConfig, name: str, row_id: str | None, *, engine: Engine | None = None
) -> Trial:
    """Put one row of the data set through one prompt, with a run's own flow and checks."""
    library = open_library(config.prompt_dir)
    plan = plan_of(config, library, name)
    dataset = load_rows(config)
    for note in dataset.notes:
        say(note)
    trial = Trial((plan.variants or plan.derive)[-1], find_row(dataset, row_id))
    if plan.variants and trial.prompt.front.stage == "bank":
        trial.prompt = with_instruction(trial.prompt, plan.library.bank[0])
    asyncio.run(_run(config, plan, dataset, engine or make_engine(config), trial))
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
    needed = [library[SUMMARY]] if "summary" in prompt.front.reads else []
    needed += library.select("reason") if "reason" in prompt.front.reads else []
    if stage in DERIVING:
        return Plan((*needed, prompt), (), None, library, perturb="all", seed=config.seed)
    return Plan(tuple(needed), (prompt,), None, library, perturb="all", seed=config.seed)


def find_row(dataset: Any, row_id: str | None) -> Record:
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
    config: AugmentConfig, plan: Plan, dataset: Any, engine: Engine, trial: Trial
) -> None:
    encoder = SentenceEncoder(str(packaged_encoder())) if config.embeddings else None
    heard = _Heard(engine, trial)
    with throwaway_journal() as journal:
        describer = Describer(make_experts(config, dataset), journal)
        builder = RequestBuilder(
            engine.fingerprint(), temperature=config.temperature, max_tokens=config.max_tokens
        )
        flow = _Watched(
            plan,
            describer,
            Answers(heard, journal, Metrics()),
            builder,
            encoder,
            dataset=dataset.name,
            reason_about=question(dataset),
        )
        try:
            trial.outputs = await flow.run(trial.record)
            trial.drafts = flow.drafts
        finally:
            describer.close()
            await engine.close()
            if encoder is not None:
                encoder.close()


class _Heard:
    """An engine that writes down what it is asked and what it answers."""

    def __init__(self, engine: Engine, trial: Trial):
        self.engine = engine
        self.trial = trial

    async def generate(self, request: Request) -> Response:
        try:
            answer = await self.engine.generate(request)
        except TextCentricError as error:
            self.trial.asked.append((request, error))
            raise
        self.trial.asked.append((request, answer))
        return answer

    def limits(self) -> Limits:
        return self.engine.limits()

    def fingerprint(self) -> Mapping[str, str]:
        return self.engine.fingerprint()

    def count_tokens(self, messages: tuple[Message, ...]) -> int | None:
        return self.engine.count_tokens(messages)

    async def close(self) -> None:
        await self.engine.close()


class _Watched(RowFlow):
    """A row's flow that keeps its drafts with the verdict on each piece."""

    drafts: list[Draft] = []  # noqa: RUF012  (replaced, never changed)

    async def _curate(self, described: Described, drafts: Sequence[Any]) -> None:
        await super()._curate(described, drafts)
        self.drafts = [one.draft for one in drafts]


def as_dict(trial: Trial) -> dict[str, Any]:
    """Return a trial as JSON-ready dicts and lists."""
    pieces = [piece for draft in trial.drafts for piece in draft.pieces]
    return {
        "prompt": trial.prompt.id,
        "row": trial.record.id,
        "requests": [_asked(request, answer) for request, answer in trial.asked],
        "pieces": [asdict(piece) for piece in pieces],
        "outputs": [asdict(output) for output in trial.outputs],
    }


def _asked(request: Request, answer: Response | TextCentricError) -> dict[str, Any]:
    turns = [{"role": turn.role, "text": turn.content} for turn in request.messages]
    if isinstance(answer, TextCentricError):
        return {"turns": turns, "error": str(answer)}
    return {"turns": turns, "answer": answer.text, "finish": answer.finish}


def _as_text(trial: Trial) -> str:
    front = trial.prompt.front
    lines = [f"{trial.prompt.id} v{front.version} on row {trial.record.id}"]
    shown: tuple[Message, ...] = ()
    for number, (request, answer) in enumerate(trial.asked, 1):
        lines.append(f"\n== request {number} of {len(trial.asked)}")
        new = [turn for turn in request.messages if turn not in shown]
        lines += ["(other turns as above)"] if len(new) < len(request.messages) else []
        lines += [f"[{turn.role}] {turn.content}" for turn in new]
        shown = request.messages
        if isinstance(answer, TextCentricError):
            lines.append(f"[failed] {answer}")
        else:
            lines.append(f"[model] {answer.text}")
    lines += _verdicts(trial.drafts)
    for output in trial.outputs:
        lines += _outcome(output, trial)
    return "\n".join(lines)


def _verdicts(drafts: Sequence[Draft]) -> list[str]:
    """Return a line for each piece: what it stands for, what became of it and why."""
    lines = ["\n== checks"] if drafts else []
    for piece in (piece for draft in drafts for piece in draft.pieces):
        verdict = f"dropped ({piece.reason})" if piece.reason else "kept"
        similarity = "" if piece.similarity is None else f", similarity {piece.similarity:.3f}"
        cuts = f", cut: {', '.join(piece.cuts)}" if piece.cuts else ""
        lines += [f"{verdict}{similarity}{cuts}", f"  - {piece.source}", f"  + {piece.text}"]
    return lines


def _outcome(output: Output | Failure, trial: Trial) -> list[str]:
    if isinstance(output, Failure):
        return [f"\n== {output.id}: failed at {output.stage}: {output.message}"]
    if output.prompt == "clean" and trial.drafts:
        return []  # the row itself stands in the requests
    fate = f"rejected: {output.reason}" if output.reason else "accepted"
    lines = [f"\n== {output.id}: {fate}"]
    lines += [f"scores: {output.scores}"] if output.scores != "{}" else []
    lines += [f"notes: {output.notes}"] if output.notes else []
    return [*lines, output.text]
