"""Pairs that were read, the question they answer, and the one-line baselines beside the checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from textcentric.checks.edit import Edit, Facts
from textcentric.errors import DataError, unknown

LABELS = Path(__file__).parent / "labels"
WORDS = ("same", "less", "changed", "garbled")
TRUE = {"same": {"same"}, "fewer": {"same", "less"}}
FAR, COSINE = 0.7, 0.8  # edit ratio below which a new word is far; the cosine that counts as true
ILLEGIBLE = ("adversarial/noise", "rule/typing", "rule/recognition")
WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class ReadPair:
    """A source and its variant, the prompt that made it, and what each reader called it."""

    source: str
    variant: str
    readers: tuple[str, ...]
    prompt: str = ""
    begin: str = ""
    row: str = ""
    origin: str = "sample"
    facts: tuple[str, ...] = ()

    @property
    def edit(self) -> Edit:
        """Return the pair as the checks take it."""
        return Edit(self.source, self.variant, self.row, self.facts, self.begin)

    @property
    def legible(self) -> bool:
        """Say whether misspelling is not the aim of its prompt."""
        return self.prompt not in ILLEGIBLE

    @property
    def new_words(self) -> list[str]:
        """Return the words of the variant that the source lacks."""
        known = set(words(self.source))
        return [word for word in words(self.variant) if word not in known]

    def true(self, facts: Facts) -> bool:
        """Say whether readers call it true: one or two of them all do, of more the most do."""
        votes = [reader in TRUE[facts] for reader in self.readers]
        return all(votes) if len(votes) < 3 else 2 * sum(votes) > len(votes)


def read_pairs(path: Path) -> list[ReadPair]:
    """Read pairs of JSON lines.

    Raises DataError for a line without a source, variant or readers, and for another word than
    the four, the nearest named.
    """
    return [
        _pair(line, f"{path} line {number}")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.strip()
    ]


def _pair(line: str, where: str) -> ReadPair:
    values = json.loads(line)
    for key in ("source", "variant", "readers"):
        if not values.get(key):
            raise DataError(f"{where} has no {key}; expected source, variant and readers")
    for word in values["readers"]:
        if word not in WORDS:
            raise DataError(f"{where}: {unknown('reading', word, WORDS)}")
    more = {name: values.get(name, "") for name in ("prompt", "begin", "row")}
    origin, facts = values.get("origin", "sample"), tuple(values.get("facts", ()))
    readers = tuple(values["readers"])
    return ReadPair(
        values["source"], values["variant"], readers, **more, origin=origin, facts=facts
    )


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return WORD.findall(text.lower())


def nearness(pair: ReadPair) -> float:
    """Return the edit ratio of the farthest new word to its nearest source word; 1 without any."""
    known = set(words(pair.source))
    return min((_nearest(new, known) for new in pair.new_words), default=1.0)


def far_share(pair: ReadPair) -> float:
    """Return the share of the variant's words that are new and far from every source word."""
    known = set(words(pair.source))
    far = [new for new in pair.new_words if _nearest(new, known) < FAR]
    return len(far) / max(1, len(words(pair.variant)))


def _nearest(new: str, known: Iterable[str]) -> float:
    """Return the edit ratio of a word to the nearest of those that are known."""
    matcher = SequenceMatcher(b=new, autojunk=False)
    ratios = []
    for old in known:
        matcher.set_seq1(old)
        ratios.append(matcher.ratio())
    return max(ratios, default=0.0)


def templates(sources: Sequence[str]) -> list[int]:
    """Return a group for each source; sources that share half of their words have one."""
    sets = [frozenset(words(source)) for source in sources]
    group = list(range(len(sets)))
    for one, first in enumerate(sets):
        for other in range(one):
            if 2 * len(first & sets[other]) > max(1, min(len(first), len(sets[other]))):
                old, new = group[one], group[other]
                group = [new if number == old else number for number in group]
    return group


def by_prompt(pairs: Iterable[ReadPair]) -> list[str]:
    """Return the prompts of pairs, in order."""
    return sorted({pair.prompt for pair in pairs if pair.prompt})
