"""Preferences made from an `augment` run: the clean text before its damaged variants.

What the other parts of the row say (its picture, its table) is the description by which a reward
model can tell the true text from the damaged one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from textcentric.data.pairs.layouts import fault
from textcentric.data.pairs.loading import PairSet
from textcentric.data.tables.left_out import LeftOut
from textcentric.errors import DataError, Say
from textcentric.prompts.prompt import LABELS
from textcentric.reading.selection import Only, select
from textcentric.rows import MODALITIES, Example, Pair

RESPONSE = "text"  # the part that is chosen or rejected
PROMPT = "Describe what is offered."


def pairs_of_run(
    run: str | Path, only: Only | None = None, say: Say = lambda line: None
) -> PairSet:
    """Return a pair for every accepted variant of a row whose text differs from the clean one.

    With `only`, of those that were read and true, or are believed; `say` is told what is left.
    Raises DataError where there is none.
    """
    run = Path(run)
    left_out = LeftOut()
    selection = select(run, only, labels=LABELS)
    if selection.words:
        say(selection.words)
    pairs = [pair for example in selection.examples for pair in _of(example, left_out)]
    if not pairs:
        raise DataError(
            f"run {run} has no variant whose {RESPONSE} differs from that of its row: nothing can"
            " be preferred; augment with prompts that change it, such as adversarial/noise"
        )
    lines = len(pairs) + left_out.total()
    return PairSet(pairs, run.name, "run", left_out, lines)


def _of(example: Example, left_out: LeftOut) -> Iterator[Pair]:
    described = {
        name: text
        for name, text in example.parts.items()
        if name != RESPONSE and name in MODALITIES
    }
    for number, variant in enumerate(example.variants):
        pair = Pair(
            id=f"{example.id}/{number}",
            prompt=PROMPT,
            chosen=example.parts.get(RESPONSE, ""),
            rejected=variant.get(RESPONSE, ""),
            descriptions=described,
            group=example.group or example.id,
            split=example.split,
        )
        if why := fault(pair):
            left_out.add(why, text=f"pair {pair.id}")
        else:
            yield pair
