"""How well the checks tell a true variant from a false one.

Edits of known truth by kind, by half of the words and by origin, and pairs that were read, beside
the one-line baselines "no far new word" and "cosine of the sentence embeddings >= 0.8".

    python -m benchmarks truth
    python -m benchmarks.truth --pairs fresh.jsonl     # newly read pairs in place of the committed

The committed pairs are those that the weights were fitted on: their figures are not to report.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks.edit_rows import passages
from benchmarks.edits import KINDS, KnownEdit, make_edits
from benchmarks.figure import Bar, Figure, keep, show
from benchmarks.read_pairs import (
    COSINE,
    FAR,
    LABELS,
    ReadPair,
    by_prompt,
    far_share,
    nearness,
    read_pairs,
    templates,
)
from textcentric.checks.edit import Edit, Embed, Facts
from textcentric.checks.verdict import Verdict, judge
from textcentric.cli.terminal import columns

BAR = Bar("truth", ">=", 1.0, unit="of the bars")
SURE = ("negated", "number", "name")  # caught at least 0.95; the other untrue kinds 0.8
CAUGHT_SURE, CAUGHT, REFUSED = 0.95, 0.8, 0.15
FEWER = "clause dropped (fewer)"
QUICK = {"count": 48, "embed": False, "data": Path("nowhere"), "draws": 20}
Judged: TypeAlias = "list[tuple[KnownEdit, Verdict]]"
Row: TypeAlias = list[str | int | float]


def measure(
    count: int = 2000,
    seed: int = 0,
    *,
    embed: bool = True,
    data: Path | None = None,
    pairs: Path = LABELS / "sentences.jsonl",
    draws: int = 1000,
) -> Figure:
    """Judge `count` edits of known truth and the read pairs; the figure: the share of bars met."""
    encoder = packaged() if embed else None
    edits = make_edits(passages(data), count, seed)
    judged = judged_edits(edits, encoder)
    kinds = {kind: Kind.of(kind, held) for kind, held in judged.items()}
    read = read_pairs(pairs)
    notes = [*edit_table(judged, kinds), "", *pair_tables(read, encoder, draws)]
    met = [kind.met for kind in kinds.values()]
    return BAR.figure(
        f"bars met by edits of known truth ({len(edits)} edits)",
        sum(met) / len(met),
        raw={"kinds": {name: kind.raw for name, kind in kinds.items()}, "seed": seed},
        notes=tuple(notes),
    )


def packaged() -> Embed:
    """Return the packaged sentence encoder."""
    from textcentric.models.packaged import packaged_encoder
    from textcentric.models.sentence_encoder import SentenceEncoder

    return SentenceEncoder(str(packaged_encoder())).vectors


def judged_edits(edits: Sequence[KnownEdit], encoder: Embed | None) -> dict[str, Judged]:
    """Return each kind's edits with their verdicts; a dropped clause is asked for `fewer` too."""
    judged: dict[str, Judged] = {kind: [] for kind in (*KINDS, FEWER)}
    verdicts = judge([_as_edit(edit) for edit in edits], "same", encoder=encoder)
    for edit, verdict in zip(edits, verdicts, strict=True):
        judged[edit.kind].append((edit, verdict))
    dropped = [edit for edit in edits if edit.kind == "clause dropped"]
    fewer = judge([_as_edit(edit) for edit in dropped], "fewer", encoder=encoder)
    judged[FEWER] = list(zip(dropped, fewer, strict=True))
    return judged


def _as_edit(edit: KnownEdit) -> Edit:
    passage = edit.passage
    return Edit(passage.text, edit.variant, passage.row, passage.facts)


class Kind:
    """What came of the edits of one kind: the share refused, and the bar for it."""

    def __init__(self, name: str, refused: float, n: int, unjudged: int, true: bool) -> None:
        self.name, self.refused, self.n, self.unjudged, self.true = name, refused, n, unjudged, true

    @classmethod
    def of(cls, name: str, judged: Judged) -> Kind:
        true = name == FEWER or any(edit.true for edit, _ in judged)
        unjudged = sum(verdict.true is None for _, verdict in judged)
        return cls(name, refused_share(judged), len(judged), unjudged, true)

    @property
    def bar(self) -> float:
        """Return the share refused that is to be reached, or not to be passed."""
        return REFUSED if self.true else CAUGHT_SURE if self.name in SURE else CAUGHT

    @property
    def met(self) -> bool:
        """Say whether the bar is met."""
        return not self.n or (self.refused <= self.bar if self.true else self.refused >= self.bar)

    @property
    def raw(self) -> dict[str, float | int | bool]:
        """Return all of it as it is kept."""
        return {"true": self.true, "refused": self.refused, "n": self.n, "unjudged": self.unjudged}


def refused_share(judged: Iterable[tuple[KnownEdit, Verdict]]) -> float:
    """Return the share of edits that do not pass; what is not judged does not pass."""
    passed = [verdict.true is True for _, verdict in judged]
    return 1 - sum(passed) / len(passed) if passed else float("nan")


def edit_table(judged: Mapping[str, Judged], kinds: Mapping[str, Kind]) -> list[str]:
    """Return the table of edits as lines."""
    rows: list[Row] = []
    for name, kind in kinds.items():
        held = judged[name]
        shares = [
            _share([pair for pair in held if keep_it(pair[0])])
            for keep_it in (
                *(lambda edit, half=half: edit.half == half for half in ("listed", "unlisted", "")),
                *(lambda edit, o=o: edit.passage.origin == o for o in ("sample", "real")),
            )
        ]
        bar = f"{'<=' if kind.true else '>='} {kind.bar}"
        what = "refused" if kind.true else "caught"
        rows.append(
            [name, what, bar, _two(kind.refused), *shares, kind.n, kind.unjudged, _met(kind.met)]
        )
    header = "kind is bar all listed unlisted no-word sample real n unjudged verdict".split()
    return columns(rows, header).splitlines()


def _met(met: bool) -> str:
    return "met" if met else "MISSED"


def _share(judged: Judged) -> str:
    return f"{_two(refused_share(judged))} of {len(judged)}" if judged else "-"


def _two(value: float) -> str:
    return f"{value:.2f}"


def pair_tables(pairs: Sequence[ReadPair], encoder: Embed | None, draws: int) -> list[str]:
    """Return the tables of read pairs, one for each question, as lines."""
    lines: list[str] = []
    cosines = cosine(pairs, encoder)
    for facts in ("fewer", "same"):
        read = Readings(pairs, facts, verdicts(pairs, facts, encoder), cosines)
        lines += [f"read pairs, facts: {facts}", *read.table(draws).splitlines(), ""]
    return lines


def verdicts(pairs: Sequence[ReadPair], facts: Facts, encoder: Embed | None) -> list[Verdict]:
    """Return the verdict of each pair."""
    places: dict[bool, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        places[pair.legible].append(place)
    found: dict[int, Verdict] = {}
    for legible, held in places.items():
        edits = [pairs[place].edit for place in held]
        found |= dict(zip(held, judge(edits, facts, legible, encoder=encoder), strict=True))
    return [found[place] for place in range(len(pairs))]


def cosine(pairs: Sequence[ReadPair], encoder: Embed | None) -> np.ndarray:
    """Return the cosine of each pair's embeddings (N,); zeros without an encoder."""
    if encoder is None:
        return np.zeros(len(pairs))
    sources = encoder([pair.source for pair in pairs])
    cosines: np.ndarray = (sources * encoder([pair.variant for pair in pairs])).sum(axis=1)
    return cosines


class Readings:
    """Read pairs beside what the checks and the one-line baselines say of them (N pairs)."""

    def __init__(
        self,
        pairs: Sequence[ReadPair],
        facts: Facts,
        judged: Sequence[Verdict],
        cosines: np.ndarray,
    ) -> None:
        self.pairs, self.facts = pairs, facts
        self.true = np.array([pair.true(facts) for pair in pairs])
        self.score = np.array([verdict.score or 0.0 for verdict in judged])
        self.far = -np.array([far_share(pair) for pair in pairs])
        self.calls = {
            "verdict": np.array([verdict.true is True for verdict in judged]),
            "no far new word": np.array([nearness(pair) >= FAR for pair in pairs]),
            f"cosine >= {COSINE}": cosines >= COSINE,
        }
        self.groups = np.array(templates([pair.source for pair in pairs]))

    def subsets(self) -> dict[str, np.ndarray]:
        """Return which pairs are in each group of the table."""
        new = np.array([bool(pair.new_words) for pair in self.pairs])
        subsets = {"all": np.ones(len(self.pairs), bool), "with new words": new}
        for origin in ("sample", "real"):
            subsets[origin] = np.array([pair.origin == origin for pair in self.pairs])
        for prompt in by_prompt(self.pairs):
            subsets[prompt] = np.array([pair.prompt == prompt for pair in self.pairs])
        return {name: mask for name, mask in subsets.items() if mask.any()}

    def table(self, draws: int) -> str:
        """Return precision and recall of each call in each group, and the areas under the curve."""
        rows: list[Row] = []
        for name, mask in self.subsets().items():
            for call, said in self.calls.items():
                rows.append([name, call, *self._figures(mask, said), ""])
            rows[-len(self.calls)][-1] = self.areas(mask, draws)
        header = ["pairs", "true if", "n (true)", "precision [95 %]", "recall", "area"]
        return columns(rows, header)

    def _figures(self, mask: np.ndarray, said: np.ndarray) -> list[str]:
        true, called = self.true[mask], said[mask]
        right, positive = int((true & called).sum()), int(called.sum())
        low, high = wilson(right, positive)
        precision = f"{right / positive:.2f} [{low:.2f}, {high:.2f}]" if positive else "none called"
        recall = f"{right / true.sum():.2f}" if true.any() else "-"
        return [f"{len(true)} ({int(true.sum())})", precision, recall]

    def areas(self, mask: np.ndarray, draws: int) -> str:
        """Return the area of the score, of the baseline, and the interval of their difference."""
        true, score, far = self.true[mask], self.score[mask], self.far[mask]
        if true.all() or not true.any():
            return "-"
        low, high = difference(true, score, far, self.groups[mask], draws)
        ours, theirs = area(true, score), area(true, far)
        return f"{ours:.3f}, no far new word {theirs:.3f}, difference [{low:+.3f}, {high:+.3f}]"


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    if not n:
        return 0.0, 1.0
    share = right / n
    middle = share + z * z / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    whole = 1 + z * z / n
    return (middle - half) / whole, (middle + half) / whole


def area(true: np.ndarray, score: np.ndarray) -> float:
    """Return the area under the ROC curve: the share of pairs of both classes in right order."""
    yes, no = score[true][:, None], score[~true][None, :]
    return float(((yes > no) + 0.5 * (yes == no)).mean())


def difference(
    true: np.ndarray, ours: np.ndarray, theirs: np.ndarray, groups: np.ndarray, draws: int
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the difference of two areas; whole groups are drawn."""
    rng = np.random.default_rng(0)
    names = np.unique(groups)
    places = {name: np.flatnonzero(groups == name) for name in names}
    found = []
    for _ in range(draws):
        drawn = np.concatenate([places[name] for name in rng.choice(names, len(names))])
        if true[drawn].any() and not true[drawn].all():
            found.append(area(true[drawn], ours[drawn]) - area(true[drawn], theirs[drawn]))
    low, high = np.percentile(found, [2.5, 97.5]) if found else (np.nan, np.nan)
    return float(low), float(high)


def examples(judged: Mapping[str, Judged], kinds: Mapping[str, Kind], most: int) -> Iterable[str]:
    """Yield edits of every kind on which the verdict is wrong."""
    for name, held in judged.items():
        wrong = [pair for pair in held if (pair[1].true is True) != kinds[name].true]
        for edit, verdict in wrong[:most]:
            score = "-" if verdict.score is None else f"{verdict.score:.2f}"
            where = f"{edit.half or 'no word'}, {edit.passage.origin}"
            yield f"{name} ({where}) {score} {verdict.reason}"
            yield f"    {edit.passage.text}\n    {edit.variant}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="edits of known truth")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="folder of real rows: petfinder, airbnb")
    parser.add_argument("--pairs", type=Path, default=LABELS / "sentences.jsonl")
    parser.add_argument("--no-embeddings", action="store_true")
    parser.add_argument("--wrong", type=int, default=0, metavar="N", help="show N a kind")
    flags = parser.parse_args()
    embed = not flags.no_embeddings
    if flags.wrong:
        edits = make_edits(passages(flags.data), flags.count, flags.seed)
        judged = judged_edits(edits, packaged() if embed else None)
        kinds = {kind: Kind.of(kind, held) for kind, held in judged.items()}
        print("\n".join([*edit_table(judged, kinds), *examples(judged, kinds, flags.wrong)]))
        return
    figure = measure(flags.count, flags.seed, embed=embed, data=flags.data, pairs=flags.pairs)
    keep([figure])
    show([figure])


if __name__ == "__main__":
    main()
