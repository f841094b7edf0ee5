"""Predictions of rows, each line of the source in its place, and what to know of them.

Legend: N rows, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textcentric.data.balance import unread, unread_notes
from textcentric.rows import Balance
from textcentric.values import Json

if TYPE_CHECKING:
    from textcentric.methods.downstream import Predictions


@dataclass(frozen=True)
class Predicted:
    """Predictions of N rows, each line of the source in its place.

    `rule` says what decides the class where that is not the highest probability; `texts` are those
    that the model read, where they were asked for.

    `failures` says of each row why it has no prediction, "" where it has one; `faults` which of its
    files could not be read; `parts` are what the model was given of each; `balance` counts them.
    """

    ids: list[str]
    predictions: Predictions
    failures: Sequence[str]
    classes: tuple[int | str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: Sequence[Mapping[str, str]] = ()
    balance: Balance | None = None
    faults: Sequence[Sequence[str]] = ()
    rule: str = ""
    texts: Sequence[str | None] = ()

    def warnings(self) -> list[str]:
        """Return what to know of the rows, files that could not be read among it."""
        notes = [*self.notes, *unread_notes(unread(self.ids, self.faults))]
        return [*notes, *filter(None, (self._less_probable(), self._without_text()))]

    def _less_probable(self) -> str:
        """Say how many rows are of another class than their most probable one, "" for none."""
        told, known = self.predictions, [not why for why in self.failures]
        if not self.rule or told.probabilities is None:
            return ""
        likely = [self.classes[place] for place in told.probabilities.argmax(axis=1)]
        other = sum(
            ok and value != best for ok, value, best in zip(known, told.values, likely, strict=True)
        )
        if not other:
            return ""
        return (
            f"{other} of {sum(known)} rows are of another class than their most probable one:"
            f" ordered classes are decided by {self.rule} that give them their shares of the"
            " training rows; see docs/methods/downstream.md"
        )

    def _without_text(self) -> str:
        """Say how many rows have no text that the tokenizer reads as the model did."""
        lost = sum(
            not why and text is None for why, text in zip(self.failures, self.texts, strict=False)
        )
        return (
            f"{lost} rows are cut where no text reads the same, so they have none" if lost else ""
        )

    @property
    def problems(self) -> dict[str, str]:
        """Return why rows have no prediction, by id, or by "row 3" for those without one."""
        named = (row_id or f"row {at}" for at, row_id in enumerate(self.ids, 1))
        return {name: why for name, why in zip(named, self.failures, strict=True) if why}

    def rows(self) -> Iterator[dict[str, Json]]:
        """Yield one flat row for each id: prediction, score, probability of each class, problem."""
        told = self.predictions
        for at, row_id in enumerate(self.ids):
            row: dict[str, Json] = {"id": row_id, "prediction": told.values[at]}
            known = not self.failures[at]
            if self.rule:
                row["decided_by"] = self.rule if known else None
            if told.scores is not None:
                row["score"] = float(told.scores[at]) if known else None
            for place, label in enumerate(self.classes):
                assert told.probabilities is not None
                chance = float(told.probabilities[at, place]) if known else None
                row[f"probability_{label}"] = chance
            if self.texts:
                row["text"] = self.texts[at]
            yield {**row, "problem": self.failures[at] or "; ".join(self.faults[at])}
