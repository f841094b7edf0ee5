"""Do mixing, noise and smoothing help where pairs are few, and where some are wrong?

    textcentric latents --dataset captions.csv --data-dir images --id row-number --image image \\
        --text caption --group image -o latents/flickr8k
    python -m benchmarks.flickr --latents latents/flickr8k -o runs/flickr --choose

Five folds by picture: a fold's pictures and their captions are searched, the others are learnt
from. FuseMix, the same without mixing, and Align-VL, with none, 20 % and 40 % of the training pairs
given another pair's caption. `--choose` first finds the settings of every arm at every share on the
second fold, so the figures are printed without it too; it leaves them in `chosen.json`, by which a
call without it goes. Every training is kept, and a second call goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from textcentric.errors import RunError
from textcentric.evaluation.ablation.arms import align_cell, query_groups
from textcentric.evaluation.ablation.cells import Cell, Found, Measured, measured
from textcentric.evaluation.ablation.summary import as_table, summary
from textcentric.folders import write_text
from textcentric.methods.align_vl.latents import Latents, PairRows, open_latents
from textcentric.settings import Given

CHOSEN = "chosen.json"
FOLDS, CHOSEN_ON = 5, 1  # the fold that settings are chosen on
SHUFFLED = (0.0, 0.2, 0.4)
LOOP = {
    "per_device_train_batch_size": 512,
    "learning_rate": 1e-3,
    "weight_decay": 0.1,
    "save_strategy": "no",
}
MODEL = {"blocks": 1, "expansion": 1, "width": 256}
ARMS: Mapping[str, Given] = {
    "FuseMix": {"noise_sigma": 0.0, "smoothing": 0.0},
    "without mixing": {"noise_sigma": 0.0, "smoothing": 0.0, "mixing": False},
    "Align-VL": {},
    "noise alone": {"smoothing": 0.0},
    "smoothing alone": {"noise_sigma": 0.0},
}
DROPOUTS, EPOCHS = (0.3, 0.6, 0.8, 0.9, 0.95, 0.98), (4, 8, 20, 40)
START = {"noise_sigma": 1.0, "smoothing": 0.1}  # while dropout and epochs are drawn
LADDERS: Mapping[str, tuple[float, ...]] = {
    "dropout": (0.0, 0.15, *DROPOUTS, 0.99, 0.995, 0.998),
    "num_train_epochs": (1, 2, *EPOCHS, 80, 160),
    "noise_sigma": (0.06, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0),
    "smoothing": (0.003, 0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8),
}


def drawn(arm: str) -> list[Given]:
    """Return a random half of the grid of dropout and epochs, the same for every arm."""
    grid = list(product(DROPOUTS, EPOCHS))
    half = Random("flickr/grid").sample(grid, len(grid) // 2)
    rest = {**START, **ARMS[arm]}
    return [{**rest, "dropout": share, "num_train_epochs": epochs} for share, epochs in half]


def neighbours(settings: Given, arm: str) -> Iterator[Given]:
    """Yield the settings that are one rung away on one ladder, of what the arm does not fix."""
    for name, ladder in LADDERS.items():
        if name not in ARMS[arm]:
            at = ladder.index(settings[name])
            for value in ladder[max(at - 1, 0) : at + 2]:
                if value != settings[name]:
                    yield {**settings, name: value}


def criterion(measured: Measured) -> float:
    """Return the mean of R@1, 5 and 10, both ways."""
    return float(np.mean([np.mean(values) for values in measured.values()]))


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
    """Return the rows with a share of their texts passed on in a ring, each to another picture.

    The ring goes through the pictures in a random order, by as many places as a picture has pairs
    at most.
    """
    rng = Random(f"flickr/shuffled/{seed}")
    places = np.array(rng.sample(range(len(rows)), round(share * len(rows))), int)
    pairs = np.array(rows.pairs)
    _, picture, many = np.unique(pairs[places, 0], return_inverse=True, return_counts=True)
    turn = np.array(rng.sample(range(len(many)), len(many)), int)
    ring = places[np.argsort(turn[picture], kind="stable")]
    pairs[ring, 1] = pairs[np.roll(ring, many.max(initial=0)), 1]
    return PairRows(rows.ids, pairs)


def cell(one: Cell, place: Path, *, latents: Latents, rows: PairRows, test: PairRows) -> Measured:
    """Train on rows of which a share is wrong, and search the test rows."""
    settings = dict(one.settings)
    wrong = with_wrong_pairs(rows, settings.pop("shuffled"), one.seed)
    loop = {**LOOP, "num_train_epochs": settings.pop("num_train_epochs")}
    told = align_cell(
        Cell(one.arm, one.seed, settings),
        place,
        latents=latents,
        rows=wrong,
        test=test,
        loop=loop,
        model=MODEL,
    )
    shutil.rmtree(place)
    return told


def choose(
    arm: str, measure: Callable[[Sequence[Given]], list[float]], also: Given | None = None
) -> dict[str, Any]:
    """Return the best settings, first of the drawn half, then of neighbours until none is better.

    So what is chosen has been compared with both its neighbours on every ladder. The dropout and
    epochs of `also`, what another arm has chosen, are tried before all.
    """
    scores: list[float] = []
    tries: list[Given] = []
    wanted: list[Given] = [] if also is None else [{**START, **also, **ARMS[arm]}]
    wanted += [one for one in drawn(arm) if one not in wanted]
    while wanted:
        scores += measure(wanted)
        tries += wanted
        best = tries[int(np.argmax(scores))]
        wanted = [one for one in neighbours(best, arm) if one not in tries]
    return {"settings": best, "score": max(scores), "tries": len(tries)}


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


def named(arm: str, settings: Given) -> str:
    """Return a name for an arm with what it does not fix."""
    free = [f"{name}={settings[name]:g}" for name in LADDERS if name not in ARMS[arm]]
    return " ".join([arm, *free])


def chosen(
    latents: Latents, output: Path, share: float, arm: str, also: Given | None = None
) -> dict[str, Any]:
    """Choose the settings of an arm at a share of wrong pairs, on the second fold.

    The first fold is not touched.
    """
    fold = folds(latents)
    rows, test = held(latents, ~np.isin(fold, [0, CHOSEN_ON])), held(latents, fold == CHOSEN_ON)
    work = partial(cell, latents=latents, rows=rows, test=test)
    plan = {"latents": latents.digest, "loop": LOOP, "model": MODEL}

    def scores(wanted: Sequence[Given]) -> list[float]:
        cells = [Cell(named(arm, of), 0, {**of, "shuffled": share}) for of in wanted]
        place = output / f"choose-{share:g}"
        found = measured(cells, place, plan, work, partial(print, flush=True))
        return [criterion(found[one.arm, 0]) for one in cells]

    told = choose(arm, scores, also)
    print(f"{share:g} {arm}: {json.dumps(told)}", flush=True)
    return told


def tested(
    latents: Latents, output: Path, share: float, wanted: Mapping[str, Given], seeds: int
) -> None:
    """Train arms with their settings on all but each fold, and write the tables.

    The fold of the choice is the last one, and there is a table without it.
    """
    fold = folds(latents)
    numbers = [number for number in range(FOLDS) if number != CHOSEN_ON] + [CHOSEN_ON]
    tests = [held(latents, fold == number) for number in numbers]
    plan = {"latents": latents.digest, "loop": LOOP, "model": MODEL}
    cells = [
        Cell(named(arm, of), seed, {**of, "shuffled": share})
        for seed, (arm, of) in product(range(seeds), wanted.items())
    ]
    arms = {named(arm, of): arm for arm, of in wanted.items()}
    parts: list[Found] = []
    for number, test in zip(numbers, tests, strict=True):
        rows = held(latents, fold != number)
        work = partial(cell, latents=latents, rows=rows, test=test)
        place = output / f"{share:g}-{number}"
        found = measured(cells, place, plan, work, partial(print, flush=True))
        parts.append({(arms[name], seed): of for (name, seed), of in found.items()})
        if number == numbers[-2]:
            name = f"test {100 * share:g} % wrong, without the fold of the choice.json"
            shown(pooled(parts), groups_of(latents, tests[:-1]), output / name)
    shown(pooled(parts), groups_of(latents, tests), output / f"test {100 * share:g} % wrong.json")


def choose_all(latents: Latents, output: Path) -> None:
    """Write `chosen.json`: the settings of each arm at each share.

    All arms try the dropout and epochs that FuseMix, the first, has chosen.
    """
    told: dict[str, dict[str, Given]] = {}
    for share in SHUFFLED:
        of = told[f"{share:g}"] = {}
        for arm in ARMS:
            first = of.get("FuseMix", {})
            also = (
                {name: first[name] for name in ("dropout", "num_train_epochs")} if first else None
            )
            of[arm] = chosen(latents, output, share, arm, also)["settings"]
        write_text(output / CHOSEN, json.dumps(told, indent=2) + "\n")


def settings_of(output: Path, share: float) -> dict[str, Given]:
    """Return what was chosen for each arm; raises RunError before `--choose`."""
    if not (output / CHOSEN).is_file():
        raise RunError(f"{output} has no {CHOSEN}: give --choose first")
    told: dict[str, dict[str, Given]] = json.loads((output / CHOSEN).read_text())
    return told[f"{share:g}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", action="store_true", help="choose settings before")
    flags = parser.parse_args()
    latents = open_latents(flags.latents)
    if flags.choose:
        choose_all(latents, flags.output)
    for share in SHUFFLED:
        tested(latents, flags.output, share, settings_of(flags.output, share), flags.seeds)


if __name__ == "__main__":
    main()
