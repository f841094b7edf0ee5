"""The truest of several answers to one request.

Each candidate is judged as it would be were it the only one; of those that pass, and so change
enough, the one with the highest score of the verdict is taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from textcentric.augmentation.curation import Draft, check_meaning, check_words
from textcentric.augmentation.truth import Truth
from textcentric.augmentation.variants import Target, draft_pieces
from textcentric.engines.protocol import Response
from textcentric.prompts.prompt import Prompt

Begun = tuple[str, Response]  # the words that an answer was begun with, and the answer
Judge = Callable[[Sequence[Draft]], Awaitable[None]]  # puts reasons and scores into drafts
TRUE = "true"  # the score of the verdict


async def choose(
    prompt: Prompt,
    target: Target,
    answered: Sequence[tuple[str, Sequence[Response]]],
    facts: Sequence[str],
    judge: Judge,
) -> tuple[list[Begun], list[str]]:
    """Return an answer to each request of `target`, and what there is to note of the choice."""
    if all(len(answers) == 1 for _, answers in answered):
        return [(begin, answers[0]) for begin, answers in answered], []
    drafts = [
        [
            draft_pieces(prompt, replace(target, units=[unit]), [(begin, answer)], facts)
            for answer in answers
        ]
        for unit, (begin, answers) in zip(target.units, answered, strict=True)
    ]
    await judge([draft for of_unit in drafts for draft in of_unit])
    best = [truest(of_unit) for of_unit in drafts]
    begun = [(begin, answers[i]) for i, (begin, answers) in zip(best, answered, strict=True)]
    numbers = ", ".join(str(i + 1) for i in best)
    return begun, [f"candidate {numbers} of {max(len(answers) for _, answers in answered)}"]


def truest(drafts: Sequence[Draft]) -> int:
    """Return the place of the draft that passes with the highest score, of equal ones the first."""

    def rank(i: int) -> tuple[bool, float, int]:
        return not drafts[i].reason, drafts[i].scores.get(TRUE, 0.0), -i

    return max(range(len(drafts)), key=rank)


async def judged(truth: Truth, drafts: Sequence[Draft]) -> None:
    """Judge candidates, each as if it were the only one."""
    for draft in drafts:
        check_words(draft)
    embed = await truth.check(drafts)
    if embed is not None:
        for draft in drafts:
            check_meaning([draft], embed)
