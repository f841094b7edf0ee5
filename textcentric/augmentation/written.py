"""What a row gave on its way: the clean text, variants with what they took, failures, notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from textcentric.augmentation.curation import Draft
from textcentric.augmentation.variants import Target, assemble
from textcentric.engines.protocol import Request
from textcentric.errors import RequestError
from textcentric.prompts.prompt import Prompt
from textcentric.rows import Record, TextRow
from textcentric.runs.columns import Failure, output_id
from textcentric.runs.journal import ABSENT, PIECE, WRITTEN, Detail
from textcentric.runs.shards import NOTHING, kind, with_pieces


@dataclass(slots=True)
class Clean:
    """The row without perturbation, what its derived parts took, and which were written."""

    row: TextRow
    asked: list[Request]
    notes: list[str]
    details: list[Detail] = field(default_factory=list)

    def add(self, prompt: Prompt, made: Derived) -> None:
        """Add what `prompt` wrote, and count whether it did."""
        self.asked += made.asked
        self.notes += made.notes
        absent = kind(made.absent)
        self.details.append((prompt.id, ABSENT if absent else WRITTEN, absent))
        if made.text:
            self.row = self.row.with_part(prompt.front.writes, made.text)


@dataclass(slots=True)
class Derived:
    """What a prompt wrote into the clean row, and why it, or its explanation, is `absent`."""

    text: str
    asked: list[Request]
    notes: list[str]
    absent: str = ""


@dataclass(slots=True)
class Written:
    """One variant on its way, and what it took."""

    draft: Draft
    target: Target
    seed: int
    sample: int
    asked: list[Request] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    row: TextRow = field(init=False)  # once its pieces are judged
    judge_error: Exception | None = None
    made: TextRow | None = None  # by a rule

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


def absent_part(
    part: str, why: str, asked: Sequence[Request] = (), notes: Sequence[str] = (), text: str = ""
) -> Derived:
    """Return a part that is absent, all but `text` of an explanation; a note says why."""
    return Derived(text, [*asked], [*notes, f"{part} not written: {why}"], why)


def piece_notes(draft: Draft) -> list[str]:
    """Say what was cut, and which sentences stayed as the row has them."""
    notes = [f"cut: {cut}" for piece in draft.pieces for cut in piece.cuts]
    notes += [piece.note for piece in draft.pieces if piece.note and not piece.reason]
    kept = refused(draft)
    if kept and not draft.reason:
        written = len(draft.pieces) - kept.total()
        reasons = ", ".join(sorted(kept))
        notes.append(f"{written} of {len(draft.pieces)} sentences rewritten (others: {reasons})")
    return notes


def refused(draft: Draft) -> Counter[str]:
    """Return why pieces were refused, and how many for each reason."""
    return Counter(piece.reason for piece in draft.pieces if piece.reason)


def why_rejected(draft: Draft) -> str:
    """Return the reason of a draft; of one in which nothing is left, with those of its pieces."""
    return with_pieces(draft.reason, refused(draft)) if draft.reason == NOTHING else draft.reason


def piece_details(draft: Draft) -> Iterator[Detail]:
    """Yield what the journal counts of the pieces of a draft in which nothing is left."""
    for piece in draft.pieces if draft.reason == NOTHING else ():
        if piece.reason:
            yield draft.prompt.id, PIECE, piece.reason
