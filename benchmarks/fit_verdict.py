"""Fit the weights of the verdict on pairs that were read, cross-validated by template.

    python -m benchmarks.fit_verdict --pairs read.jsonl --likelihoods likelihoods.jsonl

Rules speak first, and what they refuse is not fitted on. One logistic regression is fitted for
each question (`same`, `fewer`) and for each set of parts that may be known: texts alone, with
embeddings, with likelihoods. Sources that share half of their words stay on one side of a split.
Few read pairs are true, so edits of known truth (sample sentences and the listed half of the words
alone, another seed than the benchmark's) are fitted on beside them, at a lower weight; figures and
thresholds are of read pairs only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TypedDict

import numpy as np

from benchmarks.edit_rows import sample_passages
from benchmarks.edits import make_edits
from benchmarks.read_pairs import LABELS, ReadPair, read_pairs, templates
from textcentric.checks.edit import Edit, Embed, Facts
from textcentric.checks.meaning import cosines
from textcentric.checks.parts import parts_of, rule_reason
from textcentric.checks.slips import without_slips
from textcentric.checks.verdict import GROUPS, WEIGHTS, question
from textcentric.folders import write_text
from textcentric.reading.cuts import default_cut, figures, thresholds

TEXT = (
    "far borrowed altered fillers missing replaced relations function inflected moved degree"
    " names_lost"
).split()
RISING = tuple(key for keys in GROUPS.values() for key in keys)  # speak for the truth
PENALTY = 1.0  # C of scikit-learn: the smaller, the nearer to 0 the weights
EDITS, EDIT_SEED, EDIT_WEIGHT = 600, 815, 0.2
FOLDS = 10


class Likelihood(TypedDict):
    """What a model said of the pair in line `at`."""

    at: int
    logprob: float | None
    back: float | None


def edits_of(pairs: Sequence[ReadPair], likelihoods: Path | None) -> list[Edit]:
    """Return the pairs as edits, with the likelihoods that were read before."""
    edits = [pair.edit for pair in pairs]
    if likelihoods is None or not likelihoods.is_file():
        return edits
    for line in likelihoods.read_text("utf-8").splitlines():
        held: Likelihood = json.loads(line)
        at = held["at"]
        edits[at] = replace(edits[at], logprob=held["logprob"], back=held["back"])
    return edits


@dataclass(frozen=True)
class Table:
    """Parts x (N, F) under the names `keys`, and whether each is true, y (N,)."""

    x: np.ndarray
    y: np.ndarray
    keys: Sequence[str]

    def at(self, chosen: np.ndarray) -> Table:
        """Return the rows that are chosen."""
        return Table(self.x[chosen], self.y[chosen], self.keys)


def joined(read: Table, known: Table) -> tuple[np.ndarray, np.ndarray, Sequence[str], np.ndarray]:
    """Return what `fit_logistic` takes: both tables, the known edits at their lower weight."""
    weight = np.concatenate([np.ones(len(read.y)), np.full(len(known.y), EDIT_WEIGHT)])
    x, y = np.concatenate([read.x, known.x]), np.concatenate([read.y, known.y])
    return x, y, read.keys, weight


def known_edits(facts: Facts) -> tuple[list[Edit], np.ndarray]:
    """Return edits of known truth for the question `facts`, and whether each is true."""
    made = make_edits(sample_passages(seed=EDIT_SEED), EDITS, EDIT_SEED)
    made = [edit for edit in made if edit.half != "unlisted"]
    edits = [Edit(e.passage.text, e.variant, e.passage.row, e.passage.facts) for e in made]
    dropped = [facts == "fewer" and edit.kind == "clause dropped" for edit in made]
    return edits, np.array([e.true or d for e, d in zip(made, dropped, strict=True)])


def fit_logistic(
    x: np.ndarray, y: np.ndarray, keys: Sequence[str], weight: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return weights (F,) and intercept of a logistic regression on unscaled parts (N, F).

    A part that would speak for the opposite of what it tells gets no weight: few pairs are true.
    """
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), x.std(axis=0)
    used = np.flatnonzero(scale > 1e-9)
    sign = np.array([1.0 if key in RISING else -1.0 for key in keys])
    while True:
        z = (x[:, used] - mean[used]) / scale[used]
        model = LogisticRegression(C=PENALTY, max_iter=2000).fit(z, y, sample_weight=weight)
        wrong = model.coef_[0] * sign[used] < 0
        if not wrong.any():
            break
        used = np.delete(used, np.argmin(model.coef_[0] * sign[used]))
    weights = np.zeros(len(keys))
    weights[used] = model.coef_[0] / scale[used]
    return weights, float(model.intercept_[0] - weights @ mean)


def cross_validated(read: Table, known: Table, groups: np.ndarray) -> np.ndarray:
    """Return the probability of each read pair (N,), from a fit that saw none of its template."""
    from sklearn.model_selection import GroupKFold

    scores = np.zeros(len(read.y))
    folds = GroupKFold(min(FOLDS, len(set(groups)))).split(read.x, read.y, groups)
    for train, test in folds:
        weights, intercept = fit_logistic(*joined(read.at(train), known))
        scores[test] = 1 / (1 + np.exp(-(read.x[test] @ weights + intercept)))
    return scores


def measured(
    edits: Sequence[Edit], facts: Facts, encoder: Embed | None
) -> tuple[list[dict[str, float]], list[str]]:
    """Return the parts of each edit, and why a rule refuses it (empty where none does)."""
    edits = [without_slips(edit) for edit in edits]
    near = cosines(edits, encoder) if encoder else [(0.0, 0.0)] * len(edits)
    parts = [
        dict(parts_of(edit)) | {"cosine": one, "tail": other}
        for edit, (one, other) in zip(edits, near, strict=True)
    ]
    rules = [rule_reason(edit, facts, True, held) for edit, held in zip(edits, parts, strict=True)]
    return parts, rules


def table_of(
    parts: Sequence[Mapping[str, float]], true: np.ndarray, use: np.ndarray, keys: Sequence[str]
) -> Table:
    """Return the rows `use` as a table of the parts `keys`."""
    return Table(np.array([[parts[i][key] for key in keys] for i in use]), true[use], keys)


def fit(
    pairs: Sequence[ReadPair], edits: Sequence[Edit], facts: Facts, encoder: Embed | None
) -> tuple[dict[str, object], list[str]]:
    """Return the weights of each set of parts for one question, and a table of their figures."""
    parts, rules = measured(edits, facts, encoder)
    extra, extra_true = known_edits(facts)
    extra_parts, extra_rules = measured(extra, facts, encoder)
    true = np.array([pair.true(facts) for pair in pairs])
    open_ = np.array([not rule for rule in rules])
    new = np.array([bool(pair.new_words) for pair in pairs])
    groups = np.array(templates([pair.source for pair in pairs]))
    table = [
        f"{facts}: rules refuse {int((~open_).sum())}, of which true {int(true[~open_].sum())}"
    ]
    table += [f"  true but: {rules[i]}: {pairs[i].source} -> {pairs[i].variant}"
              for i in np.flatnonzero(~open_ & true)]  # fmt: skip
    beside = np.flatnonzero([not rule for rule in extra_rules])
    held: dict[str, object] = {}
    for chosen in product(*([False, True] for _ in GROUPS)):
        names = [n for (n, _), take in zip(GROUPS.items(), chosen, strict=True) if take]
        keys = [*TEXT, *(key for name in names for key in GROUPS[name])]
        known = np.array([all(key in one for key in keys) for one in parts])
        use = np.flatnonzero(open_ & known)
        if len(use) < 20 or not 5 < true[use].sum() < len(use):
            continue
        likely = [key for name in ("forward", "back") if name in names for key in GROUPS[name]]
        read = table_of(parts, true, use, keys)
        usual = {key: float(np.mean([parts[i][key] for i in use])) for key in likely}
        known_ones = table_of([one | usual for one in extra_parts], extra_true, beside, keys)
        scores = np.zeros(len(pairs))
        scores[use] = cross_validated(read, known_ones, groups[use])
        cuts = thresholds(scores[use], true[use])
        cut = default_cut(scores[use], true[use])
        weights, intercept = fit_logistic(*joined(read, known_ones))
        said = scores >= cut
        told = {"all": figures(said[known], true[known])}
        told["new words"] = figures(said[known & new], true[known & new])
        for prompt in sorted({p.prompt for p in pairs}):
            at = np.array([p.prompt == prompt for p in pairs]) & known
            told[prompt] = figures(said[at], true[at])
        name = question(facts, dict.fromkeys(keys, 0.0))
        held[name] = {
            "intercept": round(intercept, 4),
            "weights": {k: round(float(w), 4) for k, w in zip(keys, weights, strict=True)},
            "threshold": round(cut, 4),
            "thresholds": cuts,
            "cross-validated": told,
        }
        table.append(f"{name} at {cut:.2f}")
        table += [f"  {label:24} " + "  ".join(f"{k} {v}" for k, v in one.items())
                  for label, one in told.items()]  # fmt: skip
    return held, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=LABELS / "sentences.jsonl")
    parser.add_argument("--likelihoods", type=Path, default=LABELS / "likelihoods.jsonl")
    parser.add_argument("--dry", action="store_true", help="print, write nothing")
    given = parser.parse_args()
    from benchmarks.truth import packaged

    pairs = read_pairs(given.pairs)
    edits, encoder = edits_of(pairs, given.likelihoods), packaged()
    questions: dict[str, object] = {}
    for facts in ("same", "fewer"):
        held, table = fit(pairs, edits, facts, encoder)
        questions |= held
        print("\n".join(table))
    if not given.dry:
        about = (
            "Fitted by `python -m benchmarks.fit_verdict`; figures are cross-validated by template."
        )
        text = json.dumps({"about": about, "pairs": len(pairs), "questions": questions}, indent=1)
        write_text(WEIGHTS, text + "\n")


if __name__ == "__main__":
    main()
