"""Word differences between a source and a variant, part by part.

A variant usually rewrites one part and keeps the others, so only the parts that changed are
shown word by word; the rest are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# Words by white space rather than by \w: combining marks (Arabic, Hindi) stay in their words.
# Ends of sentences are words of their own, but "3.5" and "10:30" stay whole.
WORD = re.compile(r"""(?:[^\s.,;:!?()"“”]|[.,:](?=\d))+\s*|[.,;:!?()"“”]+\s*|\s+""")
MOSTLY_REWRITTEN = 0.4  # share of the source's words that are kept
MOST_WORDS = 1000  # of a text, past what both begin and end with, that are compared one by one

Piece = tuple[str, str]  # ("same" | "gone" | "new", text)
Opcode = tuple[str, int, int, int, int]  # as difflib gives them


@dataclass(frozen=True, slots=True)
class PartChange:
    """One changed part; where it is `rewritten`, the words that went are left out of `pieces`."""

    name: str
    pieces: tuple[Piece, ...]
    rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a variant differs from its source: changed parts in full, the others by name."""

    changed: tuple[PartChange, ...]
    same: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    reordered: bool = False


def compare(source: Mapping[str, str], variant: Mapping[str, str]) -> Comparison:
    """Compare the parts of a source with those of its variant.

    >>> compare({"text": "A calm dog."}, {"text": "A clam dog."}).changed[0].pieces
    (('same', 'A '), ('gone', 'calm '), ('new', 'clam '), ('same', 'dog.'))
    """
    shared = [name for name in variant if name in source]
    changed = [name for name in variant if source.get(name) != variant[name]]
    return Comparison(
        changed=tuple(_change(name, source.get(name, ""), variant[name]) for name in changed),
        same=tuple(name for name in shared if name not in changed),
        absent=tuple(name for name in source if name not in variant),
        reordered=shared != [name for name in source if name in variant],
    )


def _change(name: str, source: str, text: str) -> PartChange:
    pieces = word_differences(source, text)
    kept = sum(len(words) for kind, words in pieces if kind == "same")
    rewritten = bool(source) and kept < MOSTLY_REWRITTEN * min(len(source), len(text))
    if rewritten:
        pieces = [(kind, words) for kind, words in pieces if kind != "gone"]
    return PartChange(name, tuple(pieces), rewritten)


def word_differences(source: str, text: str) -> list[Piece]:
    """Return `text` with the words of `source` that went, as pieces in reading order."""
    old, new = WORD.findall(source), WORD.findall(text)
    pieces: list[Piece] = []
    for kind, a, b, c, d in _readable(_opcodes(old, new), new):
        if kind == "equal":
            pieces.append(("same", "".join(new[c:d])))
            continue
        if b > a:
            gap = " " if _close(new[c - 1 : c]) and not _close(old[a - 1 : a]) else ""
            end = " " if _close(old[a:b]) and c < len(new) and new[c][:1].isalnum() else ""
            pieces.append(("gone", gap + "".join(old[a:b]) + end))
        if d > c:
            pieces.append(("new", "".join(new[c:d])))
    return pieces


def _opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """Return what became of which words; the middle of long texts counts as written anew."""
    before, after = [word.strip() for word in old], [word.strip() for word in new]
    if max(len(before), len(after)) <= MOST_WORDS:
        return list(SequenceMatcher(None, before, after, autojunk=False).get_opcodes())
    least = min(len(before), len(after))
    first = next((i for i in range(least) if before[i] != after[i]), least)
    last = next((i for i in range(least - first) if before[-1 - i] != after[-1 - i]), least - first)
    a, b, c, d = first, len(before) - last, first, len(after) - last
    if max(b - a, d - c) <= MOST_WORDS:
        inner = SequenceMatcher(None, before[a:b], after[c:d], autojunk=False).get_opcodes()
        middle = [(kind, a + i, a + j, c + k, c + m) for kind, i, j, k, m in inner]
    else:
        middle = [("replace" if b > a and d > c else "delete" if b > a else "insert", a, b, c, d)]
    ends = [("equal", 0, a, 0, c), *middle, ("equal", b, len(before), d, len(after))]
    return [op for op in ends if op[2] > op[1] or op[4] > op[3]]


def _close(words: Sequence[str]) -> bool:
    """Say whether the next word would touch the last of `words`."""
    return bool(words) and not words[-1][-1:].isspace()


def _readable(opcodes: Sequence[Opcode], words: list[str]) -> list[Opcode]:
    """Melt replacements together that only a mark or one short word keeps apart."""
    melted: list[Opcode] = []
    for position, (kind, a, b, c, d) in enumerate(opcodes):
        around = [one[0] for one in opcodes[max(0, position - 1) : position + 2 : 2]]
        small = kind == "equal" and len("".join(words[c:d])) <= 4
        bridge = small and around == ["replace", "replace"]
        if melted and melted[-1][0] == "replace" and (bridge or kind == "replace"):
            _, first_a, _, first_c, _ = melted[-1]
            melted[-1] = ("replace", first_a, b, first_c, d)
        else:
            melted.append((kind, a, b, c, d))
    return melted
