"""Check what a model wrote before it counts: cut what is not part of it, then keep or drop.

A draft is a variant in the making; its pieces are what the model wrote, each beside the text of
the row that it stands for. Nothing here writes text: a piece is cut, kept or dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textcentric.checks.answer import (
    SENTENCE_END,
    answer_fault,
    goes_in_circles,
    pick_fault,
    similarity_fault,
)
from textcentric.checks.edit import Edit, Embed
from textcentric.checks.numbers import figures
from textcentric.prompts.prompt import Prompt

if TYPE_CHECKING:
    import numpy as np

MOST_FACTS = 1000  # of a text that are looked for in another
QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("*", "*"), ("«", "»"), ("「", "」"), ("『", "』"))


@dataclass(slots=True)
class Piece:
    """What stands in for `source`: the model's `text`, why it was dropped, what was cut.

    `begin` are the source's own first words, from which the model went on; `logprob` is the mean
    log-probability of what it wrote, before any cut, as far as the engine says; `note` says what
    a pick changed.
    """

    source: str
    text: str
    begin: str = ""
    reason: str = ""
    cuts: tuple[str, ...] = ()
    similarity: float | None = None
    logprob: float | None = None
    note: str = ""


@dataclass(slots=True)
class Draft:
    """One variant before it counts."""

    prompt: Prompt
    row_text: str
    pieces: list[Piece]
    facts: Sequence[str] = ()
    reason: str = ""
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def written(self) -> list[Piece]:
        """Return the pieces that were not dropped."""
        return [piece for piece in self.pieces if not piece.reason]


def trim(answer: str, finish: str, *, sentences: int | None = None) -> tuple[str, tuple[str, ...]]:
    """Cut the wrapping of an answer; return the text and what was cut.

    Quotation marks around all of it go, and an unfinished end where the token limit struck;
    with `sentences`, so does what follows that many sentences on the first line.
    """
    text, cuts = answer.strip(), []
    if sentences is not None:
        text = text.split("\n", 1)[0].strip()
    for opening, closing in QUOTES:
        if len(text) > 1 and text[0] == opening and text[-1] == closing:
            text = text[1:-1].strip()
            cuts.append("quotation marks")
    if finish == "length":
        ends = [end.end() for end in SENTENCE_END.finditer(text)]
        text = text[: ends[-1]] if ends else ""
        cuts.append("unfinished end")
    if sentences is not None:
        ends = [end.end() for end in SENTENCE_END.finditer(text)]
        if len(ends) > sentences and text[ends[sentences - 1] :].strip():
            text = text[: ends[sentences - 1]]
            cuts.append("further sentences")
    return text, tuple(cuts)


def check_piece(piece: Piece, draft: Draft) -> str:
    """Return why `piece` cannot count, judged by its words alone; empty if it can."""
    front = draft.prompt.front
    if front.rule:
        return ""  # no model wrote it, so it is no preamble, refusal or loop
    edit = Edit(piece.source, piece.text, row=draft.row_text, begin=piece.begin)
    if front.writes_by == "pick":
        return pick_fault(edit, front.checks)
    return answer_fault(edit, front.checks, (draft.prompt.body, draft.prompt.instruction or ""))


def check_words(draft: Draft) -> None:
    """Drop the pieces of `draft` whose words are at fault; set its scores and its reason."""
    for piece in draft.pieces:
        piece.reason = piece.reason or check_piece(piece, draft)
    _settle(draft)


def check_meaning(drafts: Sequence[Draft], embed: Embed) -> None:
    """Drop pieces that drifted from their source, then drafts that repeat an earlier sibling.

    `embed` returns the unit vectors (B, D) of texts, here of those that `texts_to_embed` lists.
    """
    kept: list[np.ndarray] = []
    for draft in drafts:
        written = [] if draft.reason else draft.written
        if not written:
            continue
        after = embed([piece.text for piece in written])
        before = embed([piece.source for piece in written])
        for piece, cosine in zip(written, (after * before).sum(axis=1), strict=True):
            piece.similarity = round(float(cosine), 4)
            piece.reason = similarity_fault(draft.prompt.front.checks, piece.similarity)
        _settle(draft)
        if not draft.reason:
            _check_sibling(draft, after[[not p.reason for p in written]].mean(axis=0), kept)


def texts_to_embed(drafts: Iterable[Draft]) -> list[str]:
    """List, draft by draft, the written texts and then their sources."""
    texts: list[str] = []
    for draft in drafts:
        written = [] if draft.reason else draft.written
        texts += [piece.text for piece in written] + [piece.source for piece in written]
    return texts


def drop_repeats(drafts: Sequence[Draft], texts: Sequence[str], source: str) -> None:
    """Drop drafts whose whole text equals the source or an accepted sibling, or goes in circles.

    White space aside. Sentences rewritten one by one may each be sound and say the same.
    """
    seen = {" ".join(source.split())}
    circles = goes_in_circles(source)
    for draft, text in zip(drafts, texts, strict=True):
        normal = " ".join(text.split())
        if not draft.reason and normal in seen:
            draft.reason = "identical to source or sibling"
        if not draft.reason and not circles and goes_in_circles(text):
            draft.reason = "loop"
        if not draft.reason:
            seen.add(normal)


def _settle(draft: Draft) -> None:
    """Give `draft` its scores and, if too little of it was written well, its reason."""
    written, checks = draft.written, draft.prompt.front.checks
    share = len(written) / max(1, len(draft.pieces))
    draft.scores["written"] = round(share, 3)
    least = checks.min_written if draft.prompt.front.facts is None else 0.0
    if not written or share < least:
        draft.reason = _commonest(draft.pieces)
        return
    similarities = [p.similarity for p in written if p.similarity is not None]
    if similarities:
        draft.scores["similarity"] = round(sum(similarities) / len(similarities), 4)
    facts = _facts(draft, " ".join(p.source for p in written))
    if facts:
        text = " ".join(p.text for p in written).casefold()
        kept = sum(fact in text for fact in facts) / len(facts)
        draft.scores["facts"] = round(kept, 3)
        if checks.kept_facts is not None and kept < checks.kept_facts:
            draft.reason = "facts lost"


def _commonest(pieces: Sequence[Piece]) -> str:
    reasons = Counter(piece.reason for piece in pieces if piece.reason)
    return reasons.most_common(1)[0][0] if reasons else "nothing to write on"


def _check_sibling(draft: Draft, vector: np.ndarray, kept: list[np.ndarray]) -> None:
    """Drop `draft` if its written text means the same as an accepted sibling's."""
    limit = draft.prompt.front.checks.sibling
    length = float((vector @ vector) ** 0.5)
    vector = vector / length if length else vector
    nearest = max((float(vector @ other) for other in kept), default=0.0)
    draft.scores["sibling"] = round(nearest, 4)
    if limit is not None and nearest > limit:
        draft.reason = "near-duplicate of a sibling"
    else:
        kept.append(vector)


def _facts(draft: Draft, source: str) -> frozenset[str]:
    """Return the numbers and table values that stand in `source`."""
    source = source.casefold()
    found = figures(source) | {fact for fact in draft.facts if fact in source}
    return found if len(found) <= MOST_FACTS else frozenset(sorted(found)[:MOST_FACTS])
