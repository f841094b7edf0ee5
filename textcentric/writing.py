"""How scripts write words: which put no blank between them, and how many words a text has.

Chinese and Japanese, Thai, Lao, Khmer and Burmese write a sentence as one run of letters. Where a
rule asks for words, as many of these letters count as one as it takes in running text; texts of
other scripts are counted by their blanks alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import ceil

HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
# Thai, Lao, Burmese and Khmer, with the vowels that stand on their letters.
SOUTHEAST = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u109f"
    "\u1780-\u17d3\u17d7\u17dc-\u17dd\uaa60-\uaa7f"
)
INDIC = "\u0900-\u0963\u0966-\u0dff"  # the scripts of India, vowels and tones on their letters
LETTERS = f"{HAN}{KANA}{SOUTHEAST}"  # that stand without blanks, as a class of an expression
WIDE_STOPS = "。！？｡"  # ends of sentences that need no blank behind them
STOPS = f".!?…{WIDE_STOPS}।॥۔؟።။។"
MARKS = "\u3001-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"  # of full width
SHARES = ((HAN, 0.6), (KANA, 0.4), (SOUTHEAST, 0.25))  # words a letter
LONGEST = 20  # letters of a word, where one has to be guessed
_ANY = re.compile(f"[{LETTERS}]")
_RUNS = [(re.compile(f"[{letters}]+"), share) for letters, share in SHARES]
_LONG = re.compile(f"[{LETTERS}]{{5,}}")  # a shorter run may be one word, or a name
_PIECE = re.compile(f"[{HAN}]|[{KANA}]+|[{SOUTHEAST}]+")
_WIDE = re.compile(f"[{HAN}{KANA}{MARKS}]")
_QUOTES = frozenset("“”‘’…—")  # as wide as what stands beside them


def unspaced(text: str) -> bool:
    """Say whether `text` holds letters of a script that puts no blanks between words."""
    return not text.isascii() and _ANY.search(text) is not None


def count_words(text: str) -> int:
    """Return how many words `text` has: by its blanks, or by its letters where it writes none.

    >>> count_words("A calm dog."), count_words("这盏灯很旧，但是晚上非常好看。")
    (3, 8)
    """
    if not unspaced(text):
        return len(text.split())
    words = 0.0
    for run, share in _RUNS:
        found = run.findall(text)
        if found:
            words += share * sum(map(len, found))
            text = run.sub(" ", text)
    spaced = sum(any(sign.isalnum() for sign in piece) for piece in text.split())
    return ceil(round(words, 2)) + spaced


def parted(text: str) -> str:
    """Return `text` with each long run of letters without blanks in small pieces between blanks.

    They stand for the words that nobody marked: each Chinese letter, and of others, which are
    fewer and come again sooner, each pair of neighbours.

    >>> parted("a 灯罩 and 绿色的灯罩"), parted("きれいな灯")
    ('a 灯罩 and  绿 色 的 灯 罩 ', ' きれ れい いな 灯 ')
    """
    if not unspaced(text):
        return text
    return _LONG.sub(lambda run: f" {' '.join(_pieces(run[0]))} ", text)


def _pieces(run: str) -> Iterator[str]:
    for piece in _PIECE.findall(run):
        yield from map("".join, pairwise(piece)) if len(piece) > 1 else piece


def joined(texts: Iterable[str]) -> str:
    """Return sentences one after the other: behind a blank, which Chinese and Japanese leave out.

    >>> joined(["A dog.", "It barks."]), joined(["灯很旧。", "它很好看。"])
    ('A dog. It barks.', '灯很旧。它很好看。')
    """
    pieces: list[str] = []
    for text in texts:
        if pieces and not _meet(pieces[-1][-1:], text[:1]):
            pieces.append(" ")
        pieces.append(text)
    return "".join(pieces)


def gap(before: str, after: str) -> str:
    """Return what stands between two words, the last of `before` and the first of `after`.

    >>> gap("A calm", "dog."), gap("这盏灯", "很旧。")
    (' ', '')
    """
    last, first = before[-1:], after[:1]
    if not last or not first or last.isspace() or first.isspace():
        return ""
    if last.isascii() or first.isascii():
        return " "
    return "" if (unspaced(last) and unspaced(first)) or _meet(last, first) else " "


def opening(text: str, words: int) -> str:
    """Return the first `words` words of `text`, or so many letters where it writes no blanks.

    >>> opening("这盏灯很旧，但是晚上非常好看。", 3), opening("A calm dog.", 2)
    ('这盏灯很旧，', 'A calm')
    """
    if not unspaced(text):
        return " ".join(text.split()[:words])
    text = text[: LONGEST * words]
    end = next((at for at in range(1, len(text)) if count_words(text[:at]) > words), len(text) + 1)
    end = max(end - 1, 1)
    while unicodedata.category(text[end : end + 1] or " ").startswith("M"):  # a vowel on its letter
        end += 1
    return text[:end].rstrip()


def _meet(last: str, first: str) -> bool:
    """Say whether two signs, one of them of full width, stand side by side without a blank."""
    wide = [bool(_WIDE.match(sign)) for sign in (last, first)]
    return all(w or sign in _QUOTES for w, sign in zip(wide, (last, first), strict=True)) and any(
        wide
    )
