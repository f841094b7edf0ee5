"""The program of one row: describe, derive (align, summarise, reason), perturb, curate.

Rows never wait for each other, and within a row only what reads another stage's text waits for
it: all requests of a row are sent together, so that they share its text as a prefix.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from textcentric.augmentation.answers import Answers
from textcentric.augmentation.candidates import choose, judged
from textcentric.augmentation.curation import (
    Draft,
    check_meaning,
    check_words,
    drop_repeats,
)
from textcentric.augmentation.description import Described, Describer
from textcentric.augmentation.likelihoods import Asked, BackReader
from textcentric.augmentation.picks.statements import Table
from textcentric.augmentation.picks.summary import by_rule
from textcentric.augmentation.plan import Plan, asks_model, derive_seed
from textcentric.augmentation.requests import RequestBuilder, keys_of
from textcentric.augmentation.rules import ruled
from textcentric.augmentation.truth import Truth, own_weights
from textcentric.augmentation.variants import (
    Target,
    aim,
    assemble,
    draft_pieces,
    explained,
    with_cells,
)
from textcentric.augmentation.waiting import ROW_ERRORS, all_of
from textcentric.augmentation.written import (
    Clean,
    Derived,
    Written,
    absent_part,
    failure_of,
    piece_details,
    piece_notes,
    why_rejected,
)
from textcentric.checks.entailment import Entail
from textcentric.checks.likelihood import back_reading
from textcentric.engines.candidates import candidates
from textcentric.engines.protocol import Request, Response
from textcentric.engines.reasoning import SPENT
from textcentric.errors import DataError, RequestError
from textcentric.models.sentence_encoder import Encoder
from textcentric.prompts.prompt import Prompt
from textcentric.rows import DERIVED, Record, TextRow
from textcentric.runs.columns import Failure, Output, dump, output_id
from textcentric.values import JsonSchema, Variables
from textcentric.writing import joined

CUT, MOST_CUTS = 0.75, 12
NOT_LISTED = "language not listed"  # by the model: why nothing was asked
UNFIT = {"schema": "not in the form asked for", "reasoning": SPENT}  # answers, by kind of error
OWN_TEXT = ("row", "rest", "part", "variant")  # what may be cut where a prompt is too long
Answer = TypeVar("Answer")
_Answered = tuple[list[Request], str, list[Response], list[str]]  # asked, begin, answers, notes


Observe = Callable[[Sequence[Draft]], None]


class RowFlow:
    """Run the program of one row after another; holds no state of any row.

    `columns` are the statements that each column of the data makes, for picks of a value.
    `observe` is shown the drafts of a row once they are judged; `judging` asks the judge where
    that is another model.
    """

    def __init__(
        self,
        plan: Plan,
        describer: Describer,
        answers: Answers,
        builder: RequestBuilder,
        encoder: Encoder | None,
        *,
        dataset: str,
        reason_about: Variables,
        truncate: bool = False,
        columns: Mapping[str, Sequence[str]] | None = None,
        likelihoods: Asked = "off",
        strict: float | None = None,
        entailment: Entail | None = None,
        observe: Observe = lambda drafts: None,
        judging: RowFlow | None = None,
    ):
        self.plan = plan
        self.describer = describer
        self.answers = answers
        self.builder = builder
        self.encoder = encoder
        self.dataset = dataset
        self.reason_about = reason_about
        self.truncate = truncate
        self.columns = columns or {}
        self.observe = observe
        self.judging = judging or self
        reader = BackReader(answers, builder.fingerprint, back_reading)
        own = own_weights(plan)
        self.truth = Truth(
            encoder, reader, own, likelihoods=likelihoods, strict=strict, entailment=entailment
        )

    async def run(self, record: Record) -> list[Output | Failure]:
        """Return every output owed for `record`, each accepted, rejected or failed."""
        wanted = self.plan.wanted(record)
        try:
            described = await self._describe(record)
            described = await self._align(described)
        except ROW_ERRORS as error:
            stage = "describe" if isinstance(error, DataError) else "align"
            return [failure_of(record, *output, stage, error) for output in self.plan.owed(record)]
        return await self._perturbed(record, described, wanted)

    async def _perturbed(
        self, record: Record, described: Described, wanted: Sequence[tuple[Prompt, int]]
    ) -> list[Output | Failure]:
        deriving = asyncio.ensure_future(self._derive(described))
        writing = [
            self._rule(record, described, prompt, n)
            if prompt.front.rule
            else self._write(described, prompt, n, deriving)
            for prompt, n in wanted
        ]
        derived, *written = await all_of([deriving, *writing])
        drafts = [one for one in written if isinstance(one, Written)]
        await self._curate(described, drafts)
        self.observe([one.draft for one in drafts])
        outputs: list[Output | Failure] = []
        if isinstance(derived, ROW_ERRORS):
            outputs.append(failure_of(record, "clean", 0, "derive", derived))
        else:
            outputs.append(self._clean_output(record, described, derived))
        for (prompt, sample), one in zip(wanted, written, strict=True):
            if isinstance(one, Written):
                outputs.append(one.failure(record) or self._output(record, described, one))
            else:
                stage = "derive" if one is derived else "perturb"
                outputs.append(failure_of(record, prompt.id, sample, stage, one))
        return outputs

    async def _describe(self, record: Record) -> Described:
        self.answers.metrics.describing += 1
        try:
            return await self.describer.describe(record)
        finally:
            self.answers.metrics.describing -= 1

    async def _align(self, described: Described) -> Described:
        """Tell each modality in one manner, where an `align` prompt was chosen.

        A part whose retelling fails its checks stays as the expert wrote it, which is noted.
        """
        for prompt in self.plan.derive:
            if prompt.front.stage != "align" or described.foreign:
                continue
            names = list(described.row.parts)
            told = await all_of([self._derived_text(prompt, described, {}, n) for n in names])
            for name, one in zip(names, told, strict=True):
                if isinstance(one, ROW_ERRORS):
                    raise one
                row = described.row.with_part(name, one.text) if one.text else described.row
                described = replace(described, row=row, notes=(*described.notes, *one.notes))
        return described

    async def _derive(self, described: Described) -> Clean:
        """Add the derived parts; what fails its checks is left out, noted and counted."""
        clean = Clean(described.row, [], [])
        for prompt in self.plan.derive:
            if prompt.front.stage == "align":
                continue
            if described.foreign and asks_model(prompt):
                clean.add(prompt, Derived("", [], [], NOT_LISTED))
                continue
            known = {k: v for k, v in clean.row.parts.items() if k in DERIVED}
            clean.add(prompt, await self._derived_text(prompt, described, known))
        return clean

    def _aim(
        self, prompt: Prompt, described: Described, seed: int, modality: str | None = None
    ) -> Target:
        table = Table(described.statements, self.columns) if prompt.front.pick else Table()
        target = aim(prompt, described.row, random.Random(seed), modality, table)
        return with_cells(target, prompt, described.cells, self.plan.labels)

    async def _derived_text(
        self,
        prompt: Prompt,
        described: Described,
        known: Mapping[str, str],
        modality: str | None = None,
    ) -> Derived:
        row, part = described.row, modality or prompt.front.writes
        seed = derive_seed(self.plan.seed, row.id, prompt.id, 0)
        target = self._aim(prompt, described, seed, modality)
        variables = {**target.variables, **known, **self.reason_about}
        if prompt.front.rule:
            text = by_rule(prompt.front.rule, row, Table(described.statements))
            return Derived(text, [], []) if text else absent_part(part, "nothing to take")
        if prompt.front.answer_schema:
            value, asked, notes = await self._json(prompt, variables, seed)
            draft = explained(prompt, target, value["explanation"], described.facts)
            await self.truth.check([draft], meaning=False)
            text = f"Prediction: {value['prediction']}."
            if draft.reason:
                return absent_part("explanation", why_rejected(draft), asked, notes, text)
            return Derived(f"{text} {value['explanation']}", asked, notes)
        draft, asked, notes = await self._draft(prompt, target, variables, seed, described.facts)
        check_words(draft)
        await self.truth.check([draft], meaning=False)
        if draft.reason:
            return absent_part(part, why_rejected(draft), asked, notes)
        parts = assemble(row, target, draft).parts
        text = parts.get(target.part) or parts["text"]
        return Derived(text, asked, notes + piece_notes(draft))

    async def _write(
        self,
        described: Described,
        prompt: Prompt,
        sample: int,
        deriving: asyncio.Future[Clean],
    ) -> Written:
        """Ask for one variant; raises RequestError where any of its requests fails."""
        row = described.row
        seed = derive_seed(self.plan.seed, row.id, prompt.id, sample)
        target = self._aim(prompt, described, seed)
        if not target.units or described.foreign:
            reason = NOT_LISTED if described.foreign else target.reason
            draft = Draft(prompt, target.row_text, [], reason=reason)
            return Written(draft, target, seed, sample)
        known: Mapping[str, str] = {}
        if not set(DERIVED).isdisjoint(prompt.front.reads):
            known = (await asyncio.shield(deriving)).row.parts
        try:
            variables = {**target.variables, **known}
            drafted = await self._draft(prompt, target, variables, seed, described.facts)
        except RequestError as error:
            if error.kind not in UNFIT:
                raise
            draft = Draft(prompt, target.row_text, [], reason=UNFIT[error.kind])
            return Written(draft, target, seed, sample)
        draft, asked, notes = drafted
        return Written(draft, target, seed, sample, asked, notes)

    async def _rule(
        self, record: Record, described: Described, prompt: Prompt, sample: int
    ) -> Written:
        """Make one variant by rule: no model is asked."""
        seed = derive_seed(self.plan.seed, record.id, prompt.id, sample)
        made, draft, target = await ruled(prompt, record, described, self.describer, seed)
        return Written(draft, target, seed, sample, made=made)

    async def _draft(
        self, prompt: Prompt, target: Target, variables: Variables, seed: int, facts: Sequence[str]
    ) -> tuple[Draft, list[Request], list[str]]:
        """Return what the model wrote, the truest of its candidates; what was asked, and notes."""
        answered = await self._ask_units(prompt, target, variables, seed)
        told = [(begin, answers) for _, begin, answers, _ in answered]
        begun, chosen = await choose(prompt, target, told, facts, partial(judged, self.truth))
        asked = [request for one in answered for request in one[0]]
        notes = [*chosen, *(note for *_, notes in answered for note in notes)]
        return draft_pieces(prompt, target, begun, facts), asked, notes

    async def _ask_units(
        self, prompt: Prompt, target: Target, variables: Variables, seed: int
    ) -> list[_Answered]:
        """Send the requests of `target` together; raises the first error of a row's own."""
        answered = await all_of(
            [
                self._ask(prompt, {**variables, **unit.variables}, seed + i, unit.choices())
                for i, unit in enumerate(target.units)
            ]
        )
        for one in answered:
            if isinstance(one, ROW_ERRORS):
                raise one
        return answered

    async def _ask(
        self, prompt: Prompt, variables: Variables, seed: int, choices: JsonSchema | None
    ) -> _Answered:
        send = partial(self._answer, prompt.front.candidates) if choices is None else self._pick
        begin, told, notes = await self._fitted(prompt, variables, seed, send, choices)
        return told[0], begin, told[1], notes

    async def _fitted(
        self,
        prompt: Prompt,
        variables: Variables,
        seed: int,
        send: Callable[[Request], Awaitable[Answer]],
        schema: JsonSchema | None = None,
    ) -> tuple[str, Answer, list[str]]:
        """Send one request; a row that is too long is cut, never the instruction, if allowed."""
        cuts = 0
        while True:
            request, begin = self.builder.build(prompt, variables, seed, schema)
            try:
                answer = await send(request)
            except RequestError as error:
                if error.kind != "too_long" or not self.truncate or cuts == MOST_CUTS:
                    raise
                cuts += 1
                variables = {
                    k: _cut(v) if isinstance(v, str) and k in OWN_TEXT else v
                    for k, v in variables.items()
                }
                continue
            notes = (
                [f"row cut to {CUT**cuts:.0%} of its characters to fit the model"] if cuts else []
            )
            return begin, answer, notes

    async def _answer(self, k: int, request: Request) -> tuple[list[Request], list[Response]]:
        """Return the `k` answers; under a schema one, a list of sentences, here joined."""
        if request.schema is None:
            return candidates(request, k), await self.answers.several(request, k)
        value, asked = await self.answers.ask_json(request)
        return asked, [Response(joined(value))]

    async def _pick(self, request: Request) -> tuple[list[Request], list[Response]]:
        """Return the pick as JSON; nothing where the model picked outside of its choices."""
        try:
            picked, asked = await self.answers.ask_json(request)
        except RequestError as error:
            if error.kind not in UNFIT:
                raise
            spent = error.kind == "reasoning"
            nothing = Response("", "length", reasoning=SPENT) if spent else Response("")
            return [request], [nothing]
        return asked, [Response(dump(picked))]

    async def _json(
        self, prompt: Prompt, variables: Variables, seed: int
    ) -> tuple[dict[str, Any], list[Request], list[str]]:
        _, (value, asked), notes = await self._fitted(
            prompt, variables, seed, self.answers.ask_json
        )
        return value, asked, notes

    async def _curate(self, described: Described, drafts: Sequence[Written]) -> None:
        """Judge the drafts of one row: by words, by meaning, against each other, by a judge."""
        inner = [one.draft for one in drafts]
        for draft in inner:
            if not draft.reason:
                check_words(draft)
        embed = await self.truth.check(inner)
        if embed is not None:
            check_meaning(inner, embed)
        for one in drafts:
            one.row = described.row if one.draft.reason else one.assembled(described.row)
        drop_repeats(inner, [one.row.text() for one in drafts], described.row.text())
        if self.plan.judge is not None:
            await all_of([self._judge(described, one) for one in drafts if not one.draft.reason])
        for one in drafts:
            if one.draft.reason:
                one.row = one.assembled(described.row, rejected=True)

    async def _judge(self, described: Described, one: Written) -> None:
        assert self.plan.judge is not None
        variables = {"row": described.row.text(), "variant": one.row.text()}
        try:
            verdict, asked, notes = await self.judging._json(self.plan.judge, variables, one.seed)
        except ROW_ERRORS as error:
            one.judge_error = error
            return
        one.asked += asked
        one.notes += notes
        one.draft.scores["judge"] = float(verdict["verdict"] == "yes")
        if verdict["verdict"] != "yes":
            one.draft.reason = "label changed"

    def _output(self, record: Record, described: Described, one: Written) -> Output:
        prompt, draft = one.draft.prompt, one.draft
        return self._row_output(
            record,
            described,
            one.row,
            prompt=prompt.id,
            sample=one.sample,
            prompt_digest=prompt.digest,
            sampling=None if prompt.front.rule else self.builder.sampling(prompt),
            seed=one.seed,
            request_key=keys_of(one.asked),
            scores=draft.scores,
            notes="; ".join([*described.notes, *one.notes, *one.target.notes, *piece_notes(draft)]),
            reason=why_rejected(draft),
            details=tuple(piece_details(draft)),
        )

    def _clean_output(self, record: Record, described: Described, clean: Clean) -> Output:
        return self._row_output(
            record,
            described,
            clean.row,
            prompt="clean",
            sample=0,
            prompt_digest=" ".join(prompt.digest for prompt in self.plan.derive) or None,
            sampling=None,
            seed=None,
            request_key=keys_of(clean.asked),
            scores={},
            notes="; ".join([*described.notes, *clean.notes]),
            details=tuple(clean.details),
        )

    def _row_output(
        self, record: Record, described: Described, row: TextRow, **values: Any
    ) -> Output:
        engine = self.builder.fingerprint if values["request_key"] else {}
        return Output(
            id=output_id(record.id, values["prompt"], values["sample"]),
            source_id=record.id,
            dataset=self.dataset,
            split=record.split,
            group=record.group,
            target=record.target,
            source_text=described.row.text(),
            text=row.text(),
            parts=row.parts,
            model=engine.get("model") or None,
            model_revision=engine.get("model_revision") or None,
            experts=described.experts,
            **values,
        )


def _cut(value: str) -> str:
    return value[: int(len(value) * CUT)]
