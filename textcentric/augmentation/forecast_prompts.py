"""The prompts of a plan on some of its rows: what a model would read, before any model runs."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import Silences
from textcentric.augmentation.plan import Plan, asks_model, derive_seed
from textcentric.augmentation.variants import aim, with_cells
from textcentric.augmentation.words import in_words
from textcentric.data.rows import Rows
from textcentric.data.schema import question
from textcentric.engines.protocol import Engine, Message
from textcentric.errors import DataError, Say
from textcentric.prompts.prompt import Prompt
from textcentric.rows import DERIVED, Record, TextRow
from textcentric.values import Json

SAMPLED = 5  # rows that are put into words
CHARACTERS = 4  # of a token, where the engine cannot count
BY_THE_MODEL = "({} of the row: the model writes it during the run)"
Rendered = tuple[Message, ...]


def sampled_rows(
    config: AugmentConfig, plan: Plan, dataset: Rows, say: Say
) -> list[tuple[Record, TextRow]]:
    """Return the first rows that are perturbed, in words; the first of all where none is.

    Raises DataError where no row can be put into words.
    """
    if config.image_expert == "vlm":
        say("pictures: the model describes them in a run; here only their look is told")
        config = config.model_copy(update={"image_expert": "pixels"})
    perturbed = (record for record in dataset if plan.wanted(record))
    rows = _described(config, dataset, perturbed, SAMPLED, say)
    rows = rows or _described(config, dataset, dataset, 1, say)
    if not rows:
        raise DataError(
            f"no row of {dataset.name} can be put into words; see `textcentric data check`"
        )
    return rows


def _described(
    config: AugmentConfig, dataset: Rows, records: Iterable[Record], most: int, say: Say
) -> list[tuple[Record, TextRow]]:
    silences = Silences()
    with closing(in_words(config, dataset, records, say=say)) as rows:
        spoken = ((record, described) for record, described in rows if described is not None)
        taken = list(islice(spoken, most))
    for _, described in taken:
        silences.look(described)
    for line in silences.lines():
        say(line)
    return [(record, described.row) for record, described in taken]


def first_prompt(plan: Plan, dataset: Rows, record: Record, row: TextRow) -> dict[str, Json]:
    """Return the first prompt that has something to write on in `row`, rendered."""
    variants = [prompt for prompt, _ in plan.wanted(record)] or plan.variants
    for prompt in (*variants, *plan.derive):
        for messages in rendered(plan, prompt, row, dataset, record):
            turns = [{"role": turn.role, "text": turn.content} for turn in messages]
            return {"prompt": prompt.id, "row": row.id, "turns": turns}
    return {"prompt": None, "row": row.id, "turns": []}


def tokens_a_request(
    plan: Plan, dataset: Rows, rows: Iterable[tuple[Record, TextRow]], engine: Engine | None
) -> dict[str, float]:
    """Return the mean prompt tokens of a request of each prompt that `rows` give something to do.

    Where `engine` cannot count them, a token is taken to be four characters.
    """
    counts: dict[str, list[int]] = {}
    for record, row in rows:
        judges = [plan.judge] if plan.judge else []
        for prompt in (*plan.derive, *(prompt for prompt, _ in plan.wanted(record)), *judges):
            for messages in rendered(plan, prompt, row, dataset, record):
                counts.setdefault(prompt.id, []).append(_tokens(messages, engine))
    return {prompt: sum(of) / len(of) for prompt, of in counts.items()}


def rendered(
    plan: Plan, prompt: Prompt, row: TextRow, dataset: Rows, record: Record
) -> Iterator[Rendered]:
    """Yield what `prompt` asks of `row`, request by request; what the model writes is named."""
    if not asks_model(prompt):
        return
    if prompt.front.stage == "bank":
        prompt = plan.library.from_bank(prompt, derive_seed(plan.seed, row.id, "bank", 0))
    rng = random.Random(derive_seed(plan.seed, row.id, prompt.id, 0))
    told = next(iter(row.parts)) if prompt.front.stage == "align" else None
    cells = record.inputs.get("table") or {}
    target = with_cells(aim(prompt, row, rng, told), prompt, cells, plan.labels)
    written = {name: BY_THE_MODEL.format(name) for name in DERIVED} | {"variant": row.text()}
    for unit in target.units:
        known = {**written, **target.variables, **question(dataset.schema), **unit.variables}
        yield tuple(Message(role, text) for role, text in prompt.render(known).turns)


def _tokens(messages: Rendered, engine: Engine | None) -> int:
    counted = engine.count_tokens(messages) if engine is not None else None
    if counted is None:
        return math.ceil(sum(len(message.content) for message in messages) / CHARACTERS)
    return counted
