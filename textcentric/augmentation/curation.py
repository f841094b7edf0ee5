"""Check what a model wrote before it counts: cut what is not part of it, then keep or drop.

A draft is a variant in the making; its pieces are what the model wrote, each beside the text of
the row that it stands for. Nothing here writes text: a piece is cut, kept or dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from textcentric.checks.edit import Embed
from textcentric.prompts.prompt import Checks, Prompt

if TYPE_CHECKING:
    import numpy as np

PREAMBLE = re.compile(
    r"^\W*((?:sure|certainly|of course)\b|here(?:'s| is| are)|okay,? here"
    r"|the (?:rewritten|revised|new|changed|shortened|edited) (?:sentence|listing|text|version)"
    r"|(?:re-?written|revised|edited|listing|sentence|output|answer|note|example|original"
    r"|new sentence|task|step|instructions?|typos|short|shorter|reordered"
    r"|opposite|message|reworded|other words|incorrect sentence|type: review)\s*\d*\s*:"
    r"|dear\b|hello\b|bien sûr|this (?:is a classic example|listing (?:can be|provides|is about))"
    r"|answer with the new text|no, i (?:will|have)\b|\[(?:insert|your))",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial|language model|assistant)\b"
    r"|^\W*(?:i'm|i am) (?:sorry|unable|not able)"
    r"|\bi (?:cannot|can't|can not) (?:help|assist|provide|fulfil|answer|do that|rewrite)"
    r"|\bi apologi[sz]e\b|\bmy (?:training|knowledge) (?:data|cutoff)\b",
    re.IGNORECASE,
)
# Every refusal holds one of these: a search for them is ten times as quick as the expression.
REFUSAL_HINTS = (
    *("as a a", "as an a", "as a l", "as an l", "i'm ", "i am ", "i can", "i apologi"),
    *("my training ", "my knowledge "),
)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
WORD = re.compile(r"\w+(?:['’]\w+)*")
SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”)]*(?=\s|$)")
QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("*", "*"), ("«", "»"))
GRAM, ECHO = 6, 5  # words: a run that may not come three times; a run taken from the instruction


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
    if draft.prompt.front.rule:
        return ""  # no model wrote it, so it is no preamble, refusal or loop
    checks, text, source = draft.prompt.front.checks, piece.text, piece.source
    words = _words(text)
    if draft.prompt.front.writes_by == "pick":  # the row's own words and listed ones
        same = text == source
        return "unchanged" if same else _check_size(checks, len(words), len(_words(source)))
    if len(words) <= len(_words(piece.begin)):
        return "empty"
    if PREAMBLE.match(text) and not PREAMBLE.match(source):
        return "preamble"
    if _refuses(text) and not _refuses(source):
        return "refusal"
    if words == (before := _words(source)):
        return "unchanged"
    if _loops(text, words):
        return "loop"
    if len(words) >= ECHO and _echoes(words, draft):
        return "instruction echoed"
    return (
        _check_size(checks, len(words), len(before))
        or _check_change(checks, words, before)
        or _check_numbers(checks, piece, draft)
    )


def _refuses(text: str) -> bool:
    """Say whether `text` declines to answer; most texts hold none of the words that takes."""
    if text.isascii():  # beyond ASCII, letters fold into these in ways that only `re` knows
        lower = text.lower()
        if not any(hint in lower for hint in REFUSAL_HINTS):
            return False
    return REFUSAL.search(text) is not None


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
            piece.reason = _check_similarity(draft.prompt.front.checks, piece.similarity)
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
    circles = _goes_in_circles(source)
    for draft, text in zip(drafts, texts, strict=True):
        normal = " ".join(text.split())
        if not draft.reason and normal in seen:
            draft.reason = "identical to source or sibling"
        if not draft.reason and not circles and _goes_in_circles(text):
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


def _check_size(checks: Checks, words: int, before: int) -> str:
    if checks.words and not checks.words[0] <= words <= checks.words[1]:
        return "too short" if words < checks.words[0] else "too long"
    if checks.length and before:
        ratio = words / before
        if ratio < checks.length[0]:
            return "too short"
        if ratio > checks.length[1]:
            return "too long"
    return ""


def _check_change(checks: Checks, words: Sequence[str], before: Sequence[str]) -> str:
    """Say whether too little or too much of the wording changed, or the order not at all."""
    if checks.new_words is not None:
        known = set(before)
        share = sum(word not in known for word in words) / len(words)
        if share < checks.new_words[0]:
            return "copied"
        if share > checks.new_words[1]:
            return "foreign words"
    if checks.moved is not None and _moved(words, before) < checks.moved:
        return "order unchanged"
    return ""


def _moved(words: Sequence[str], before: Sequence[str]) -> float:
    """Return the share of neighbours among the shared words whose order is not the source's."""
    places = {word: i for i, word in enumerate(before) if before.count(word) == 1}
    order = [places[word] for word in words if word in places]
    steps = list(pairwise(order))
    return sum(second < first for first, second in steps) / max(1, len(steps))


def _check_numbers(checks: Checks, piece: Piece, draft: Draft) -> str:
    if checks.new_numbers is None:
        return ""
    found = set(NUMBER.findall(piece.text))
    if len(found) > checks.new_numbers:
        found -= set(NUMBER.findall(draft.row_text))
    return "numbers invented" if len(found) > checks.new_numbers else ""


def _check_similarity(checks: Checks, cosine: float) -> str:
    if checks.similarity is None:
        return ""
    low, high = checks.similarity
    if cosine < low:
        return "drifted from source"
    return "too near the source" if cosine > high else ""


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


def _facts(draft: Draft, source: str) -> set[str]:
    """Return the numbers and table values that stand in `source`."""
    source = source.casefold()
    return set(NUMBER.findall(source)) | {fact for fact in draft.facts if fact in source}


def _loops(text: str, words: tuple[str, ...]) -> bool:
    """Say whether the same sentence or the same run of six words comes three times."""
    if not _thrice(words):
        return False  # not even one word comes three times
    if _thrice(list(zip(*(words[i:] for i in range(GRAM)), strict=False))):
        return True
    sentences = _sentences(text)
    if len(sentences) < 3:
        return len(words) > 8 and max(Counter(words).values()) > 0.6 * len(words)
    return _thrice([sentence for sentence in sentences if sentence])


def _goes_in_circles(row_text: str) -> bool:
    """Say so of a whole row; most of its sentences were split into words for a sibling already."""
    return _loops(row_text, tuple(chain.from_iterable(_sentences(row_text))))


def _sentences(text: str) -> list[tuple[str, ...]]:
    """Return the words of each sentence; a line break ends one too."""
    return [_words(end) for end in SENTENCE_END.split(text.replace("\n", ".\n"))]


def _thrice(things: Sequence[Hashable]) -> bool:
    """Say whether anything comes three times; mostly the number of repeats alone says no."""
    if len(things) - len(set(things)) < 2:
        return False
    return max(Counter(things).values()) >= 3


def _echoes(words: tuple[str, ...], draft: Draft) -> bool:
    """Say whether five words in a row come from the prompt and not from the row."""
    grams = set(_grams(words))
    taken = grams & _prompt_grams(draft.prompt.body, draft.prompt.instruction or "")
    return bool(taken) and not taken <= set(_grams(_words(draft.row_text)))


@lru_cache(maxsize=4096)
def _prompt_grams(body: str, instruction: str) -> frozenset[tuple[str, ...]]:
    lines = [*re.split(r"\{[{%].*?[%}]\}|\n", body), instruction]
    return frozenset(gram for line in lines for gram in _grams(_words(line)))


def _grams(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[i:] for i in range(ECHO)), strict=False)


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return tuple(WORD.findall(normal.lower()))
