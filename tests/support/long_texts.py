"""Long texts of every kind, and how the time of what reads them grows with their length."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import pairwise
from random import Random
from typing import Any

Reader = Callable[[str], object]
# What is repeated; longer kinds below.
REPEATED = {
    "one letter": "a",
    "capitals": "A",
    "letters of others": "é",
    "full stops": ".",
    "ellipses": "…",
    "full stops and blanks": ". ",
    "marks": "!?",
    "question marks": "?",
    "full-width stops": "。",
    "dashes": "-",
    "long dashes": "—",
    "spaced dashes": " - ",
    "quotes": '"',
    "single quotes": "'",
    "curly quotes": "“",
    "closing quotes": "”",
    "stops and quotes": '."',
    "words in quotes": "'a",
    "open brackets": "(",
    "closed brackets": ")",
    "stops and closed brackets": ".)",
    "square brackets": "[",
    "curly brackets": "{",
    "pairs of brackets": "{}",
    "accents": "e\u0301",
    "accents alone": "\u0301",
    "accents of two kinds": "\u0301\u0323",
    "single letters": "a. ",
    "capital letters": "A. ",
    "initials": "A.",
    "doctors": "Dr. ",
    "for example": "e.g. ",
    "abbreviations without blanks": "e.g.",
    "digits": "7",
    "nought": "0",
    "commas": ",",
    "commas and blanks": ", ",
    "numbers": "1,",
    "thousands": "1,000",
    "decimals": "1.",
    "numbers apart": "12 ",
    "semicolons": "; ",
    "colons": "a: ",
    "labels": "Age: 3. ",
    "capital labels": "Aa: ",
    "blanks": " ",
    "tabs": "\t",
    "lines": "\n",
    "returns": "\r",
    "line ends": "\r\n",
    "blanks and lines": " \n",
    "words and lines": "a\n",
    "wide blanks": "\u3000",
    "hard blanks": "\u00a0",
    "scripts": "aяあ字ا",
    "Chinese": "字",
    "Chinese sentences": "字。",
    "Japanese": "あ",
    "Arabic": "ا ",
    "emoji": "😀",
    "emoji joined": "👩\u200d",
    "joiners": "\u200d",
    "zero width": "\u200b",
    "direction marks": "\u202e",
    "soft hyphens": "\u00ad",
    "controls": "\x00",
    "addresses": "http://a.b/ ",
    "one address": "a/",
    "mail": "a@",
    "tags": "<b>",
    "tags begun": "<a ",
    "tags of links": "<a href=x",
    "brackets of tags": "<",
    "ends of tags": ">",
    "closed tags": "</p>",
    "references": "&#1;",
    "references begun": "&",
    "long references": "&#",
    "active": " on=",
    "active without end": " ona",
    "markdown": "**a** ",
    "stars": "*",
    "underscores": "_",
    "hashes": "#",
    "pipes": "|",
    "backticks": "`",
    "the same word": "dog ",
    "the same words": "the dog is not very calm and ",
    "the same sentence": "The dog is calm. ",
    "names": "Then Ben came. ",
    "names inside": "the Ben ",
    "capital words": "Dog ",
    "hyphens": "a-",
    "apostrophes": "a'",
    "apostrophes apart": "it's ",
    "and": "and ",
    "not": "not ",
    "a": "a ",
    "an article in front": "an big ",
    "thoughts": "<think>",
    "thoughts ended": "</think>",
    "thoughts whole": "<think>a</think>",
    "backslashes": "\\",
    "percent signs": "%",
    "blocks": "{% ",
    "variables": "{{ a }}",
    "JSON deep": '{"a":',
    "JSON lists": "[1,",
    "JSON many": '{"a":1} ',
    "quoted pairs": "'a', ",
    "roles": "\n\nHuman: a\n\nAssistant: ",
    "turns": "{'role': 'user'",
    "seen": "Seen: a, ",
    "seen with figures": "Seen: cat (0.99), ",
    "photos": "2 photos",
    "colours": "Colours: a, then ",
    "lights": "Light: a ",
    "harsh": "bcdf",
    "doubled": "aab",
    "long words": "abcdefghij",
    "sentences with slips": "He colud live unedr a bridge. ",
    "semantics": "he is not only big but if small ",
    "dollars": "$",
    "amounts": "$1 ",
    "surrogates": "\ud800",
    "listed words": "Big ",
    "listed sentences": "Needs. ",
    "a note": "note ",
    "notes and numbers": "note 1 ",
    "blanks between stops": ".  ",
    "blanks between commas": ",  ",
    "blanks between quotes": "' ",
    "negated": "he is not ",
    "comparisons": "bigger than ",
    "thought within thought": "<think><think></think>",
    "templates": "{{a}}",
    "one tag": "{%a",
    "fences": "```json\n",
}


@lru_cache(maxsize=64)
def random_words(length: int, letters: str = "abcdefghijklmnopqrst") -> str:
    """Return different words with a blank behind each."""
    rng = Random(0)
    words: list[str] = []
    size = 0
    while size < length:
        words.append("".join(rng.choices(letters, k=rng.randint(2, 9))))
        size += len(words[-1]) + 1
    return " ".join(words)[:length]


def repeated(piece: str, length: int) -> str:
    """Return `piece` over and over."""
    return (piece * (length // len(piece) + 1))[:length]


def sentences_of(length: int) -> str:
    """Return different sentences of names, numbers and words."""
    words = random_words(length).split()
    lines = [" ".join(words[at : at + 7]).capitalize() for at in range(0, len(words), 7)]
    return ". ".join(f"{line} Ben {at}" for at, line in enumerate(lines))[:length]


def plain_words(length: int) -> str:
    """Return English words that the lists know, in another order each time."""
    known = "dog cat big small calm happy old young man woman house red blue only not if".split()
    rng = Random(1)
    return " ".join(rng.choice(known) for _ in range(length // 4))[:length]


def columns_of(length: int) -> str:
    """Return a table in words with different labels."""
    return " ".join(f"Label {at}: value {at}." for at in range(length // 16))[:length]


MADE: dict[str, Callable[[int], str]] = {
    "different words": random_words,
    "different capital words": lambda length: random_words(length).title(),
    "different long words": lambda length: random_words(length, "abc").replace(" ", ""),
    "different sentences": sentences_of,
    "different lines": lambda length: random_words(length).replace(" ", "\n"),
    "English words": plain_words,
    "table": columns_of,
    "different numbers": lambda length: " ".join(map(str, range(length // 5))),
    "JSON in it": lambda length: json.dumps({"a": "x" * length}),
}
KINDS: dict[str, Callable[[int], str]] = {
    **{name: partial(repeated, piece) for name, piece in REPEATED.items()},
    **MADE,
}
# What stands before and behind a long text: its end alone often fails a match.
AROUND = {
    " in a sentence": ("The dog is calm ", "x and waits. It likes people."),
    " before lines": ("", "x,\nand waits.\n字。It likes people"),
}


def texts(kind: str) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Yield the ways in which a kind stands in a text."""
    for name, (before, after) in AROUND.items():
        yield kind + name, partial(_within, before, KINDS[kind], after)


def _within(before: str, kind: Callable[[int], str], after: str, length: int) -> str:
    return before + kind(length) + after


def _caches() -> list[Any]:
    """Return what remembers texts; lists that are read once stay."""
    return [
        held
        for held in gc.get_objects()
        if callable(getattr(type(held), "cache_clear", None))
        and str(getattr(held, "__module__", "")).startswith("textcentric")
        and held.cache_parameters()["maxsize"] not in (None, 1)
    ]


CACHES = _caches()
FEW, MORE, MOST = 1_000, 4_000, 32_000  # characters
LEAST = 0.0003  # seconds below which noise says more than growth
ENOUGH = 0.02  # seconds from which noise says little
SUSPECT = 4.6  # times the time for four times the length
LINEAR = 3.2  # times the time for twice the length: 2 is linear, 4 the square


def seconds(read: Reader, text: str) -> float:
    """Return the processor's time of one reading, with nothing remembered."""
    for cache in CACHES:
        cache.cache_clear()
    began = time.process_time()
    read(text)
    return time.process_time() - began


def growth(read: Reader, kind: Callable[[int], str]) -> str:
    """Say how the time grows where it grows faster than the length, else return ""."""
    first, took, length = seconds(read, kind(FEW)), seconds(read, kind(MORE)), MORE
    if took < LEAST or took < SUSPECT * first:
        return ""
    while took < ENOUGH and length < MOST:
        length *= 2
        took = seconds(read, kind(length))
    lengths = [length, 2 * length, 4 * length] if took < 5 * ENOUGH else [FEW, 2 * FEW, MORE]
    best = [float("inf")] * len(lengths)
    for _ in range(3):  # noise only adds
        best = [min(b, seconds(read, kind(n))) for b, n in zip(best, lengths, strict=True)]
        if not all(after > LINEAR * before for before, after in pairwise(best)):
            return ""
    return f"{lengths[-1]} characters: {', '.join(f'{1000 * took:.0f} ms' for took in best)}"
