"""Words near in meaning, from WordNet: what one word mostly means and another one means too.

The list was not written beside any text that is judged, so it knows words that no list of this
project holds. It is read when a new word is first beside a missing one.
"""

from __future__ import annotations

from functools import cache

from textcentric.checks.words import FOLDER, stem

LIST = FOLDER / "thesaurus.txt"


def alike(one: str, other: str) -> bool:
    """Say whether two stems are near in meaning.

    >>> alike("begin", "start"), alike("begin", "end")
    (True, False)
    """
    return one in _near().get(other, ())


@cache
def _near() -> dict[str, frozenset[str]]:
    """Return the stems that are near to each stem."""
    held: dict[str, set[str]] = {}
    for line in LIST.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        words, _, similar = line.partition(" ~ ")
        group, more = [stem(word) for word in words.split()], [stem(w) for w in similar.split()]
        for word in group:
            held.setdefault(word, set()).update(group, more)
        for word in more:
            held.setdefault(word, set()).update(group)
    return {word: frozenset(others) for word, others in held.items()}
