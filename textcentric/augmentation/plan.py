"""What a run asks of every row: prompts by stage, variants, a judge; and the seed of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from textcentric.augmentation.classes import Shares, check_classes, shares
from textcentric.augmentation.config import AugmentConfig
from textcentric.data.named_columns import table_labels
from textcentric.data.rows import Rows
from textcentric.errors import PromptError, option
from textcentric.prompts.calibration import Reading
from textcentric.prompts.columns import columns_read, unknown_columns
from textcentric.prompts.fitted import Fitted
from textcentric.prompts.library import PromptLibrary
from textcentric.prompts.lint import lint
from textcentric.prompts.prompt import Prompt
from textcentric.rows import CLEAN, DERIVED, Record

CAPTION, JUDGE = "caption/photo", "judge/label-kept"


@dataclass(frozen=True)
class Plan:
    """What is wanted of every row: stages in order, variants, and who judges them."""

    derive: tuple[Prompt, ...]
    variants: tuple[Prompt, ...]
    judge: Prompt | None
    library: PromptLibrary
    samples: int = 1
    perturb: str = "train"
    seed: int = 0
    # What was read of each prompt or family of the bank, what was left out for it, and readings
    # that were made with something else.
    read: Mapping[str, Reading | None] = field(default_factory=dict)
    left_out: tuple[Reading, ...] = ()
    misfits: Mapping[str, str] = field(default_factory=dict)
    # Weights of the user's own, and why some are not used.
    own: Mapping[str, Fitted] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # of columns that prompts read
    shares: Shares | None = None  # of classes, over `samples`

    def wanted(self, record: Record) -> list[tuple[Prompt, int]]:
        """Return the variants owed for `record`: none outside the training split by default."""
        if not self.perturbs(record):
            return []
        return [
            (self._drawn(prompt, record.id, sample), sample)
            for prompt in self.variants
            for sample in range(self.shares.of(record) if self.shares else self.samples)
        ]

    def owed(self, record: Record) -> list[tuple[str, int]]:
        """Return prompt and sample of every output of `record`, the clean row first."""
        return [(CLEAN, 0), *((prompt.id, sample) for prompt, sample in self.wanted(record))]

    def perturbs(self, record: Record) -> bool:
        """Say whether `record` gets variants: not outside the training split by default."""
        return self.perturb != "train" or record.split in (None, "train")

    def _drawn(self, prompt: Prompt, row_id: str, sample: int) -> Prompt:
        if prompt.front.stage != "bank":
            return prompt
        return self.library.from_bank(prompt, derive_seed(self.seed, row_id, "bank", sample))

    @property
    def asks(self) -> bool:
        """Say whether any prompt asks a model: rules do not."""
        prompts = (*self.derive, *self.variants, *([self.judge] if self.judge else []))
        return any(asks_model(prompt) for prompt in prompts)

    @property
    def picks(self) -> bool:
        """Say whether any prompt has its answer kept to a JSON schema."""
        prompts = (*self.derive, *self.variants)
        return any(prompt.front.pick or prompt.front.answer_schema for prompt in prompts)

    def requests_per_row(self) -> int:
        """Return about how many requests a row makes."""
        units = sum(
            p.front.candidates * ((p.front.take or 1) if p.front.each == "sentence" else 1)
            for p in filter(asks_model, self.variants)
        )
        judged = len(self.variants) if self.judge else 0
        derived = sum(p.front.candidates for p in filter(asks_model, self.derive))
        samples = round(self.shares.mean) if self.shares else self.samples
        return derived + samples * (units + judged)


def derive_seed(seed: int, row_id: str, prompt: str, sample: int) -> int:
    """Return the seed of one output (31 bits): of run, row, prompt and sample, nothing else."""
    text = f"{seed}\0{row_id}\0{prompt}\0{sample}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") >> 1


def make_plan(config: AugmentConfig, library: PromptLibrary) -> Plan:
    """Choose the prompts of a run; raises PromptError for one that could never be rendered."""
    chosen = library.select(config.prompts)
    stages: dict[str, list[Prompt]] = {}
    for prompt in chosen:
        stages.setdefault(prompt.front.stage, []).append(prompt)
    if config.summarize and any(map(asks_model, chosen)):
        stages.setdefault("summarize", library.select("summarize"))
    if config.judge_model:
        stages.setdefault("judge", [library[JUDGE]])
    derive = tuple(p for s in ("align", "summarize", "reason") for p in stages.get(s, ()))
    variants = tuple(
        fewer_sentences(prompt, config.sentences)
        for stage in ("adversarial", "rule", "bank")
        for prompt in stages.get(stage, ())
    )
    derive, variants = (
        tuple(with_candidates(prompt, config) for prompt in prompts)
        for prompts in (derive, variants)
    )
    check_derived(derive, variants)
    check_names(variants)
    for prompt in (*derive, *variants, *stages.get("judge", ())):
        check_prompt(prompt)
    judges = stages.get("judge", [])
    return Plan(
        derive=derive,
        variants=variants,
        judge=judges[0] if judges else None,
        library=library,
        samples=config.samples,
        perturb=config.perturb,
        seed=config.seed,
    )


def asks_model(prompt: Prompt) -> bool:
    """Say whether a prompt is put to a language model."""
    return prompt.front.rule is None


def fewer_sentences(prompt: Prompt, most: int | None) -> Prompt:
    """Return a prompt that rewrites at most `most` sentences of a row, one request each."""
    front = prompt.front
    if most is None or front.each != "sentence":
        return prompt
    take = min(most, front.take or most)
    return replace(prompt, front=front.model_copy(update={"take": take}))


def with_candidates(prompt: Prompt, config: AugmentConfig) -> Prompt:
    """Return a prompt of free answers with the candidates that `config` asks for.

    Raises PromptError where there is no choice: at temperature 0 all answers are the same.
    """
    front = prompt.front
    if front.writes_by != "text" or front.answer_schema:
        return prompt
    count = front.candidates if config.candidates is None else config.candidates
    warmth = front.sampling.temperature if config.temperature is None else config.temperature
    if count > 1 and warmth == 0:
        raise PromptError(
            f"prompt {prompt.id} is asked for {count} candidates at temperature 0, where all"
            " answers are the same; expected a temperature above 0, or one candidate",
            prompt=prompt.id,
        )
    return replace(prompt, front=front.model_copy(update={"candidates": count}))


def check_derived(derive: Sequence[Prompt], variants: Sequence[Prompt]) -> None:
    """Raise PromptError where a prompt reads a derived part that no prompt before it writes."""
    written: set[str] = set()
    for prompt in (*derive, *variants):
        missing = [n for n in DERIVED if n in prompt.front.reads and n not in written]
        if missing:
            add = f"add it to {option('prompts')}"
            off = f"leave out {option('summarize', False)}"
            how = off if missing[0] == "summary" else add
            raise PromptError(
                f"prompt {prompt.id} reads {missing[0]!r}, but no prompt of this run writes it"
                f" first (written: {', '.join(sorted(written)) or 'nothing'}); take one that does"
                f" ({how}), or leave {prompt.id} out of {option('prompts')}",
                prompt=prompt.id,
                variable=missing[0],
            )
        if prompt in derive and prompt.front.stage != "align":
            written.add(prompt.front.writes)


def check_names(variants: Sequence[Prompt]) -> None:
    """Raise PromptError where a prompt is called like the end of another, or like the clean row.

    Outputs are called row/prompt/sample, and a row may have a slash in its id.
    """
    names = [CLEAN, *(prompt.id for prompt in variants)]
    for long in names:
        for short in names:
            if long.endswith(f"/{short}"):
                raise PromptError(
                    f"prompt {long} ends as {short} is called, so that outputs of two rows could"
                    " have one id; rename one of the two",
                    prompt=long,
                )


def with_columns(plan: Plan, rows: Rows) -> Plan:
    """Return `plan` with the columns of `rows` that its prompts read.

    Raises PromptError, with the nearest name, for what is no column of the table: the target, the
    id and columns kept out are none.
    """
    prompts = (*plan.derive, *plan.variants)
    if not any(columns_read(prompt.front.reads) for prompt in prompts):
        return plan
    labels = table_labels(rows)
    for prompt in prompts:
        for problem in unknown_columns(prompt.front, labels):
            raise PromptError(f"prompt {prompt.id}: {problem}", prompt=prompt.id)
    return replace(plan, labels=labels)


def with_shares(plan: Plan, config: AugmentConfig, rows: Rows) -> Plan:
    """Return `plan` with the variants of each class of `rows`, where these are to be counted.

    Raises ConfigError where rows have no classes.
    """
    if config.per_class is None and not config.balance:
        return plan
    check_classes(rows.schema.task)
    drawn = (
        (derive_seed(plan.seed, record.id, "class", 0), record)
        for record in rows
        if plan.perturbs(record)
    )
    return replace(plan, shares=shares(drawn, samples=plan.samples, per_class=config.per_class))


def check_prompt(prompt: Prompt) -> None:
    """Raise PromptError where a prompt cannot work with any row."""
    for problem in lint(prompt):
        if problem.startswith(("unknown variable", "has no", "prompt ", "block ", "column")):
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
