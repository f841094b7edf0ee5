"""What a prompt may do with facts, kept: pieces that say something else leave the row's words.

Judging stands in `checks/`; here drafts are put before it, and what it says is put into them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from textcentric.augmentation.curation import Draft, Piece, texts_to_embed
from textcentric.augmentation.likelihoods import Asked, BackReader
from textcentric.augmentation.plan import Plan
from textcentric.augmentation.reweighing import Questions, judge_by, questions_of
from textcentric.checks.edit import Edit, Embed, Facts
from textcentric.checks.entailment import Entail
from textcentric.checks.meaning import texts_to_embed as texts_of_edits
from textcentric.checks.verdict import Verdict, by_rules, weighs
from textcentric.models.sentence_encoder import Encoder
from textcentric.prompts.calibration import families_of, group_of
from textcentric.prompts.prompt import Prompt, usual_facts
from textcentric.runs.shards import NOTHING

if TYPE_CHECKING:
    import numpy as np


OwnWeights: TypeAlias = Mapping[str, Questions]  # by prompt


def with_usual_facts(plan: Plan) -> tuple[Plan, list[str]]:
    """Return `plan` with what prompts are held to that do not say it, and the ids of those."""
    silent = [p for p in (*plan.derive, *plan.variants) if p.front.facts is None]
    held = [p.id for p in silent if usual_facts(p.front) is not None]
    derive, variants = (tuple(map(_held, prompts)) for prompts in (plan.derive, plan.variants))
    return replace(plan, derive=derive, variants=variants), held


def _held(prompt: Prompt) -> Prompt:
    facts = prompt.front.facts or usual_facts(prompt.front)
    if facts == prompt.front.facts:
        return prompt
    return replace(prompt, front=prompt.front.model_copy(update={"facts": facts}))


def facts_of(plan: Plan) -> dict[str, str]:
    """Return what each prompt of `plan` is held to; those that are held to nothing are left out."""
    prompts = (*plan.derive, *plan.variants)
    return {prompt.id: prompt.front.facts for prompt in prompts if prompt.front.facts}


def own_weights(plan: Plan) -> OwnWeights:
    """Return the user's own weights by the names that outputs have, the bank's by family."""
    held = {name: questions_of(fitted) for name, fitted in plan.own.items()}
    families = families_of(plan.library.bank)
    return held | {
        name: held[group] for name in families if (group := group_of(name, families)) in held
    }


def edits_of(draft: Draft) -> list[Edit]:
    """Return the pieces of `draft` that were not dropped, as the checks read them."""
    return [
        Edit(
            piece.source,
            piece.text,
            row=draft.row_text,
            facts=tuple(draft.facts),
            begin=piece.begin,
            logprob=piece.logprob,
        )
        for piece in draft.written
    ]


class Truth:
    """Judge drafts; `reader` reads sources back where `likelihoods` asks for it.

    `strict` is the precision that is asked for, None for the threshold of the weights; `own` are
    the user's own weights by prompt.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        reader: BackReader,
        own: OwnWeights | None = None,
        *,
        likelihoods: Asked = "off",
        strict: float | None = None,
        entailment: Entail | None = None,
    ):
        self.encoder = encoder
        self.entailment = entailment
        self.reader = reader
        self.own = own or {}
        # "auto" asks where it could change a verdict, which takes weights of what is read back.
        self.likelihoods = likelihoods
        self.strict = strict

    async def check(self, drafts: Sequence[Draft], *, meaning: bool = True) -> Embed | None:
        """Drop the pieces that are not true, and drafts of which nothing is left.

        Returns what holds the vectors of all that is still written and of its sources, made in
        one call; None without an encoder, and where no `meaning` is compared.
        """
        edits = {at: edits_of(draft) for at, draft in enumerate(drafts) if _asked(draft)}
        embed = await self._embedded(drafts, edits) if meaning and drafts else None
        for at, of_draft in edits.items():
            settle(drafts[at], await self._verdicts(drafts[at], of_draft, embed))
        return embed

    async def _embedded(
        self, drafts: Sequence[Draft], edits: Mapping[int, Sequence[Edit]]
    ) -> Embed | None:
        if self.encoder is None:
            return None
        texts = _compared(drafts, edits)
        vectors = dict(zip(texts, await self.encoder.embed(texts), strict=True))
        return partial(_looked_up, vectors)

    async def _verdicts(
        self, draft: Draft, edits: Sequence[Edit], embed: Embed | None
    ) -> list[Verdict]:
        front = draft.prompt.front
        facts: Facts = front.facts or "same"
        own = self.own.get(draft.prompt.id, {})
        said = partial(
            judge_by,
            own,
            facts=facts,
            legible=front.legible,
            encoder=embed,
            entailment=await self._entailed(edits),
            strict=self.strict,
        )
        if self.likelihoods == "off" or (self.likelihoods == "auto" and not _weighs_back(own)):
            return said(edits)
        return await self.reader.judged(edits, said, self.likelihoods)

    async def _entailed(self, edits: Sequence[Edit]) -> Entail | None:
        """Ask the inference model, off the event loop; what it said is then looked up."""
        if self.entailment is None:
            return None
        said = await asyncio.to_thread(self.entailment, edits)
        held = {(e.source, e.variant): one for e, one in zip(edits, said, strict=True)}
        return lambda asked: [held[edit.source, edit.variant] for edit in asked]


def _weighs_back(own: Questions) -> bool:
    return weighs("back") or any("back" in name.split() for name in own)


def settle(draft: Draft, verdicts: Sequence[Verdict]) -> None:
    """Put the verdicts on its written pieces into `draft`: reasons, and scores of what is left."""
    judged = list(zip(draft.written, verdicts, strict=True))
    for piece, verdict in judged:
        if not verdict.true:
            piece.reason = (
                verdict.reason if verdict.true is False else f"not judged: {verdict.reason}"
            )
    left = [verdict for piece, verdict in judged if not piece.reason]
    draft.scores["written"] = round(len(left) / max(1, len(draft.pieces)), 3)
    draft.scores.update(_scores(left or [verdict for _, verdict in judged]))
    if not left:
        draft.reason = NOTHING if len(draft.pieces) > 1 else _only_reason(draft.pieces)


def _compared(drafts: Sequence[Draft], edits: Mapping[int, Sequence[Edit]]) -> list[str]:
    """Return the texts whose vectors are needed, each once: none of a piece that a rule refuses."""
    texts = texts_to_embed([draft for at, draft in enumerate(drafts) if at not in edits])
    for at, of_draft in edits.items():
        front = drafts[at].prompt.front
        for piece, edit in zip(drafts[at].written, of_draft, strict=True):
            verdict = by_rules(edit, front.facts or "same", front.legible)
            if verdict is None:
                texts += texts_of_edits([edit])
            if verdict is None or verdict.true:
                texts += [piece.source, piece.text]
    return [*dict.fromkeys(texts)]


def _only_reason(pieces: Sequence[Piece]) -> str:
    return pieces[0].reason if pieces else NOTHING


def _scores(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Return the lowest score, and of each part the mean."""
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    held: dict[str, float] = {"true": min(scores)} if scores else {}
    if len(verdicts) == 1:
        return held | {name: round(value, 3) for name, value in verdicts[0].parts.items()}
    for name in dict.fromkeys(name for verdict in verdicts for name in verdict.parts):
        values = [verdict.parts[name] for verdict in verdicts if name in verdict.parts]
        held[name] = round(sum(values) / len(values), 3)
    return held


def _asked(draft: Draft) -> bool:
    """Say whether to judge a draft: one that is held to something, and that no rule made."""
    front = draft.prompt.front
    return not draft.reason and front.facts is not None and front.writes_by != "rule"


def _looked_up(vectors: Mapping[str, np.ndarray], texts: Sequence[str]) -> np.ndarray:
    import numpy as np

    return np.stack([vectors[text] for text in texts])
