"""`textcentric prompts expand`: the model writes more instructions for a bank of the user's.

Each request shows instructions of one family, drawn by seed, and asks for the next one. A weak
model repeats and rambles, so every line is checked, and what was dropped is counted by reason.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.plan import derive_seed
from textcentric.augmentation.requests import RequestBuilder
from textcentric.checks.answer import PREAMBLE, REFUSAL
from textcentric.checks.words import WORD
from textcentric.engines.protocol import Engine, Response
from textcentric.errors import ConfigError, EngineError, PromptError, RequestError, Say, unknown
from textcentric.models.packaged import packaged_encoder
from textcentric.models.sentence_encoder import Encoder, SentenceEncoder
from textcentric.prompts.library import Instruction, PromptLibrary
from textcentric.prompts.prompt import Checks, Prompt

if TYPE_CHECKING:
    import numpy as np

PROMPT = "expand/instructions"
BANK = "instructions.jsonl"
SHOWN = 6  # instructions of a family that a request shows
ROUNDS = 4  # times that what is missing is asked for again
BULLET = re.compile(r"^[\s\-*•\d.):]+")
STATEMENT = re.compile(r"(?:the|a|an|this|that|these|it|i|you|he|she|we|they|my|your)\b", re.I)


@dataclass
class Expansion:
    """What came of it: instructions asked for and kept, and why lines were dropped."""

    wanted: int
    asked: int = 0
    kept: list[Instruction] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def bank_families(library: PromptLibrary, family: str | None) -> dict[str, list[Instruction]]:
    """Return the bank's instructions by family; of `family` alone where one is named."""
    families: dict[str, list[Instruction]] = {}
    for entry in library.bank:
        families.setdefault(entry.family, []).append(entry)
    if family is None:
        return families
    if family not in families:
        raise PromptError(unknown("family of instructions", family, families))
    return {family: families[family]}


def open_encoder(config: AugmentConfig, say: Say) -> SentenceEncoder | None:
    """Return the packaged encoder; without it lines are compared by their words only."""
    if not config.embeddings:
        return None
    try:
        return SentenceEncoder(str(packaged_encoder()))
    except (ConfigError, EngineError) as error:
        say(f"instructions are compared by words only: {error}")
        return None


async def expanded(
    config: AugmentConfig,
    library: PromptLibrary,
    families: dict[str, list[Instruction]],
    number: int,
    encoder: SentenceEncoder | None,
    engine: Engine,
) -> Expansion:
    """Ask for `number` more instructions, round after round, and keep those that are new."""
    found = Expansion(number)
    prompt = library[PROMPT]
    builder = RequestBuilder(
        engine.fingerprint(), temperature=config.temperature, max_tokens=config.max_tokens
    )
    sieve = Sieve(prompt.front.checks, library.bank, encoder)
    try:
        for _ in range(ROUNDS):
            missing = number - len(found.kept)
            if not missing:
                break
            asking = [
                _ask(engine, builder, prompt, families, config.seed, found.asked + i)
                for i in range(missing)
            ]
            found.asked += missing
            answers = await asyncio.gather(*asking)
            await sieve.sift(answers, families, found)
    finally:
        await engine.close()
        if encoder is not None:
            encoder.close()
    return found


async def _ask(
    engine: Engine,
    builder: RequestBuilder,
    prompt: Prompt,
    families: dict[str, list[Instruction]],
    seed: int,
    attempt: int,
) -> tuple[str, Response | RequestError]:
    """Ask for one more instruction of a family drawn by seed; return the family and the answer."""
    draw = derive_seed(seed, PROMPT, "expand", attempt)
    rng = random.Random(draw)
    family = rng.choice(sorted(families))
    known = [entry.instruction for entry in families[family]]
    examples = rng.sample(known, min(SHOWN, len(known)))
    request, _ = builder.build(prompt, {"examples": examples}, draw)
    try:
        return family, await engine.generate(request)
    except RequestError as error:
        return family, error


class Sieve:
    """Let through the lines that are instructions and say something new."""

    def __init__(self, checks: Checks, bank: Sequence[Instruction], encoder: Encoder | None):
        self.checks = checks
        self.encoder = encoder
        self.texts = {normal(entry.instruction): entry.instruction for entry in bank}
        self._vectors: np.ndarray | None = None  # (B, D), unit vectors of `texts`

    async def sift(
        self,
        answers: Sequence[tuple[str, Response | RequestError]],
        families: dict[str, list[Instruction]],
        found: Expansion,
    ) -> None:
        """Add what is kept of `answers` to `found`, and count what is dropped."""
        for family, answer in answers:
            if isinstance(answer, RequestError):
                found.dropped[f"failed ({answer.kind})"] += 1
                continue
            for text in lines_of(answer):
                reason = self.by_words(text) or await self._by_meaning(text)
                if reason or len(found.kept) >= found.wanted:
                    found.dropped[reason or "more than asked for"] += 1
                    continue
                self.texts[normal(text)] = text
                found.kept.append(_entry(text, families[family]))

    def by_words(self, text: str) -> str:
        """Return why `text` is no new instruction, judged by its words; empty if it may be one."""
        words = WORD.findall(text)
        low, high = self.checks.words or (1, 60)
        if PREAMBLE.match(text):
            return "preamble"
        if REFUSAL.search(text):
            return "refusal"
        if not low <= len(words) <= high:
            return "too short" if len(words) < low else "too long"
        odd = text.count('"') % 2 or text.endswith((":", "?"))
        if odd or not text[0].isalpha() or STATEMENT.match(text):
            return "not an instruction"
        return "known already" if normal(text) in self.texts else ""

    async def _by_meaning(self, text: str) -> str:
        if self.encoder is None:
            return ""
        import numpy as np

        if self._vectors is None:
            self._vectors = await self.encoder.embed(list(self.texts.values()))
        (vector,) = await self.encoder.embed([text])
        low, high = self.checks.similarity or (-1.0, 1.0)
        nearest = float((self._vectors @ vector).max(initial=low))
        if not low <= nearest <= high:
            return "means the same as another" if nearest > high else "like no other instruction"
        self._vectors = np.vstack([self._vectors, vector])
        return ""


def lines_of(answer: Response) -> list[str]:
    """Return the lines of an answer without bullets; a last line that was cut off is left out.

    >>> lines_of(Response("- Leave out the verbs.\\n2. Tell it backwar", finish="length"))
    ['Leave out the verbs.', '']
    """
    lines = [BULLET.sub("", line).strip(" \"'“”") for line in answer.text.strip().split("\n")]
    if answer.finish == "length":
        lines[-1] = ""
    return lines


def normal(text: str) -> str:
    """Return the words of `text` in lower case: what makes two instructions the same."""
    return " ".join(WORD.findall(text.casefold()))


def _entry(text: str, family: Sequence[Instruction]) -> Instruction:
    """Return the bank's line; nobody has looked at its effect on the label, so that is unsure."""
    like = family[0]
    changes = all(entry.label == "changes" for entry in family)
    digest = blake2b(normal(text).encode(), digest_size=4).hexdigest()
    return Instruction(
        id=f"expanded-{like.family}-{digest}",
        family=like.family,
        kind=like.kind,
        label="changes" if changes else "unsure",
        writes=like.writes,
        instruction=text,
    )
