"""Find the sentences of a text, so that a model can rewrite one and the rest stays as it is.

A line break ends a sentence too: listings are written in lines as often as in sentences. A
sentence past `LONG` words is cut at its commas, since small models lose the thread of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# Each expression begins at the first sign of a run alone, so that a long run is read once.
END = re.compile(r"(?<=[.!?…])[\"')\]]*+\s++(?=\S)|(?<!\s)[^\S\n]*+\n\s*+|(?<=[。！？])")
# END in a text without line breaks and full-width stops, thirty times as quick.
PLAIN_END, OTHER_ENDS = re.compile(r"[.!?…][\"')\]]*+\s++(?=\S)"), frozenset("\n。！？")
ABBREVIATION = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|No|vs|approx|e\.g|i\.e)\.$")
ABBREVIATED = 10  # characters that tell an abbreviation at the end of a text
COMMA = re.compile(r"(?<=[,;:.])\s+(?=\w)")
LONG, PIECE = 30, 22  # words
Span = tuple[int, int]


def sentence_spans(text: str, *, whole: bool = False) -> list[Span]:
    """Return (start, end) of each sentence of `text`, without the space around it.

    With `whole`, long sentences are not cut at their commas.

    >>> text = "Dr. Lee has a cat. It is calm!\\nCall me"
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['Dr. Lee has a cat.', 'It is calm!', 'Call me']
    """
    return list(_spans(text, whole))


@lru_cache(maxsize=1024)
def _spans(text: str, whole: bool) -> tuple[Span, ...]:
    """Find the sentences of a text once, though several prompts of its row ask for them."""
    spans: list[Span] = []
    cut = _whole if whole else _pieces
    start = 0
    for end in (PLAIN_END if OTHER_ENDS.isdisjoint(text) else END).finditer(text):
        if "\n" not in end.group() and _abbreviated(text, start, end):
            continue
        spans += cut(text, start, end.end())
        start = end.end()
    return (*spans, *cut(text, start, len(text)))


def _abbreviated(text: str, start: int, end: re.Match[str]) -> bool:
    """Say whether the sentence from `start` ends with an abbreviation, so that it goes on."""
    stop = end.start() + len(end.group().rstrip())
    return ABBREVIATION.search(text[max(start, stop - ABBREVIATED) : stop]) is not None


def splice(text: str, replacements: Sequence[tuple[Span, str]]) -> str:
    """Return `text` with each span replaced; spans are in order and do not overlap.

    >>> splice("One. Two.", [((0, 4), "Uno.")])
    'Uno. Two.'
    """
    pieces, at = [], 0
    for (start, end), new in replacements:
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def _whole(text: str, start: int, end: int) -> list[Span]:
    trimmed = _trimmed(text, start, end)
    return [trimmed] if trimmed else []


def _pieces(text: str, start: int, end: int) -> list[Span]:
    """Return the sentence between `start` and `end`, cut at commas where it is long."""
    spans: list[Span] = []
    if len(text[start:end].split()) > LONG:
        at = start
        for comma in COMMA.finditer(text, start, end):
            rest = COMMA.search(text, comma.end(), end)
            following = rest.start() if rest else end
            if len(text[at:following].split()) > PIECE:
                spans.append((at, comma.start()))
                at = comma.end()
        start = at
    spans.append((start, end))
    return [trimmed for span in spans if (trimmed := _trimmed(text, *span))]


def _trimmed(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    if not re.search(r"\w", piece):
        return None
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())
