"""Form: a sentence that ends in the middle, or that is no sentence any more."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache

from textcentric.checks.words import listed, new_words, sections, stems_of, words

ENDS = re.compile(r"(?<![.!?…])[.!?…]++[\"'”)]*+\s*+$")
SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
CLAUSE = re.compile(r"[,;:–—]\s|\s-\s")
HARSH = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}|(\w)\1{3,}", re.IGNORECASE)
COORDINATE = ("and", "or", "but")
OPEN = frozenset("that this who which whom whose when where how why if very so too".split())
ADVERBIAL = frozenset(
    "according most during after before at in on of for from since with around by near under over"
    " without besides despite through within about until till above below behind between".split()
)
COMPLEMENT = frozenset("that whether what how why who whom whose which if".split())
MODALS = frozenset("can could may might must shall should will would cannot".split())
SUBJECTS = frozenset("i we he she it they you who".split())
VERBS = frozenset("is are was were has have had can will may must does do did".split())
PHRASES = frozenset("from of to by with at in on for".split())
PARTICLES = frozenset("over up down off out back away along around through".split())
REPEATS = 3  # the same word so often, and not in the source, is no sentence


@cache
def _openings() -> frozenset[tuple[str, ...]]:
    lines = sections()["opening"]
    return frozenset(words(part).tokens for line in lines for part in line)


@lru_cache(maxsize=4096)
def unfinished(source: str, variant: str) -> bool:
    """Say whether `variant` ends in the middle where `source` did not.

    It ends with a word that calls for another ("of", "is", "needs"), is an opening without its
    message ("One more thing."), a clause that cannot stand alone ("When it rains."), a subject
    without its verb ("The man here."), or holds no word of content ("There is also.").
    """
    before, after = words(source).tokens, words(variant).tokens
    if not after or before[-1:] == after[-1:]:
        return False
    if after in _openings() or _empty(source, variant):
        return True
    if len(after) >= len(before):
        return after[-1] in listed("join")
    if after != before[: len(after)]:
        return after[-1] in listed("join") | listed("object")
    if _colon_follows(source, variant) or _subordinate(variant) or _adverbial(after):
        return True
    following = before[len(after)]
    if _rest(source, variant)[:1] in (",", ";", ".") or following in COORDINATE:
        return False
    if _complement_follows(following, after):
        return True
    open_end = after[-1] in listed("join") | listed("object") | OPEN
    return open_end or following in VERBS


def _empty(source: str, variant: str) -> bool:
    """Say whether a cut left no word that carries content ("There is also.")."""
    plain = stems_of("filler")
    left = words(variant).stems - plain
    return not left and bool(words(source).stems - plain) and variant.strip() not in source


def _rest(source: str, variant: str) -> str:
    """Return what of the source follows the words that `variant` stops after."""
    kept = ENDS.sub("", variant).rstrip()
    return source[len(kept) :].lstrip() if source.casefold().startswith(kept.casefold()) else ""


def _complement_follows(word: str, after: tuple[str, ...]) -> bool:
    """Say whether `word` goes on with what the last words of a cut call for.

    A clause that is said or asked ("On my card it says" that) or the rest of it, the place of a
    particle ("gets along" with), how or where something could be done ("She could live" with).
    """
    if word in COMPLEMENT or "that" in after[-2:-1]:
        return True
    return word in PHRASES and (after[-1] in PARTICLES or not MODALS.isdisjoint(after[-2:-1]))


def _colon_follows(source: str, variant: str) -> bool:
    """Say whether the source goes on with the colon for which the variant stops."""
    return _rest(source, variant)[:1] == ":"


def _subordinate(variant: str) -> bool:
    """Say whether all of `variant` is one subordinate clause."""
    if CLAUSE.search(variant.strip()):
        return False
    return words(variant).tokens[0] in listed("subordinate")


def _adverbial(tokens: tuple[str, ...]) -> bool:
    """Say whether all of a text is a phrase of time or place, without subject or verb."""
    if tokens[0] not in ADVERBIAL:
        return False
    return not any(token in SUBJECTS or token in VERBS for token in tokens[1:])


def garbled(source: str, variant: str) -> bool:
    """Say whether `variant` holds what is no word in any spelling, or says one word on and on."""
    if _harsher(source, variant):
        return True
    after = words(variant).tokens
    if len(after) < 2 * REPEATS or len(after) - len(set(after)) < REPEATS - 1:
        return False
    often = {word: count for word, count in Counter(after).items() if count >= REPEATS}
    before = Counter(words(source).tokens)
    return any(
        count > before[word] + 1 for word, count in often.items() if word in words(variant).content
    )


def _harsher(source: str, variant: str) -> bool:
    """Say whether `variant` is harsh where `source` is not; in plain ASCII a new word has to be."""
    both = source + variant
    plain = both.isascii() and "'" not in both
    if plain and not any(map(_harsh, new_words(source, variant))):
        return False
    return _harsh(variant) and not _harsh(source)


@lru_cache(maxsize=8192)
def _harsh(text: str) -> bool:
    return HARSH.search(text) is not None


def same_sentences(source: str, variant: str) -> bool:
    """Say whether both hold the same sentences, in whatever order."""
    if new_words(source, variant) or len(words(source).tokens) != len(words(variant).tokens):
        return False
    return _split(source) == _split(variant)


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, ...]:
    return tuple(sorted(part.strip(" .!?…") for part in SENTENCE.split(text) if part))
