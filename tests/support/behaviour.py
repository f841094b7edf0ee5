"""What the checks say of a fixed set of pairs, which touches each of them.

    python -m tests.support.behaviour   # after a line was added, or VERSION raised

A line of `tests/checks/behaviour.jsonl` is a pair, and a digest of all that the checks say of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import get_args

import numpy as np

from textcentric.checks.answer import answer_fault, goes_in_circles, pick_fault, similarity_fault
from textcentric.checks.edit import Edit, Facts
from textcentric.checks.entailment import Entailed
from textcentric.checks.identity import VERSION
from textcentric.checks.likelihood import back_reading
from textcentric.checks.pairs import narrowed, undecided
from textcentric.checks.verdict import Verdict, judge
from textcentric.prompts.prompt import Checks

HELD = Path(__file__).parents[1] / "checks" / "behaviour.jsonl"
FREE = Checks()
BOUND = Checks(
    words=(3, 60),
    length=(0.5, 1.5),
    new_words=(0.05, 0.9),
    new_numbers=0,
    moved=0.1,
    similarity=(0.3, 0.9),
)
COSINES = (0.2, 0.5, 0.95)
ASKED = ("Say the sentence in other words. Answer with the new text only.", "Say it shorter.")


@dataclass(frozen=True)
class Pair:
    """A pair of the set; `said` is the digest of what the checks said of it."""

    source: str = ""
    variant: str = ""
    row: str = ""
    facts: tuple[str, ...] = ()
    begin: str = ""
    said: str = ""

    @property
    def edit(self) -> Edit:
        """Return what the checks read."""
        return Edit(self.source, self.variant, self.row, self.facts, self.begin)


def read_pairs(path: Path = HELD) -> tuple[int, list[Pair]]:
    """Return the version of the checks that said it, and the pairs."""
    first, *lines = path.read_text("utf-8").splitlines()
    held = [json.loads(line) for line in lines]
    pairs = [Pair(**{**one, "facts": tuple(one.get("facts", ()))}) for one in held]
    return int(json.loads(first)["version"]), pairs


def write_pairs(pairs: Sequence[Pair], path: Path = HELD) -> None:
    """Write the pairs with what the checks say of them now."""
    lines = [{"version": VERSION}, *(_line(replace(pair, said=said(pair.edit))) for pair in pairs)]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")


def _line(pair: Pair) -> dict[str, object]:
    return {key: value for key, value in asdict(pair).items() if value}


def changed(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of which the checks say something else than they did."""
    return [pair for pair in pairs if pair.said and pair.said != said(pair.edit)]


def said(edit: Edit) -> str:
    """Return eight hex digits for all that the checks say of an edit."""
    return blake2b(repr([*_answers(edit)]).encode(), digest_size=4).hexdigest()


def _answers(edit: Edit) -> Iterator[object]:
    for legible in (True, False):
        for facts in get_args(Facts):
            yield from map(_words, _verdicts(edit, facts, legible))
    for checks in (FREE, BOUND):
        yield answer_fault(edit, checks, ASKED), pick_fault(edit, checks)
        yield [similarity_fault(checks, cosine) for cosine in COSINES]
    yield goes_in_circles(edit.variant), narrowed(edit.row or edit.source, edit.variant)
    yield back_reading(edit)


def _verdicts(edit: Edit, facts: Facts, legible: bool) -> Iterator[Verdict]:
    likely = replace(edit, logprob=-9.0, back=-2.5)
    yield from judge([edit], facts, legible)
    yield from judge([edit], facts, legible, strict=0.95)
    yield from judge([likely], facts, legible, encoder=_by_length)
    yield from judge([edit], facts, legible, encoder=_by_length, entailment=_inferred)


def _by_length(texts: Sequence[str]) -> np.ndarray:
    """Stand in for an encoder: vectors (B, 2) by which texts of one length are alike."""
    angles = [len(text) / 50 for text in texts]
    return np.array([(np.cos(angle), np.sin(angle)) for angle in angles])


def _inferred(edits: Sequence[Edit]) -> list[Entailed]:
    """Stand in for an inference model: what is longer says more."""
    return [
        Entailed(
            follows=float(len(edit.variant) <= len(edit.source)),
            covers=float(len(edit.variant) > 20),
            contradicts=float("not" in edit.variant),
        )
        for edit in edits
    ]


def _words(verdict: Verdict) -> object:
    parts = sorted(verdict.parts.items())
    return verdict.true, verdict.score, parts, verdict.reason, undecided(verdict)


def main() -> None:
    version, pairs = read_pairs()
    if version == VERSION and (others := changed(pairs)):
        raise SystemExit(
            f"of {len(others)} pairs the checks say something else than in version {version}:"
            " raise VERSION in textcentric/checks/identity.py first"
        )
    write_pairs(pairs)


if __name__ == "__main__":
    main()
