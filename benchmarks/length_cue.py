"""Does the shortcut-aware objective help on real pairs with a known shortcut, their length?

    python -m benchmarks.length_cue --flickr8k DIR -o runs/length-cue

People preferred one of two captions of a picture, the shorter one somewhat more often than not.
Their pictures are described by two of their captions. Training pairs are drawn so that the shorter
response is chosen in 90 %; tested are all pairs of other pictures as they are, and those of them
where the longer one is chosen ("reversed"). The pictures are halved: each half is learnt from and
the other one tested, so every pair is tested once a seed. Arms: `bt`, `sfc`, `placebo` (sfc with
every pair given another one's weight) and `undrawn`, bt on as many pairs taken without a look at
their length. Each trial is kept in the output directory, and a second call goes on; a table of
what is finished is printed after each half.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judges import flickr8k
from benchmarks.kept import kept
from textcentric.cli.terminal import columns
from textcentric.evaluation.rewards.baselines import word_overlap
from textcentric.folders import fingerprint
from textcentric.methods.reward.worth import right
from textcentric.metrics.intervals import Estimate, Resampled
from textcentric.rows import Pair
from textcentric.values import Json

ARMS: dict[str, dict[str, Any]] = {
    "bt": {},
    "sfc": {"reward_objective": "sfc"},
    "placebo": {"reward_objective": "sfc", "sfc_shuffle": True},
    "undrawn": {},
}
COMPARED = ("bt", "sfc", "placebo")  # made first; the pairs that all three tested are shown
SHORTER = "takes the shorter one"
STRENGTH, HALVES = 0.9, 2
CAPTIONS = 2  # of a picture's five, which describe it
METHOD = {"layers": 2, "max_length": 512}
SETTINGS: dict[str, Any] = {"num_train_epochs": 2, "learning_rate": 2e-4}
SETTINGS |= {"per_device_train_batch_size": 16, "eval_strategy": "no", "save_strategy": "no"}


@dataclass(frozen=True)
class Trial:
    """One training: by which arm, tested on which half of the pictures."""

    arm: str
    half: int
    seed: int

    @property
    def name(self) -> str:
        """Return a name that tells it from every other trial."""
        return f"{self.arm}-half{self.half}-seed{self.seed}"


def longer(pair: Pair) -> int:
    """Return by how many characters the chosen response is longer than the rejected one."""
    return len(pair.chosen) - len(pair.rejected)


def _halves(pairs: Sequence[Pair]) -> dict[str, int]:
    names = sorted({str(pair.group) for pair in pairs})
    random.Random("halves").shuffle(names)
    return {name: number % HALVES for number, name in enumerate(names)}


def cued(pairs: Sequence[Pair], seed: int, strength: float = STRENGTH) -> list[Pair]:
    """Return all pairs whose shorter response is chosen, and as few others as `strength` asks."""
    shorter = [pair for pair in pairs if longer(pair) < 0]
    others = [pair for pair in pairs if longer(pair) > 0]
    wanted = round(len(shorter) * (1 - strength) / strength)
    if wanted > len(others):
        raise SystemExit(f"{wanted} pairs with the longer response chosen, and {len(others)} there")
    return _shuffled([*shorter, *random.Random(f"others/{seed}").sample(others, wanted)], seed)


def undrawn(pairs: Sequence[Pair], count: int, seed: int) -> list[Pair]:
    """Return `count` pairs, taken without a look at their length."""
    return _shuffled(pairs, seed)[:count]


def _shuffled(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    return random.Random(f"order/{seed}").sample(pairs, len(pairs))


class Bench:
    """The trials in a folder, each made once; `model` and `epochs` shrink them for tests."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        folder: Path,
        model: str = "packaged",
        epochs: float = SETTINGS["num_train_epochs"],
        method: Mapping[str, Any] = METHOD,
    ):
        self.pairs, self.folder = list(pairs), folder
        halves = _halves(pairs)
        self.half = np.array([halves[str(pair.group)] for pair in pairs])
        self.method = {**method, "model_name_or_path": model}
        self.settings = SETTINGS | {"num_train_epochs": epochs}

    def tested(self, half: int) -> list[Pair]:
        """Return the pairs that are tested by the models of a half."""
        return [pair for pair, at in zip(self.pairs, self.half, strict=True) if at == half]

    def learnt(self, trial: Trial) -> list[Pair]:
        """Return the pairs that a trial learns from."""
        known = [p for p, at in zip(self.pairs, self.half, strict=True) if at != trial.half]
        drawn = cued(known, trial.seed)
        return undrawn(known, len(drawn), trial.seed) if trial.arm == "undrawn" else drawn

    def result(self, trial: Trial) -> dict[str, Any]:
        """Return what came of a trial, made now where it is not there."""
        about: list[Json] = [asdict(trial), self.method, self.settings]
        about.append([asdict(pair) for pair in self.pairs])
        path = self.folder / "trials" / f"{trial.name}-{fingerprint(about)}.json"
        return kept(path, lambda: {"trial": asdict(trial), **self._made(trial)})

    def _made(self, trial: Trial) -> dict[str, Any]:
        """Train in a folder that is thrown away; return how long it took and all differences."""
        from textcentric.methods.reward import Reward, RewardConfig
        from textcentric.training.config import TrainConfig
        from textcentric.training.loop import train

        pairs = self.learnt(trial)
        values = {**self.method, **ARMS[trial.arm], "seed": trial.seed}
        method = Reward(RewardConfig.of(values), pairs)
        with tempfile.TemporaryDirectory(prefix="textcentric-length-cue-") as name:
            place = {"output_dir": Path(name) / "model", "seed": trial.seed, "use_cpu": True}
            result = train(method, TrainConfig.of(self.settings | place), pairs, quiet=True)
        main, proxy = method.differences(self.tested(trial.half))
        told = None if proxy is None else proxy.tolist()
        seconds = float(result.train_seconds)
        return {"pairs": len(pairs), "seconds": seconds, "main": main.tolist(), "proxy": told}


class Figures:
    """Accuracies of arms and baselines on the pairs that all arms tested, over the same draws.

    What is drawn are whole pictures.
    """

    def __init__(self, bench: Bench, results: Sequence[Mapping[str, Any]]):
        self.pairs = bench.pairs
        self.longer = np.array([longer(pair) for pair in bench.pairs])
        self.drawn = Resampled(len(bench.pairs), groups=[pair.group for pair in bench.pairs])
        words = word_overlap(bench.pairs)
        self.right = {"the shorter one": right(-self.longer), "word overlap": right(words)}
        for arm in ARMS:
            of = [one for one in results if one["trial"]["arm"] == arm]
            self.right[arm] = _mean_right(bench, of, "main")
            if ARMS[arm]:
                self.right[f"proxy of {arm}"] = _mean_right(bench, of, "proxy")
        compared = np.array([self.right[arm] for arm in COMPARED])
        self.tested: np.ndarray = np.isfinite(compared).all(axis=0)
        for name in [n for n, told in self.right.items() if np.isnan(told[self.tested]).any()]:
            del self.right[name]

    def of(self, name: str) -> dict[str, Estimate]:
        """Return the accuracies of an arm or baseline, and how often it takes the shorter one."""
        told = self.right[name]
        found = {side: self._mean(told, where) for side, where in self.sides().items()}
        unequal = self.tested & (self.longer != 0)
        return found | {SHORTER: self._mean(np.where(self.longer < 0, told, 1 - told), unequal)}

    def _mean(self, values: np.ndarray, where: np.ndarray) -> Estimate:
        places = np.flatnonzero(where)
        return self.drawn.among(places.tolist()).mean(values[places])

    def sides(self) -> dict[str, np.ndarray]:
        """Return which pairs are tested: all, where the longer is chosen, where the shorter is."""
        return {
            "as they are": self.tested,
            "reversed": self.tested & (self.longer > 0),
            "shorter chosen": self.tested & (self.longer < 0),
        }


def _mean_right(bench: Bench, results: Sequence[Mapping[str, Any]], branch: str) -> np.ndarray:
    """Return the mean over seeds of whether each pair is right (N,), NaN where none tested it."""
    found = np.full((1 + len(results), len(bench.pairs)), np.nan)
    for number, one in enumerate(results):
        found[number, bench.half == one["trial"]["half"]] = right(np.array(one[branch]))
    tested = ~np.isnan(found)
    counts = tested.sum(axis=0)
    return np.where(counts, np.where(tested, found, 0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def table(figures: Figures) -> str:
    """Return the figures as lines of text: accuracies, then differences from `bt`."""
    sides = figures.sides().items()
    heads = ["", *(f"{name}, {where.sum():,} pairs" for name, where in sides), SHORTER]
    found = {name: figures.of(name) for name in figures.right}
    rows = [[name, *map(_shown, of.values())] for name, of in found.items()]
    for name in [arm for arm in ARMS if arm != "bt" and arm in found]:
        apart = (of - found["bt"][side] for side, of in found[name].items())
        rows.append([f"{name} - bt", *(_shown(one, "+.3f") for one in apart)])
    return columns(rows, heads)


def _shown(figure: Estimate, form: str = ".3f") -> str:
    low, high = figure.interval
    return f"{figure.value:{form}} [{low:{form}}, {high:{form}}]"


def trials(seeds: int) -> Iterator[Trial]:
    """Yield all trials, those of the first seed first, and there those that are compared."""
    for seed in range(seeds):
        for arms in (COMPARED, [arm for arm in ARMS if arm not in COMPARED]):
            for half in range(HALVES):
                yield from (Trial(arm, half, seed) for arm in arms)


def main() -> None:
    """Make the trials and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flickr8k", type=Path, metavar="DIR", required=True)
    parser.add_argument("-o", "--output-dir", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    flags = parser.parse_args()
    bench = Bench(flickr8k(flags.flickr8k, CAPTIONS), flags.output_dir)
    results = []
    for trial in trials(flags.seeds):
        results.append(bench.result(trial))
        told = np.mean(right(np.array(results[-1]["main"])))
        seconds = results[-1]["seconds"]
        print(f"{trial.name}: {told:.3f} after {seconds:.0f} s", file=sys.stderr, flush=True)
        if trial.arm in (COMPARED[-1], [*ARMS][-1]):
            print(table(Figures(bench, results)), flush=True)


if __name__ == "__main__":
    main()
