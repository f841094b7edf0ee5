"""Back-reading: how likely the source becomes, given the variant, where the verdict is in doubt.

How likely the variant is, given the source, comes with the answer and costs nothing more. This
costs a request a piece, so it is asked for only where it could change a verdict: with vLLM on a
CPU about as much as writing the piece, since vLLM passes its prefix cache by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from textcentric.augmentation.answers import Answers
from textcentric.checks.back_reading import Turns, read_back
from textcentric.checks.edit import Edit
from textcentric.checks.likelihood import back_reading
from textcentric.checks.pairs import undecided
from textcentric.checks.verdict import Verdict

Asked = Literal["auto", "off", "all"]
Judge: TypeAlias = Callable[[Sequence[Edit]], list[Verdict]]


class BackReader:
    """Ask the engine behind `answers` how likely sources are, given their variants.

    `fingerprint` is the engine's, `turns` says with which words it is asked.
    """

    def __init__(
        self,
        answers: Answers,
        fingerprint: Mapping[str, str],
        turns: Callable[[Edit], Turns] = back_reading,
    ):
        self.answers = answers
        self.fingerprint = fingerprint
        self.turns = turns

    async def judged(self, edits: Sequence[Edit], judge: Judge, asked: Asked) -> list[Verdict]:
        """Return the verdicts of `judge`; those in doubt, or `all`, once more with `Edit.back`."""
        verdicts = judge(edits)
        doubtful = [i for i, verdict in enumerate(verdicts) if _worth_asking(verdict, asked)]
        if not doubtful:
            return verdicts
        read = await self.read([edits[i] for i in doubtful])
        for i, verdict in zip(doubtful, judge(read), strict=True):
            verdicts[i] = verdict
        return verdicts

    async def read(self, edits: Sequence[Edit]) -> list[Edit]:
        """Return `edits` with `back` where the engine can say it; raises what `Answers` raises."""
        return await read_back(edits, self.fingerprint, self.answers.likelihood, self.turns)


def _worth_asking(verdict: Verdict, asked: Asked) -> bool:
    """Say whether to read back: nothing that no check can judge, and nothing where it is off."""
    if asked == "off" or verdict.score is None:
        return False
    return asked == "all" or undecided(verdict)
