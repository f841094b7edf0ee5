"""Find the sentences of a text, so that a model can rewrite one and the rest stays as it is.

A line break ends a sentence too: listings are written in lines as often as in sentences. A
sentence past `LONG` words is cut at its commas, since small models lose the thread of it. Thai and
Lao have no mark for an end: there a blank between two clauses is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from textcentric.writing import STOPS, WIDE_STOPS, count_words

# Each expression begins at the first sign of a run alone, so that a long run is read once.
_END = (
    rf"(?<=[{STOPS}])[\"')\]]*+\s++(?=\S)|(?<!\s)[^\S\n]*+\n\s*+"
    rf"|[{WIDE_STOPS}]++[\"'”’)\]」』）】》〉]*+\s*+"
)
END = re.compile(_END)
# END in a text without line breaks and the stops of other scripts, thirty times as quick.
PLAIN_END = re.compile(r"[.!?…][\"')\]]*+\s++(?=\S)")
OTHER_ENDS = frozenset(f"\n{STOPS}") - frozenset(".!?…")
THAI = "[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece]"  # with Lao
CLAUSE = 12  # letters of it on each side of a blank that ends a clause, no name or number
THAI_LETTER = re.compile(THAI)
THAI_END = re.compile(rf"{_END}|(?<={THAI}{{{CLAUSE}}})\s++(?={THAI}{{{CLAUSE}}})")
ABBREVIATION = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|No|vs|approx|e\.g|i\.e)\.$")
ABBREVIATED = 10  # characters that tell an abbreviation at the end of a text
COMMA = re.compile(r"(?<=[,;:.])\s+(?=\w)|(?<=[，；：])(?=\w)")
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
    for end in _ends(text).finditer(text):
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


def _ends(text: str) -> re.Pattern[str]:
    """Return what finds the ends of sentences in `text`, the quickest that finds them all."""
    if text.isascii():
        return END if "\n" in text else PLAIN_END
    if THAI_LETTER.search(text):
        return THAI_END
    return PLAIN_END if OTHER_ENDS.isdisjoint(text) else END


def _whole(text: str, start: int, end: int) -> list[Span]:
    trimmed = _trimmed(text, start, end)
    return [trimmed] if trimmed else []


def _pieces(text: str, start: int, end: int) -> list[Span]:
    """Return the sentence between `start` and `end`, cut at commas where it is long."""
    spans: list[Span] = []
    if count_words(text[start:end]) > LONG:
        at = start
        for comma in COMMA.finditer(text, start, end):
            rest = COMMA.search(text, comma.end(), end)
            following = rest.start() if rest else end
            if count_words(text[at:following]) > PIECE:
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
