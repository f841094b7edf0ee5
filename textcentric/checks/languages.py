"""Which language a text is in, as far as the lists tell: what they do not know is not judged."""

from __future__ import annotations

from functools import cache, lru_cache

from textcentric.checks.words import FOLDER, listed, words

ENGLISH = "english"
FEWEST = 2  # common words of another language that tell it


@cache
def _others() -> dict[str, frozenset[str]]:
    lines = (FOLDER / "languages.txt").read_text("utf-8").splitlines()
    named = (line.partition(":") for line in lines if line.strip() and not line.startswith("#"))
    return {name: frozenset(known.split()) for name, _, known in named}


@cache
def _all_others() -> frozenset[str]:
    return frozenset().union(*_others().values()) - listed("function")


@lru_cache(maxsize=8192)
def language(text: str) -> str:
    """Return the language of `text`; English where nothing speaks against it.

    A text mostly of other letters than Latin ones is "unknown".
    """
    if not text.isascii():
        letters = [sign for sign in text if sign.isalpha()]
        if sum(sign > "\u024f" for sign in letters) * 2 > len(letters):
            return "unknown"
    tokens = words(text).tokens
    if len(_all_others().intersection(tokens)) < FEWEST:
        return ENGLISH
    counts = {name: sum(token in known for token in tokens) for name, known in _others().items()}
    name = max(counts, key=counts.__getitem__)
    own = sum(token in listed("function") for token in tokens)
    return name if counts[name] > own else ENGLISH
