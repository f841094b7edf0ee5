"""Do mixing, noise and smoothing help where pairs are few, and where some are wrong?

    textcentric latents --dataset captions.csv --data-dir images --id id --image image \\
        --text caption --group image -o latents/flickr8k
    python -m benchmarks.flickr --latents latents/flickr8k -o runs/flickr

Five folds by picture: a fold's pictures and their captions are searched, the others are learnt
from. FuseMix, the same without mixing, and Align-VL, with none, 20 % and 40 % of the training pairs
given another pair's caption. `--choose` tries settings on the second fold, so the figures are
printed without it too. Every training is kept, and a second call goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from textcentric.evaluation.ablation.arms import align_cell, query_groups
from textcentric.evaluation.ablation.cells import Cell, Found, Measured, cells_of, measured
from textcentric.evaluation.ablation.summary import as_table, summary
from textcentric.folders import write_text
from textcentric.methods.align_vl.latents import Latents, PairRows, open_latents

FOLDS, CHOSEN_ON = 5, 1  # the fold that settings are chosen on
SHUFFLED = (0.0, 0.2, 0.4)
LOOP = {
    "num_train_epochs": 20,
    "per_device_train_batch_size": 512,
    "learning_rate": 1e-3,
    "weight_decay": 0.1,
    "save_strategy": "no",
}
MODEL = {"blocks": 1, "expansion": 1, "width": 256, "dropout": 0.8}
PLAIN = {"noise_sigma": 0.0, "smoothing": 0.0}
SIGMAS, ALPHAS, DROPOUTS = (0.1, 1.0, 2.0, 3.0), (0.1, 0.3), (0.3, 0.6, 0.8)
CHOSEN = {"noise_sigma": 1.0, "smoothing": 0.1}  # by `--choose`, at every share; so was dropout


def arms() -> dict[str, dict[str, Any]]:
    """Return the three methods, and Align-VL with one of its two pieces."""
    return {
        "FuseMix": dict(PLAIN),
        "without mixing": {**PLAIN, "mixing": False},
        "Align-VL": dict(CHOSEN),
        "noise alone": {**CHOSEN, "smoothing": 0.0},
        "smoothing alone": {**CHOSEN, "noise_sigma": 0.0},
    }


def tried() -> dict[str, dict[str, Any]]:
    """Return what each method is tried with: dropout for the first two, noise and smoothing."""
    found: dict[str, dict[str, Any]] = {}
    for share in DROPOUTS:
        found[f"FuseMix dropout={share:g}"] = {**PLAIN, "dropout": share}
        found[f"without mixing dropout={share:g}"] = {**PLAIN, "dropout": share, "mixing": False}
    for sigma, alpha in product(SIGMAS, ALPHAS):
        noise = {"noise_sigma": sigma, "smoothing": alpha, "dropout": DROPOUTS[0]}
        found[f"sigma={sigma:g} alpha={alpha:g}"] = noise
    for sigma, share in product((0.5, 1.0), DROPOUTS[1:]):
        noise = {"noise_sigma": sigma, "smoothing": 0.1, "dropout": share}
        found[f"sigma={sigma:g} alpha=0.1 dropout={share:g}"] = noise
    return found


def folds(latents: Latents) -> np.ndarray:
    """Return the fold (N,) of each pair, that of its picture."""
    pictures = np.unique(latents.pairs[:, 0])
    order = Random("flickr/folds").sample(range(len(pictures)), len(pictures))
    of = {int(pictures[place]): at % FOLDS for at, place in enumerate(order)}
    return np.array([of[int(picture)] for picture in latents.pairs[:, 0]])


def held(latents: Latents, wanted: np.ndarray) -> PairRows:
    places = np.flatnonzero(wanted)
    return PairRows(latents.column("ids")[places], latents.pairs[places])


def with_wrong_pairs(rows: PairRows, share: float, seed: int) -> PairRows:
    """Return the rows with a share of their texts passed on in a ring, each to another picture."""
    rng = Random(f"flickr/shuffled/{seed}")
    places = np.array(rng.sample(range(len(rows)), round(share * len(rows))), int)
    pairs = np.array(rows.pairs)
    pairs[places, 1] = pairs[np.roll(places, 1), 1]
    return PairRows(rows.ids, pairs)


def cell(one: Cell, place: Path, *, latents: Latents, rows: PairRows, test: PairRows) -> Measured:
    """Train on rows of which a share is wrong, and search the test rows."""
    settings = dict(one.settings)
    wrong = with_wrong_pairs(rows, settings.pop("shuffled"), one.seed)
    return align_cell(
        Cell(one.arm, one.seed, settings),
        place,
        latents=latents,
        rows=wrong,
        test=test,
        loop=LOOP,
        model=MODEL,
    )


def pooled(parts: list[Found]) -> Found:
    """Return the queries of all folds as one."""
    return {
        key: {name: [v for part in parts for v in part[key][name]] for name in of}
        for key, of in parts[0].items()
    }


def groups_of(latents: Latents, tests: list[PairRows]) -> dict[str, list[str]]:
    """Return the picture of every query of each metric."""
    found: dict[str, list[str]] = {}
    for test in tests:
        pictures = [str(picture) for picture in np.asarray(test.pairs)[:, 0]]
        for name, of in query_groups(latents.modalities, test, pictures).items():
            found.setdefault(name, []).extend(of)
    return found


def shown(found: Found, groups: Mapping[str, list[str]], path: Path) -> None:
    told = summary(found, groups)
    write_text(path, json.dumps(told, indent=2) + "\n")
    print(f"\n{path.stem}\n\n{as_table(told)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", action="store_true", help="try noise and smoothing")
    flags = parser.parse_args()
    latents = open_latents(flags.latents)
    fold = folds(latents)
    for share in SHUFFLED:
        parts, tests = [], []
        # Chosen on the second fold; the first one is not touched.
        for number in [CHOSEN_ON] if flags.choose else range(FOLDS):
            outside = (fold == number) | (fold == 0 if flags.choose else False)
            rows, test = held(latents, ~outside), held(latents, fold == number)
            wanted = tried() if flags.choose else arms()
            wanted = {arm: {**of, "shuffled": share} for arm, of in wanted.items()}
            name = f"{'choose-' if flags.choose else ''}{share:g}-{number}"
            parts.append(
                measured(
                    cells_of(wanted, flags.seeds),
                    flags.output / name,
                    {"latents": latents.digest, "arms": wanted, "loop": LOOP, "model": MODEL},
                    partial(cell, latents=latents, rows=rows, test=test),
                    partial(print, flush=True),
                )
            )
            tests.append(test)
        kind = "choosing" if flags.choose else "test"
        path = flags.output / f"{kind} {100 * share:g} % wrong.json"
        shown(pooled(parts), groups_of(latents, tests), path)
        if not flags.choose:
            unseen = [at for at in range(FOLDS) if at != CHOSEN_ON]
            parts, tests = [parts[at] for at in unseen], [tests[at] for at in unseen]
            path = path.with_name(f"{path.stem}, without the fold of the choice.json")
            shown(pooled(parts), groups_of(latents, tests), path)


if __name__ == "__main__":
    main()
