"""What each fusion method is good for: spoken beside written digits, with what it is meant for.

    python -m benchmarks.neighbours --digits DIR -o runs/neighbours

DIR holds recordings/ and mnist_images.npz; rows and splits are those of `benchmarks.digits`: seed s
tests on one speaker and learns from three others. Pictures are 14 pixels a side, sounds 20 mel
bins, encoders small conv nets, so that all arms train on two cores. In each group the first arms
are free rivals: what needs no new method. Each training is kept in the output directory by the name
of its arm, and a second call goes on; the tables are printed in the end. Intervals are 95 %,
bootstrap over the rows of all seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.digits import MODEL, TRAIN, splits, table
from benchmarks.kept import kept
from textcentric.methods.fusion.purposes import PURPOSES
from textcentric.metrics.intervals import Resampled
from textcentric.rows import Record

SMALL = MODEL | {"width": 64, "image_side": 14, "mel_bins": 20}
MODALITIES = ("image", "audio")
LACKING = 0.8  # of the training rows lack one modality
SPOILT, SPOILT_SD = 0.5, 3.0  # of the training rows have one modality under noise of this deviation
LABELLED = 5  # rows of a class that have a label, where few do
STEPS = 480  # of a training on few labels, as many as one on all rows takes
Rows = list[Record]


@dataclass(frozen=True)
class Arm:
    """A training: its settings, what happens to its rows, what it begins from, how it is looped."""

    settings: Mapping[str, Any]
    rows: str = "as they are"
    starts: Sequence[str] = ()
    loop: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Arms beside each other, and what they are tested under."""

    title: str
    arms: Mapping[str, Arm]
    tests: Sequence[str]


def started(variant: str, **more: Any) -> Arm:
    loop = {"num_train_epochs": 10, "learning_rate": 5e-4}
    return Arm({"variant": variant, **more}, starts=MODALITIES, loop=loop)


def plain(variant: str, rows: str = "as they are", **more: Any) -> Arm:
    return Arm({"variant": variant, **more}, rows)


ALONE = {name: plain("jt", modalities=(name,)) for name in MODALITIES}
GROUPS: dict[str, Group] = {
    "alone": Group(
        "One modality", {f"{name} alone": arm for name, arm in ALONE.items()}, ["clean"]
    ),
    "starts": Group(
        "From models of single modalities",
        {
            "joint training (jt)": plain("jt"),
            "ensemble": Arm({"variant": "ensemble"}, starts=MODALITIES, loop={"max_steps": 0}),
            "heads-only": started("heads-only"),
            "mmlora, rank 4": started("mmlora"),
            "jt from the same starts": started("jt"),
        },
        ["clean", "image alone", "audio alone"],
    ),
    "lacking": Group(
        "Four in five training rows lack a modality",
        {
            "zeros in its place (jt)": plain("jt", "lacking"),
            "modality dropout 0.5": plain("jt", "lacking", modality_dropout=0.5),
            "mfcpl": plain("mfcpl", "lacking"),
        },
        ["clean", "image alone", "audio alone"],
    ),
    "noise": Group(
        "Noise on both inputs of test rows",
        {
            "joint training (jt)": plain("jt"),
            "drawn features alone (cib, weight 0)": plain("cib", cib_beta=0.0),
            "cib, weight 0.001": plain("cib"),
            "cib, weight 0.01": plain("cib", cib_beta=0.01),
        },
        ["clean", "noise 1", "noise 2"],
    ),
    "spoilt": Group(
        "Half of the training rows have one modality under noise of three deviations",
        {
            "joint training on such rows (jt)": plain("jt", "spoilt"),
            "experts, the best one": plain("experts", "spoilt", experts_top=1),
            "experts, the best two": plain("experts", "spoilt", experts_top=2),
            "experts, all three": plain("experts", "spoilt", experts_top=3),
        },
        ["clean", "one spoilt"],
    ),
    "labels": Group(
        f"{LABELLED} rows of a class have a label",
        {
            "these rows alone (jt)": Arm({"variant": "jt"}, "labelled", loop={"max_steps": STEPS}),
            "umurl, with the rows without a label": plain("umurl", "few labels"),
        },
        ["clean", "image alone", "audio alone"],
    ),
}


def lacking(rows: Rows, seed: int) -> Rows:
    """Return the rows, of which a share lacks a picture or a sound."""
    rng = Random(f"lacking/{seed}")
    return [
        _without(row, rng.choice(MODALITIES)) if rng.random() < LACKING else row for row in rows
    ]


def few_labels(rows: Rows, seed: int) -> Rows:
    """Return the rows, of which only `LABELLED` of a class keep it."""
    known = {row.id for row in labelled(rows, seed)}
    return [row if row.id in known else replace(row, target=None) for row in rows]


def labelled(rows: Rows, seed: int) -> Rows:
    """Return the rows that keep their label where few do."""
    of: dict[str, Rows] = {}
    for row in rows:
        of.setdefault(str(row.target), []).append(row)
    return [
        row
        for name in sorted(of)
        for row in Random(f"few/{seed}/{name}").sample(of[name], LABELLED)
    ]


def _without(row: Record, name: str) -> Record:
    return replace(row, inputs={k: v for k, v in row.inputs.items() if k != name})


CHANGES: dict[str, Callable[[Rows, int], Rows]] = {
    "as they are": lambda rows, seed: rows,
    "spoilt": lambda rows, seed: rows,  # their values are, see `under_noise`
    "lacking": lacking,
    "few labels": few_labels,
    "labelled": labelled,
}


def one_spoilt(rows: Rows, share: float, seed: int) -> dict[str, dict[str, float]]:
    """Return the deviation of the noise on a modality of a share of the rows, by their ids."""
    rng = Random(f"spoilt/{seed}")
    return {
        row.id: {rng.choice(MODALITIES): SPOILT_SD} if rng.random() < share else {} for row in rows
    }


def under_noise(method: Any, noise: Mapping[str, Mapping[str, float]], seed: int) -> None:
    """Let `method` read the rows of `noise` with normal noise, the same whenever one is read."""
    read = type(method.senses).read

    def noisy(row: Record) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = read(method.senses, row)
        rng = np.random.default_rng([seed, *row.id.encode()])
        drawn = {n: rng.normal(0, sd, found[n].shape) for n, sd in noise.get(row.id, {}).items()}
        return {n: (v + drawn.get(n, 0)).astype(np.float32) for n, v in found.items()}

    method.senses.read = noisy


def tested(method: Any, rows: Rows, test: str, seed: int) -> list[bool]:
    """Return which rows are right under a test."""
    noise: dict[str, dict[str, float]] = {}
    if test.endswith(" alone"):
        rows = [_without(row, *{*MODALITIES} - {test.split()[0]}) for row in rows]
    elif test == "one spoilt":
        noise = one_spoilt(rows, 1.0, seed)
    elif test.startswith("noise "):
        noise = {row.id: dict.fromkeys(MODALITIES, float(test.split()[1])) for row in rows}
    under_noise(method, noise, seed)
    right = method.logits(rows).argmax(dim=1) == method.labels(rows)
    found: list[bool] = right.tolist()
    return found


def gate_weights(method: Any, rows: Rows, seed: int) -> dict[str, list[float]]:
    """Return the gate's mean weight on each modality of rows: clean, and where it is spoilt."""
    import torch

    noise = one_spoilt(rows, 1.0, seed)
    told: dict[str, list[float]] = {}
    for name in MODALITIES:
        some = [row for row in rows if name in noise[row.id]]
        for values in ({}, noise):
            under_noise(method, values, seed)
            with torch.no_grad():
                read = [method.fusion.mixture(o.features, o.present) for o in method.outputs(some)]
            weights = torch.cat([one.weights for one in read])[:, method.names.index(name)]
            told.setdefault(name, []).append(float(weights.mean()))
    return told


def trained(arm: Arm, seed: int, rows: Mapping[str, Rows], folder: Path, place: Path) -> Any:
    """Return the model of an arm, trained now where it is not in `place`."""
    from textcentric.methods.fusion import Crmt, CrmtConfig
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    if not (place / "crmt.json").is_file():
        starts = {name: str(folder / "models" / f"{name} alone-{seed}") for name in arm.starts}
        used = CHANGES[arm.rows](rows["train"], seed)
        values = SMALL | {"seed": seed, "start": starts, **arm.settings}
        method = Crmt(CrmtConfig.of(values), used, folder / "data")
        if arm.rows == "spoilt":
            under_noise(method, one_spoilt(used, SPOILT, seed), seed)
        loop = TrainConfig(**{**TRAIN, **arm.loop}, output_dir=place, seed=seed)
        train(method, loop, used, rows["validation"], quiet=True)
    return Crmt.load(place, folder / "data")


def result(title: str, name: str, seed: int, folder: Path) -> dict[str, Any]:
    """Return which test rows an arm has right under each test, measured now if it is not kept."""
    path = folder / "results" / f"{title}-{name}-{seed}.json"
    return kept(path, lambda: _measured(title, name, seed, folder))


def _measured(title: str, name: str, seed: int, folder: Path) -> dict[str, Any]:
    arm, tests = GROUPS[title].arms[name], GROUPS[title].tests
    rows = splits(folder / "data" / f"digits-{seed}.csv")
    method = trained(arm, seed, rows, folder, folder / "models" / f"{name}-{seed}")
    right = {test: tested(method, rows["test"], test, seed) for test in tests}
    found: dict[str, Any] = {"arm": name, "seed": seed, "right": right}
    if not method.fusion.linear:
        found["gate"] = gate_weights(method, rows["test"], seed)
    return found


def shown(titles: Sequence[str], folder: Path, seeds: int) -> str:
    """Return one table: accuracy in per cent, and the difference from the first arm of a group."""
    lines = [
        "| | clean | tested under | accuracy there | a step over jt's |",
        "|---|---|---|---|---|",
    ]
    for title in titles:
        lines.append(f"| **{GROUPS[title].title}** | | | | |")
        lines += _lines(title, folder, seeds)
    return "\n".join([*lines, *gates_of(titles, folder, seeds)])


def _lines(title: str, folder: Path, seeds: int) -> Iterator[str]:
    """Yield a line for each arm of a group."""
    group = GROUPS[title]
    under = ", ".join(group.tests[1:])
    first: list[np.ndarray | None] = []
    for name, arm in group.arms.items():
        runs = [result(title, name, seed, folder)["right"] for seed in range(seeds)]
        right = [np.concatenate([run[test] for run in runs]).astype(float) for test in group.tests]
        bases = first or [None] * len(right)
        cells = [_cell(one, base) for one, base in zip(right, bases, strict=True)]
        first = first or [*right]
        cost = f"{PURPOSES[arm.settings['variant']].cost:.1f}"
        yield f"| {name} | {cells[0]} | {under} | {'; '.join(cells[1:])} | {cost} |"


def gates_of(titles: Sequence[str], folder: Path, seeds: int) -> Iterator[str]:
    """Yield what gates of experts weigh a modality, where it is clean and where it is spoilt."""
    for title in titles:
        for name in GROUPS[title].arms:
            gates = [result(title, name, seed, folder).get("gate") for seed in range(seeds)]
            for modality in MODALITIES if all(gates) else ():
                clean, spoilt = np.mean([gate[modality] for gate in gates if gate], axis=0)
                yield f"\n{name}: weight on {modality} {clean:.2f}, spoilt {spoilt:.2f}"


def _cell(right: np.ndarray, base: np.ndarray | None) -> str:
    """Return accuracy, and its difference from `base` with an interval, paired by rows."""
    drawn = Resampled(len(right))
    if base is None:
        low, high = drawn.mean(right).interval
        return f"{100 * right.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    low, high = (drawn.mean(right) - drawn.mean(base)).interval
    return f"{100 * right.mean():.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=Path, metavar="DIR", help="where the recordings are")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=GROUPS, default=list(GROUPS), metavar="GROUP")
    flags = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    for seed in range(flags.seeds):
        if flags.digits:
            table(flags.digits, flags.output, seed)
        for title in dict.fromkeys(["alone", *flags.only]):
            for name in GROUPS[title].arms:
                found = result(title, name, seed, flags.output)
                right = {test: f"{np.mean(of):.3f}" for test, of in found["right"].items()}
                print(f"{name} (seed {seed}): {right}", flush=True)
    print(f"\n{shown(flags.only, flags.output, flags.seeds)}")


if __name__ == "__main__":
    main()
