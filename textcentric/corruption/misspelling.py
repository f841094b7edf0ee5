"""Misspelt words: as a hurried hand types them, and as a bad scan or a bad line leaves them.

A reader must still know every word, so only the inside of a word is touched, never a name, a
number or a word that turns a sentence round (`not`), and what comes out is no other English word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

from textcentric.writing import INDIC, LETTERS

Misspell = Callable[[str, Random], str]
Spellings = Callable[[str], Iterator[str]]
SHORTEST = 4  # letters of a word that is still known when one of them is wrong
LONGEST = 64  # letters of what may be a word at all
# Between white space or marks; no part of an address, a number or a word with an apostrophe.
# In a run of letters without blanks, four of them stand for a word.
_WORD = re.compile(
    rf"(?<![\w.@/'’#&-])(?:[^\W\d_{LETTERS}]|[{INDIC}]){{4,}}(?![\w@/'’]|[.-]\w)|[{LETTERS}]{{4}}"
)
_FIXED = frozenset(  # amounts, and words that turn a sentence round
    "cannot dont never none neither nobody nothing nowhere without unless except only zero four"
    " five seven eight nine eleven twelve thirteen fourteen fifteen twenty thirty forty fifty"
    " hundred thousand million half third fourth fifth first second double once twice less more"
    " than most least fewer older younger bigger smaller better worse larger longer shorter higher"
    " lower cheaper able unable under over before after until since between male female".split()
)
# Words that lie one slip beside another: no misspelling may come out as one of them.
REAL_WORDS = frozenset(Path(__file__).with_name("real_words.txt").read_text("utf-8").split())
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LOOKS = {  # letters that a bad scan takes for others
    "rn": "m",
    "m": "rn",
    "w": "vv",
    "cl": "d",
    "d": "cl",
    "ll": "II",
    "l": "I",
    "i": "l",
    "t": "f",
    "e": "c",
    "h": "b",
    "g": "q",
    "a": "o",
    "u": "v",
    "n": "u",
}
_SOUNDS = {  # words that are heard for others, near enough to be known by their letters
    "week": "weak",
    "here": "hear",
    "their": "there",
    "great": "grate",
    "some": "sum",
    "road": "rode",
    "break": "brake",
    "piece": "peace",
    "stairs": "stares",
    "steel": "steal",
}


def mistyped(text: str, level: float, rng: Random) -> str:
    """Misspell each word with probability `level`, by a slip of the finger.

    Words that may be touched have four letters or more and are no names; each draws whether and
    how, so that a word misspelt at 0.1 is misspelt alike at 0.3.

    >>> mistyped("She follows you from room to room.", 1.0, Random(1))
    'She follpws you fromm roomm to roomm.'
    """
    return _misspelt(text, level, rng, _slip)


def misread(text: str, level: float, rng: Random) -> str:
    """Misspell each word with probability `level`, as a scan is misread or a voice misheard.

    >>> misread("A quiet animal with a warm coat.", 1.0, Random(0))
    'A qviet auimal witb a warrn coaf.'
    """
    return _misspelt(text, level, rng, _mistaken)


def _misspelt(text: str, level: float, rng: Random, misspell: Misspell) -> str:
    own = frozenset(found[0].lower() for found in _WORD.finditer(text))

    def change(found: re.Match[str]) -> str:
        word = found[0]
        drawn, way = rng.random(), Random(rng.getrandbits(32))  # both, whatever the level
        if drawn >= level or not _may_change(word):
            return word
        changed = misspell(word.lower(), way)
        return word if changed.lower() in own else _as_written(word, changed)

    return _WORD.sub(change, text)


def _may_change(word: str) -> bool:
    """Say whether `word` is one, and neither a name nor an amount nor a turn of the sentence."""
    if len(word) > LONGEST:
        return False
    without_case = word.lower() == word.upper()  # a name looks like any other word
    return (word.islower() or word.isupper() or without_case) and word.lower() not in _FIXED


def _as_written(word: str, changed: str) -> str:
    return changed.upper() if word.isupper() else changed


def _slip(word: str, rng: Random) -> str:
    kinds: list[Spellings] = [_swapped, _swapped, _doubled, _lost, _beside]
    return _first_new(word, rng, kinds)


def _mistaken(word: str, rng: Random) -> str:
    heard = _SOUNDS.get(word)
    return heard if heard is not None else _first_new(word, rng, [_looking_alike])


def _first_new(word: str, rng: Random, kinds: list[Spellings]) -> str:
    """Return a spelling of a kind drawn by `rng` that is no word; `word` where there is none."""
    rng.shuffle(kinds)
    for kind in kinds:
        spellings = [s for s in kind(word) if s != word and s.lower() not in REAL_WORDS]
        if spellings:
            return rng.choice(spellings)
    return word


def _swapped(word: str) -> Iterator[str]:
    """Yield `word` with two inner neighbours in the wrong order."""
    for i in range(1, len(word) - 2):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _doubled(word: str) -> Iterator[str]:
    """Yield `word` with a letter struck twice."""
    for i in range(1, len(word)):
        if word[i] not in (word[i - 1], word[i + 1 : i + 2]):
            yield word[:i] + word[i] + word[i:]


def _lost(word: str) -> Iterator[str]:
    """Yield `word` without an inner letter, where enough of them are left."""
    if len(word) > SHORTEST:
        yield from (word[:i] + word[i + 1 :] for i in range(1, len(word) - 1))


def _beside(word: str) -> Iterator[str]:
    """Yield `word` with the key beside an inner letter's struck instead."""
    if len(word) > SHORTEST:
        for i in range(1, len(word) - 1):
            yield from (word[:i] + key + word[i + 1 :] for key in _NEAR.get(word[i], ""))


def _looking_alike(word: str) -> Iterator[str]:
    """Yield `word` with letters taken for others that look like them."""
    for letters, others in _LOOKS.items():
        at = word.find(letters, 1)
        while at > 0:
            yield word[:at] + others + word[at + len(letters) :]
            at = word.find(letters, at + 1)


def _neighbours() -> Mapping[str, str]:
    return {
        key: row[max(0, i - 1) : i] + row[i + 1 : i + 2]
        for row in _KEYS
        for i, key in enumerate(row)
    }


_NEAR = _neighbours()
