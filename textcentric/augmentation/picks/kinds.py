"""The kinds of picks by name, as the front matter of a prompt says them."""

from __future__ import annotations

import random
from collections.abc import Callable

from textcentric.augmentation.picks.marks import marks
from textcentric.augmentation.picks.omission import omission
from textcentric.augmentation.picks.question import Question
from textcentric.augmentation.picks.statements import Table
from textcentric.augmentation.picks.summary import summary
from textcentric.augmentation.picks.values import values
from textcentric.augmentation.picks.words import words
from textcentric.prompts.prompt import Prompt
from textcentric.rows import TextRow

MOST_PICKS = 4  # of one variant, where the prompt does not say
Ask = Callable[[TextRow, str, Table, int, random.Random], list[Question]]
KINDS: dict[str, Ask] = {
    "word": words,
    "mark": lambda row, part, table, take, rng: marks(row, part, take, rng),
    "sentence": lambda row, part, table, take, rng: summary(row, table),
    "fact": lambda row, part, table, take, rng: omission(row, table, take, rng),
    "value": lambda row, part, table, take, rng: values(row, table, take, rng),
}


def questions(
    prompt: Prompt, row: TextRow, part: str, table: Table, rng: random.Random
) -> list[Question]:
    """Return what `prompt` asks the model to pick for a variant of `row`."""
    take = prompt.front.take or MOST_PICKS
    return KINDS[str(prompt.front.pick)](row, part, table, take, rng)
