"""Negation and scope: what is denied, and what bounds a statement, stays with its word."""

from __future__ import annotations

from functools import lru_cache

from textcentric.checks.words import listed, stem, words

REACH = 4  # words that a negation reaches over to the next that carries content


@lru_cache(maxsize=8192)
def bound(text: str, section: str) -> dict[str, tuple[str, ...]]:
    """Return {marker at its place: the content words that it bounds, nearest first} of `text`.

    >>> bound("He is not shy but loud", "negation")
    {'not 2': ('shy',)}
    """
    tokens, markers, empty = words(text).tokens, listed(section), listed("function")
    held: dict[str, tuple[str, ...]] = {}
    for at, token in enumerate(tokens):
        if token in markers:
            reach = tokens[at + 1 : at + 1 + REACH]
            reach = reach[: reach.index("but")] if "but" in reach else reach
            after = [t for t in reach if t not in empty]
            before = [t for t in tokens[max(0, at - REACH) : at] if t not in empty]
            held[f"{token} {at}"] = tuple(stem(t) for t in (after or before[::-1][:1]))
    return held


def first_bound(text: str, section: str) -> set[str]:
    """Return the nearest word that each marker of `section` bounds."""
    return {bounded[0] for bounded in bound(text, section).values() if bounded}


def _has(text: str, section: str) -> bool:
    return not listed(section).isdisjoint(words(text).tokens)


def negation_changed(source: str, variant: str) -> bool:
    """Say whether `variant` denies more, or another thing, or affirms what `source` denies."""
    before_any, after_any = _has(source, "negation"), _has(variant, "negation")
    if not before_any and not after_any:
        return False
    before, after = bound(source, "negation"), bound(variant, "negation")
    if len(after) > len(before):
        return True
    denied, still = first_bound(source, "negation"), first_bound(variant, "negation")
    wide, covered = ({w for held in one.values() for w in held} for one in (before, after))
    kept, plain = set(words(variant).content), set(words(source).content) - wide
    affirmed = {word for word in denied if word in kept and word not in covered}
    newly = still & plain
    return bool(affirmed) if len(after) < len(before) else bool(newly)


def scope_changed(source: str, variant: str) -> int:
    """Return how many bounds ("only", "if") went while what they bound stayed, or came."""
    if not (_has(source, "scope") or _has(variant, "scope")):
        return 0
    markers = listed("scope")
    before = {key.split()[0]: word for key, word in bound(source, "scope").items()}
    after = {token for token in words(variant).tokens if token in markers}
    kept = words(variant).known
    gone = sum(
        not kept.isdisjoint(bounded[:1])
        for marker, bounded in before.items()
        if marker not in after
    )
    return gone + len(after - before.keys())
