"""Words that may stand for each other, from a list that people wrote: `equivalents.txt`.

The list only proposes: a model picks which words are exchanged, and checks judge what comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from textcentric.errors import PromptError

LIST = Path(__file__).with_name("equivalents.txt")
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
LINE = re.compile(r"(?P<words>[^=\[]+) => (?P<instead>[^\[]+)(?P<conditions>(?: \[[^\]]+\])*)")
CONDITION = re.compile(r"\[(not before|not after|end|inside) ?([^\]]*)\]")
BEGINNING = '.!?…:\n"“('  # before a sentence
VOWEL = re.compile(r"(?!uni|use|eu|one)[aeiou]|hour|honest", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """What may stand for some words, and beside which other words it may not."""

    instead: tuple[str, ...]
    not_before: frozenset[str] = frozenset()
    not_after: frozenset[str] = frozenset()
    at_end: bool = False
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange in a text: `old` from `start` to `end`, and what may stand there instead."""

    start: int
    end: int
    old: str
    instead: tuple[str, ...]


def exchanges(text: str, kept: frozenset[str] = frozenset()) -> list[Exchange]:
    """Return the exchanges that the list knows in `text`, longest first, none over another.

    Words in `kept` and names stay as they are.

    >>> [(one.old, one.instead) for one in exchanges("He needs a big bed.")]
    [('needs a', ('requires a',)), ('big', ('large',))]
    """
    return list(_exchanges(text, kept))


def exchanged(text: str, picked: Mapping[Exchange, str]) -> str:
    """Return `text` with the `picked` words in place of the old ones, articles made to fit."""
    for one, new in sorted(picked.items(), key=lambda item: -item[0].start):
        new = new[:1].upper() + new[1:] if one.old[:1].isupper() else new
        before = text[: one.start]
        if article := re.search(r"\b(a)n? $", before, re.IGNORECASE):
            before = before[: article.start()] + article[1] + ("n " if VOWEL.match(new) else " ")
        text = before + new + text[one.end :]
    return text


def only_exchanged(source: str, variant: str) -> bool:
    """Say whether `variant` is `source` with words of the list exchanged and nothing else.

    >>> only_exchanged("He needs a big bed.", "He requires a large bed.")
    True
    """
    at, pattern = 0, ""
    for one in exchanges(source):
        words = "|".join(map(re.escape, (one.old, *one.instead)))
        pattern += _article(source[at : one.start]) + f"(?i:{words})"
        at = one.end
    same = source == variant
    return not same and re.fullmatch(pattern + re.escape(source[at:]), variant) is not None


def _article(text: str) -> str:
    """Return an expression for `text` that passes over a last `a` or `an`."""
    last = re.search(r"\b(an?) $", text, re.IGNORECASE)
    return re.escape(text[: last.start()]) + f"{last[1][0]}n? " if last else re.escape(text)


@lru_cache(maxsize=1)
def equivalents() -> dict[tuple[str, ...], Entry]:
    """Read the list: entries by the words that they stand for; raises PromptError for a line."""
    entries = {}
    for number, line in enumerate(LIST.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        read = LINE.fullmatch(line)
        if read is None:
            raise PromptError(f"{LIST.name}, line {number}: {line!r}: expected `words => words`")
        conditions = dict(CONDITION.findall(read["conditions"]))
        entries[tuple(WORD.findall(read["words"].lower()))] = Entry(
            tuple(one.strip() for one in read["instead"].split(",")),
            frozenset(conditions.get("not before", "").split("/")),
            frozenset(conditions.get("not after", "").split("/")),
            "end" in conditions,
            "inside" in conditions,
        )
    return entries


@lru_cache(maxsize=1)
def _longest() -> dict[str, int]:
    """Return for each word that begins an entry how many words the longest of these has."""
    return {words[0]: len(words) for words in sorted(equivalents(), key=len)}


def _exchanges(text: str, kept: frozenset[str]) -> Iterator[Exchange]:
    entries, longest = equivalents(), _longest()
    words = list(WORD.finditer(text))
    lower = tuple(one.group().lower() for one in words)
    free = 0  # the first word that stands in no exchange yet
    for at in [at for at, word in enumerate(lower) if word in longest]:
        for count in range(min(longest[lower[at]], len(words) - at), 0, -1):
            entry = entries.get(lower[at : at + count])
            if at >= free and entry is not None and _fits(text, words, at, count, entry, kept):
                start, end = words[at].start(), words[at + count - 1].end()
                yield Exchange(start, end, text[start:end], entry.instead)
                free = at + count
                break


def _fits(
    text: str,
    words: list[re.Match[str]],
    at: int,
    count: int,
    entry: Entry,
    kept: frozenset[str],
) -> bool:
    run = words[at : at + count]
    gap = text[run[-1].end() : words[at + count].start()] if at + count < len(words) else "."
    after = words[at + count].group().lower() if gap.isspace() else ""
    before = words[at - 1].group().lower() if at else ""
    inner = text[run[0].start() : run[-1].end()]
    return (
        not re.search(r"[^\w\s'’-]", inner)
        and not kept & {one.group().lower() for one in run}
        and not any(_is_name(text, one) for one in run)
        and (not after or after not in entry.not_before)
        and (not before or before not in entry.not_after)
        and not (entry.at_end and after)
        and not (entry.inside and not after)
    )


def _is_name(text: str, word: re.Match[str]) -> bool:
    """Say whether a word is written as a name: a capital that no sentence begins with."""
    if not word.group()[:1].isupper() or word.group() == "I":
        return False
    at = word.start()
    while at and text[at - 1].isspace() and text[at - 1] != "\n":
        at -= 1
    begins = not at or text[at - 1] in BEGINNING
    return not begins or word.group().isupper()
