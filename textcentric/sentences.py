"""Cut text into sentences and back, so that a model can rewrite one at a time.

A line break ends a sentence too: listings are written in lines as often as in sentences.
"""

from __future__ import annotations

import re

END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[^\s])|\s*\n\s*|(?<=[。！？])")
ABBREVIATION = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|No|vs|approx|e\.g|i\.e)\.$")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of `text`, stripped, none empty.

    >>> split_sentences("Dr. Lee has a cat. It is calm!\\nCall me")
    ['Dr. Lee has a cat.', 'It is calm!', 'Call me']
    """
    sentences: list[str] = []
    start = 0
    for end in END.finditer(text):
        piece = text[start : end.end()]
        if "\n" not in end.group() and ABBREVIATION.search(piece.rstrip()):
            continue
        sentences.append(piece.strip())
        start = end.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if re.search(r"\w", sentence)]
