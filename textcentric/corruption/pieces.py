"""The pieces of a value: its words, columns, labels or statements, and what is left without some.

A sift walks over a value, asks `keep` once for each piece, always in the same order, and returns
the value without the pieces that go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.experts.clean import clean_text
from textcentric.experts.sentences import sentence_spans
from textcentric.experts.table import is_missing
from textcentric.values import Cell, Cells
from textcentric.writing import SOUTHEAST

Keep = Callable[[], bool]  # does the next piece stay?
Sift = Callable[[Any, Keep], Any]  # from a value to one of its kind
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_STOPS = "\u3001-\u303f\uff01-\uff0f\uff1a-\uff20"  # full-width punctuation goes with its sign
# Chinese and Japanese put no space between words: each sign counts as one. Of Thai and its
# neighbours four letters do, with the vowels and tones that stand on the last.
_VOWELS = (
    "\u0e30-\u0e3a\u0e45\u0e47-\u0e4e\u0eb0-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059"
    "\u17b4-\u17d3"
)
_WORD = re.compile(rf"[{_CJK}][{_STOPS}]*|[{SOUTHEAST}]{{1,4}}[{_VOWELS}]*|[^\s{_CJK}{SOUTHEAST}]+")
# `Label: ` as the table expert writes it: no small letter first, no end of a sentence inside.
_LABEL = r"[^\sa-z:](?:(?![.!?…]\s)[^:\n]){0,59}: "
_STATEMENT = re.compile(rf"{_LABEL}.*?(?:[.!?…](?=\s+{_LABEL})|$)|{_WORD.pattern}")
# What the image experts write around a caption: `2 photos. Seen: cat (0.99), eye (0.80).
# Colours: mainly grey, then brown and white. Light: dark.`
_COUNT = re.compile(r"\d+ photos?(?:, \d+ of them described)?\.")
_SIGHT = re.compile(
    rf"(?P<count>^{_COUNT.pattern})"
    r"|Seen: (?P<seen>.{1,999}?\(\d\.\d\d\))\.(?=\s|$)"
    r"|Colours: (?P<colours>[^.\n]{1,999}+)\."
    r"|(?:Light|Sharpness|Size|Frames): [^.\n]{1,999}+\."
    rf"|{_WORD.pattern}"
)


def sift_words(text: str, keep: Keep) -> str:
    """Keep words; a line that loses all its words goes with them.

    >>> answers = iter([True, False, False, True])
    >>> sift_words("one two\\nthree\\nfour", answers.__next__)
    'one\\nfour'
    """
    return _by_line(text, _WORD, lambda word: word[0] if keep() else " ")


def sift_sentences(text: str, keep: Keep) -> str:
    """Keep sentences of the text as its expert reads it; an emptied line goes with its own.

    >>> answers = iter([True, False, True])
    >>> sift_sentences("She is calm. Call me!\\nThank you", answers.__next__)
    'She is calm.\\nThank you'
    """
    text = clean_text(text)
    left: list[str] = []
    before, new_line = 0, False  # has a line ended since the last sentence that stays?
    for start, end in sentence_spans(text, whole=True):
        new_line = new_line or "\n" in text[before:start]
        before = end
        if keep():
            spaced = text[start - 1 : start].isspace()  # Chinese sentences are not
            left += ["\n" if new_line else " " * spaced] if left else []
            left.append(text[start:end])
            new_line = False
    return "".join(left)


def sift_statements(text: str, keep: Keep) -> str:
    """Keep statements `Label: value.` of a table in words; words where there is no label."""
    return _by_line(text, _STATEMENT, lambda found: found[0] if keep() else " ")


def sift_sights(text: str, keep: Keep) -> str:
    """Keep labels, colours, looks and a caption's words; the count of photos stays with them."""
    left = _by_line(text, _SIGHT, lambda found: _sight(found, keep))
    return "" if _COUNT.fullmatch(left) else left


def sift_columns(cells: Cells, keep: Keep) -> dict[str, Cell]:
    """Keep columns that hold a value; the others become None, as if they were missing.

    Where none is left the table is empty.
    """
    left = {label: value if is_missing(value) or keep() else None for label, value in cells.items()}
    return {} if all(map(is_missing, left.values())) else left


def sift_labels(photos: Sequence[PhotoLabels], keep: Keep) -> tuple[PhotoLabels, ...]:
    """Keep labels, then colours, each by its name over all photos; an emptied photo still counts.

    Where none is left there is no photo either.
    """
    from textcentric.experts.pixels import name_colour

    hues = {code: name_colour(code) for photo in photos for code, _ in photo.colors}
    seen = {label for label in _labels(photos) if keep()}
    shown = {hue for hue in dict.fromkeys(hues.values()) if keep()}
    left = tuple(
        replace(
            photo,
            labels=tuple(pair for pair in photo.labels if pair[0] in seen),
            colors=tuple(pair for pair in photo.colors if hues[pair[0]] in shown),
        )
        for photo in photos
    )
    return left if seen or shown else ()


def _labels(photos: Sequence[PhotoLabels]) -> dict[str, None]:
    """Return the names of the labels, each once, in order."""
    return dict.fromkeys(label for photo in photos for label, _ in photo.labels)


def _sight(found: re.Match[str], keep: Keep) -> str:
    """Return what stays of one sentence or word of an image in words."""
    if found["count"]:
        return found[0]
    if found["seen"]:
        seen = [item for item in re.split(r"(?<=\)), ", found["seen"]) if keep()]
        return f"Seen: {', '.join(seen)}." if seen else " "
    if found["colours"]:
        hues = [hue for hue in re.split(", then | and ", found["colours"]) if keep()]
        rest = f", then {' and '.join(hues[1:])}" if hues[1:] else ""
        return f"Colours: {hues[0]}{rest}." if hues else " "
    return found[0] if keep() else " "


def _by_line(text: str, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> str:
    """Change the matches in `text`, squeeze its spaces, leave out the lines this emptied."""
    lines = []
    for line in text.splitlines():
        left = " ".join(pattern.sub(change, line).split())
        if left or not line.strip():
            lines.append(left)
    return "\n".join(lines).strip("\n")
