"""CRMT's second step alone, on what people heard and saw: CREMA-D's votes.

    python -m benchmarks.votes --votes DIR/tabulatedVotes.csv.gz

The scores of a clip are the shares of its voters that named each emotion, from its voice alone and
from its face alone; the right answer is the emotion that the actor was asked for. A share moves by
no more than itself, so tau is 1, in units of scores, and the certificate is none of a model's
inputs: r says how far shares of votes may move before the fused answer changes. Actors are split
60 / 20 / 20; weights start equal, or where cross-entropy has brought them.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from textcentric.methods.fusion.crmt.radius import Head, radius
from textcentric.methods.fusion.crmt.step_two import Cached, step_two
from textcentric.metrics.intervals import Estimate, Resampled

EMOTIONS = {"ANG": "A", "DIS": "D", "FEA": "F", "HAP": "H", "NEU": "N", "SAD": "S"}
VOICE, FACE = "1", "2"  # first digit of a row's number
START = 0.1  # every weight


def clips(path: Path) -> dict[str, dict[str, list[float]]]:
    """Return, by clip, the shares of votes of voice and face."""
    found: defaultdict[str, dict[str, list[float]]] = defaultdict(dict)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            votes = [float(row[letter]) for letter in EMOTIONS.values()]
            if sum(votes) > 0:
                found[row["fileName"]][row[""][0]] = [vote / sum(votes) for vote in votes]
    return {name: of for name, of in found.items() if {VOICE, FACE} <= of.keys()}


def split_of(actors: list[str], seed: int) -> dict[str, str]:
    order = Random(f"votes/{seed}").sample(sorted(actors), len(actors))
    first, second = round(0.6 * len(order)), round(0.8 * len(order))
    return {
        actor: "train" if at < first else "validation" if at < second else "test"
        for at, actor in enumerate(order)
    }


def cached(names: list[str], known: dict[str, dict[str, list[float]]]) -> Cached:
    scores = torch.tensor([[known[name][VOICE], known[name][FACE]] for name in names])
    emotions = list(EMOTIONS)
    return Cached(scores, torch.tensor([emotions.index(name.split("_")[2]) for name in names]))


def exact(rows: Cached, head: Head) -> Tensor:
    """Return how far the scores of each row (B,) must move in l2 to change a right answer."""
    logits = head.logits(rows.scores)
    squares = head.weights.square().sum(dim=0)  # (C,)
    gaps = logits.gather(1, rows.labels[:, None]) - logits
    far = gaps / (squares[rows.labels][:, None] + squares).sqrt()
    return far.scatter(1, rows.labels[:, None], torch.inf).amin(dim=1)


def learnt(rows: Cached, steps: int = 500) -> Head:
    """Return the weights that cross-entropy finds, without a bias, from equal ones."""
    weights = torch.full((2, len(EMOTIONS)), 5.0, requires_grad=True)
    bias = torch.zeros(len(EMOTIONS))
    optimizer = torch.optim.Adam([weights], lr=0.05)
    for _ in range(steps):
        loss = cross_entropy(Head(weights, bias).logits(rows.scores), rows.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return Head(weights.detach(), bias)


def alone(rows: Cached) -> dict[str, float]:
    """Return the accuracy of each modality's own votes."""
    right = (rows.scores.argmax(dim=2) == rows.labels[:, None]).double().mean(dim=0)
    return {name: round(float(of), 4) for name, of in zip(("voice", "face"), right, strict=True)}


def measured(rows: Cached, head: Head, drawn: Resampled) -> dict[str, Any]:
    tau = torch.ones_like(head.weights)
    found = radius(rows.scores, head, tau, rows.labels)
    true = exact(rows, head)
    right = (head.logits(rows.scores).argmax(dim=1) == rows.labels).double()
    return {
        "accuracy": drawn.mean(right.numpy()),
        "mean_radius": drawn.mean(found.double().numpy()),
        "median_radius": float(found.median()),
        "median_radius_right": float(found[found > 0].median()),
        "median_exact_right": float(true[found > 0].median()),
        "above_exact": int(((found > true + 1e-6) & (found > 0)).sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--votes", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3, help="splits of the actors")
    parser.add_argument("-o", "--output", type=Path)
    flags = parser.parse_args()
    known = clips(flags.votes)
    kept = []
    for seed in range(flags.seeds):
        of = split_of(list({name[:4] for name in known}), seed)
        names = {s: [n for n in sorted(known) if of[n[:4]] == s] for s in set(of.values())}
        rows = {split: cached(of_split, known) for split, of_split in names.items()}
        told = {"seed": seed, "clips": {split: len(of) for split, of in names.items()}}
        told["alone"] = alone(rows["test"])
        drawn = Resampled(len(names["test"]), groups=[name[:4] for name in names["test"]])
        equal = Head(torch.full((2, len(EMOTIONS)), START), torch.zeros(len(EMOTIONS)))
        for start, head in {"equal": equal, "cross-entropy": learnt(rows["train"])}.items():
            tau = torch.ones_like(head.weights)
            step = step_two(rows["train"], head, tau, held_out=rows["validation"])
            before = measured(rows["test"], head, drawn)
            after = measured(rows["test"], Head(step.weights, head.bias), drawn)
            change = {key: after[key] - before[key] for key in ("accuracy", "mean_radius")}
            told[start] = {
                "steps": step.steps,
                "weights": step.weights.round(decimals=4).tolist(),
                **{
                    when: {key: _plain(value) for key, value in of.items()}
                    for when, of in (("before", before), ("after", after), ("change", change))
                },
            }
        kept.append(told)
        print(json.dumps(told), flush=True)
    if flags.output:
        flags.output.parent.mkdir(parents=True, exist_ok=True)
        flags.output.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return [round(value.value, 4), *(round(side, 4) for side in value.interval)]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
