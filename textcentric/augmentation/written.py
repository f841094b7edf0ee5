"""What a row gave on its way: the clean text, variants with what they took, failures, notes."""

from __future__ import annotations

from dataclasses import dataclass

from textcentric.augmentation.curation import Draft
from textcentric.augmentation.truth import NOTHING
from textcentric.augmentation.variants import Target, assemble
from textcentric.engines.protocol import Request
from textcentric.errors import RequestError
from textcentric.rows import Record, TextRow
from textcentric.runs.shards import Failure, output_id


@dataclass(slots=True)
class Clean:
    """The row without perturbation, and what its derived parts took."""

    row: TextRow
    asked: list[Request]
    notes: list[str]


@dataclass(slots=True)
class Written:
    """One variant on its way, and what it took."""

    draft: Draft
    target: Target
    seed: int
    sample: int
    asked: list[Request] = None  # type: ignore[assignment]
    notes: list[str] = None  # type: ignore[assignment]
    row: TextRow = None  # type: ignore[assignment]
    judge_error: Exception | None = None
    made: TextRow | None = None  # by a rule

    def __post_init__(self) -> None:
        self.asked = self.asked or []
        self.notes = self.notes or []

    def assembled(self, row: TextRow, *, rejected: bool = False) -> TextRow:
        """Return the variant of `row`; a `rejected` one shows all that was written."""
        return self.made or assemble(row, self.target, self.draft, rejected=rejected)

    def failure(self, record: Record) -> Failure | None:
        """Return the failure of the judge, if it failed."""
        if self.judge_error is None:
            return None
        return failure_of(record, self.draft.prompt.id, self.sample, "judge", self.judge_error)


def failure_of(record: Record, prompt: str, sample: int, stage: str, error: Exception) -> Failure:
    """Return the failure of one output of a row at a stage."""
    kind = error.kind if isinstance(error, RequestError) else type(error).__name__
    attempts = error.attempts if isinstance(error, RequestError) else 1
    name = output_id(record.id, prompt, sample)
    return Failure(name, record.id, prompt, sample, stage, kind, str(error), attempts)


def piece_notes(draft: Draft) -> list[str]:
    """Say what was cut, and which sentences stayed as the row has them."""
    notes = [f"cut: {cut}" for piece in draft.pieces for cut in piece.cuts]
    notes += [piece.note for piece in draft.pieces if piece.note and not piece.reason]
    kept = [piece.reason for piece in draft.pieces if piece.reason]
    if kept and draft.reason in ("", NOTHING):
        written = len(draft.pieces) - len(kept)
        reasons = ", ".join(sorted(set(kept)))
        notes.append(f"{written} of {len(draft.pieces)} sentences rewritten (others: {reasons})")
    return notes
