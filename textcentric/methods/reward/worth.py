"""What held-out pairs show of a reward model: is it better than chance, and than length alone?

Legend: N pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textcentric.metrics.intervals import FEW, Figure, Resampled
from textcentric.rows import Pair
from textcentric.values import Json

CHANCE = 0.5


@dataclass(frozen=True, slots=True)
class Worth:
    """Accuracy on held-out pairs beside that of a rule of length, and by how much it is above it.

    The rule takes the shorter response, or the longer one, whichever is chosen more often where
    the model learnt. Intervals are 95 %, bootstrap over `groups`.
    """

    pairs: int
    groups: int
    accuracy: Figure
    rule: str
    length: Figure
    above_length: Figure

    def note(self) -> str:
        """Return why the accuracy shows nothing, with its intervals; "" where it shows something.

        Nothing is shown where there are fewer than `FEW` groups, and where the interval of the
        accuracy holds chance, or that of the difference from the rule of length holds 0, or lies
        below.
        """
        told = f"accuracy {_shown(self.accuracy)} on {self.pairs:,} pairs"
        beside = f"choosing the {self.rule} response alone: {_shown(self.length)}"
        if few := too_few(self.groups, "prompts or groups"):
            return f"{told} shows nothing: {few} ({beside})"
        if self.accuracy["interval"][0] <= CHANCE:
            return f"{told} is not shown to be better than chance, {CHANCE} ({beside})"
        if self.above_length["interval"][0] <= 0:
            return (
                f"{told} is not shown to be better than length alone: {beside}, the difference"
                f" {_shown(self.above_length, '+.3f')}"
            )
        return ""

    def figures(self) -> dict[str, Json]:
        """Return the figures as JSON values."""
        return {
            "pairs": self.pairs,
            "groups": self.groups,
            "accuracy": _plain(self.accuracy),
            "length_alone": {"rule": f"the {self.rule} response", **_plain(self.length)},
            "above_length": _plain(self.above_length),
        }


def worth(differences: np.ndarray, pairs: Sequence[Pair], rule: str) -> Worth:
    """Return what rewards chosen - rejected (N,) of `pairs` show beside a rule of length.

    `rule` is "shorter" or "longer".
    """
    groups = [question(pair) for pair in pairs]
    drawn = Resampled(len(pairs), groups=groups)
    sign = -1 if rule == "shorter" else 1
    accuracy = drawn.mean(right(differences))
    length = drawn.mean(right(sign * length_only(pairs)))
    return Worth(
        len(pairs),
        len(set(groups)),
        accuracy.figure(),
        rule,
        length.figure(),
        (accuracy - length).figure(),
    )


def rule_of_length(pairs: Sequence[Pair]) -> str:
    """Return which response is chosen more often: the "shorter" one or the "longer" one."""
    return "shorter" if np.sign(length_only(pairs)).sum() < 0 else "longer"


def length_only(pairs: Sequence[Pair]) -> np.ndarray:
    """Return by how many characters the chosen response is the longer one (N,)."""
    return np.array([len(pair.chosen) - len(pair.rejected) for pair in pairs], float)


def right(differences: np.ndarray) -> np.ndarray:
    """Return 1 where a difference (N,) is above 0, 0.5 where it is 0, else 0."""
    found: np.ndarray = (differences > 0) + 0.5 * (differences == 0)
    return found


def question(pair: Pair) -> str:
    """Return what pairs must share to belong together: their group, or all that is asked of both.

    Pairs without a group belong together where prompt and descriptions are the same; one without
    any of these stands alone.
    """
    if pair.group is not None:
        return f"group {pair.group}"
    asked = (pair.prompt.strip(), *sorted(pair.descriptions.items()))
    return f"prompt {asked}" if any(asked) else f"pair {pair.id}"


def too_few(count: int, what: str) -> str:
    """Say that an interval over so few of `what` is not to be believed, "" where they are enough.

    >>> too_few(3, "prompts")
    'an interval over 3 prompts is too narrow to be believed, 30 are the fewest'
    """
    if count >= FEW:
        return ""
    return f"an interval over {count} {what} is too narrow to be believed, {FEW} are the fewest"


def _plain(figure: Figure) -> dict[str, Json]:
    return {"value": figure["value"], "interval": [*figure["interval"]]}


def _shown(figure: Figure, form: str = ".3f") -> str:
    low, high = figure["interval"]
    return f"{figure['value']:{form}} [{low:{form}}, {high:{form}}]"
