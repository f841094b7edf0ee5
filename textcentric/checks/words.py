"""The words of a text, their stems, and the lists of what the checks know of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from textcentric.experts.clean import composed
from textcentric.writing import INDIC, SOUTHEAST, parted

NEAR = 70  # edit ratio (0 to 100) from which two spellings may be one word
WORD = re.compile(r"\w+(?:['’]\w+)*")
MARKED = INDIC + SOUTHEAST  # letters, and vowels and tones on them: one word
MARKED_LETTER, MARKED_WORD = re.compile(f"[{MARKED}]"), re.compile(rf"[\w{MARKED}]+(?:['’]\w+)*")
# Of ASCII, blanks for all that is in no word.
BLANKED = {at: " " for at in range(128) if not (chr(at).isalnum() or chr(at) in "_'")}
FOLDER = Path(__file__).parent / "lists"
CONTRACTED = {"n't": "not", "'ll": "will", "'re": "are", "'ve": "have", "'d": "would", "'m": "am"}
WHOLE = {"cannot": ("can", "not"), "won't": ("will", "not"), "can't": ("can", "not")}
SHORT = {f"{word}nt": (word, "not") for word in "do does did is are was were has had would".split()}

SPREAD = frozenset([*WHOLE, *SHORT])


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text: lower-case `tokens`, and the stems of those that carry content."""

    text: str
    tokens: tuple[str, ...]
    content: tuple[str, ...]
    known: frozenset[str]  # all tokens, and all stems of content

    @property
    def stems(self) -> frozenset[str]:
        """Return the distinct stems that carry content."""
        return frozenset(self.content)


@cache
def sections(language: str = "english") -> dict[str, list[list[str]]]:
    """Return the lists of a language: section -> lines of words."""
    held: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in (FOLDER / f"{language}.txt").read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            lines = held.setdefault(line.strip("[]"), [])
        else:
            lines.append([part.strip() for part in line.split(",") if part.strip()])
    return held


@cache
def listed(section: str) -> frozenset[str]:
    """Return the words of a section that is a plain list."""
    return frozenset(word for line in sections()[section] for part in line for word in part.split())


@cache
def stems_of(section: str) -> frozenset[str]:
    """Return the stems of a section that is a plain list."""
    return frozenset(map(stem, listed(section)))


@cache
def _irregular() -> dict[str, str]:
    return {word: line[0] for line in sections()["irregular"] for word in line}


def is_irregular(word: str) -> bool:
    """Say whether `word` is a form that no ending shows."""
    return word in _irregular()


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return what the forms of one word share: plural, past and -ing endings go, and -ly.

    >>> [stem(word) for word in "boxes trimmed hides fell strictly".split()]
    ['box', 'trim', 'hid', 'fall', 'strict']
    """
    if (base := _irregular().get(word)) is not None:
        return base if base == word else stem(base)
    if len(word) < 4:
        return word
    for ending, back in (("ies", "y"), ("ied", "y"), ("sses", "ss")):
        if word.endswith(ending) and len(word) > 4:
            return word[: -len(ending)] + back
    if word.endswith("es") and word[:-2].endswith(("s", "x", "z", "ch", "sh")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) > 2 and re.search("[aeiouy]", base):
            word = base[:-1] if base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    if word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _spread(token: str) -> Iterator[str]:
    """Yield the words that a contraction stands for."""
    if token in WHOLE or token in SHORT:
        yield from WHOLE.get(token) or SHORT[token]
        return
    if "'" not in token:
        yield token
        return
    for ending, word in CONTRACTED.items():
        if token.endswith(ending):
            yield from (token[: -len(ending)], word)
            return
    base, _, rest = token.partition("'")
    if rest == "s":
        yield base
        if base in listed("function"):
            yield "is"  # it's, there's, that's; of other words it is a genitive
    else:
        yield token.replace("'", "")


@lru_cache(maxsize=8192)
def written_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in lower case as they are written, contractions whole.

    Of a run of letters without blanks, small pieces stand for words.
    """
    if not text.isascii():
        plain = parted(composed(text, "NFKC").lower())
        return tuple((MARKED_WORD if MARKED_LETTER.search(plain) else WORD).findall(plain))
    runs = text.lower().translate(BLANKED).split()  # several times as quick as the expression
    if "'" not in text:
        return tuple(runs)
    return tuple(word for run in runs for word in (WORD.findall(run) if "'" in run else (run,)))


@lru_cache(maxsize=8192)
def words(text: str) -> Words:
    """Return the words of `text`; contractions count as what they stand for."""
    tokens: Sequence[str] = written_words(text)
    if "'" in text or not text.isascii() or not SPREAD.isdisjoint(tokens):
        tokens = [part for token in tokens for part in _spread(token.replace("’", "'"))]
    empty = listed("function")
    content = [stem(token) for token in tokens if token not in empty and not token.isdigit()]
    return Words(text, tuple(tokens), tuple(content), frozenset([*tokens, *content]))


@lru_cache(maxsize=4096)
def new_words(source: str, variant: str) -> frozenset[str]:
    """Return the words of `variant`, as tokens, that `source` does not have."""
    return frozenset(words(variant).tokens).difference(words(source).tokens)


def order_of(before: Sequence[str], after: Sequence[str]) -> list[int]:
    """Return where the words of `after` stand in `before`, of those that stand there once.

    >>> order_of(("dog", "bite", "man"), ("man", "bite", "dog"))
    [2, 1, 0]
    """
    places = _places(tuple(before))
    return [places[word] for word in after if word in places]


@lru_cache(maxsize=4096)
def _places(words: tuple[str, ...]) -> dict[str, int]:
    """Return where each word stands that comes once."""
    counts = Counter(words)
    return {word: at for at, word in enumerate(words) if counts[word] == 1}


@cache
def groups(section: str) -> dict[str, frozenset[int]]:
    """Return the groups of a section that each stem belongs to."""
    held: dict[str, set[int]] = {}
    for number, line in enumerate(sections()[section]):
        for part in line:
            for word in part.split():
                held.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in held.items()}


def synonyms(one: str, other: str) -> bool:
    """Say whether two stems stand in one group of synonyms."""
    held = groups("synonym")
    return not held.get(one, frozenset()).isdisjoint(held.get(other, frozenset()))


@lru_cache(maxsize=65536)
def near(one: str, other: str) -> bool:
    """Say whether two spellings may be one word: edit ratio 0.7, or one slip of a short word."""
    if one == other:
        return True
    if min(len(one), len(other)) < 3:
        return False
    if fuzz.ratio(one, other) >= NEAR:
        return True
    return max(len(one), len(other)) > 2 and OSA.distance(one, other, score_cutoff=1) <= 1


@cache
def _all_listed() -> frozenset[str]:
    """Return every word of the lists: what is one of them is no misspelling of another."""
    held = {
        word for lines in sections().values() for line in lines for p in line for word in p.split()
    }
    return frozenset(held | {stem(word) for word in held})


def real(word: str) -> bool:
    """Say whether `word` is a word that the lists know."""
    return word in _all_listed()
