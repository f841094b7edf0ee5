"""Classes that come in five tasks of two digits: PAL's head beside linear heads by SGD.

    python -m benchmarks.later_classes -o runs/neighbours

The directory is that of `benchmarks.neighbours`, whose rows and models of single modalities are
read. Encoders are theirs, which saw all ten digits, or such that saw the two of the first task
alone. All heads read PAL's random layer; a linear one takes 20 epochs of AdamW, over all rows or
over each task when it comes. Accuracy is of the test rows of all ten digits after the last task,
with 95 % intervals, bootstrap over the rows of all seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.digits import splits
from benchmarks.kept import kept
from benchmarks.neighbours import ALONE, SMALL, trained
from textcentric.metrics.intervals import Resampled
from textcentric.rows import Record

DIGITS = [f"digit {n}" for n in range(10)]
ENCODERS = ("of all ten digits", "of the first two digits")
EPOCHS, BATCH, RATE = 20, 64, 1e-2  # of the linear head
Rows = list[Record]


def measured(encoders: str, seed: int, folder: Path) -> dict[str, list[bool]]:
    """Return which test rows each head has right."""
    from textcentric.methods.fusion import Crmt, CrmtConfig

    rows = splits(folder / "data" / f"digits-{seed}.csv")
    tasks = [
        [row for row in rows["train"] if row.target in DIGITS[at : at + 2]]
        for at in range(0, 10, 2)
    ]
    starts = started(encoders, seed, tasks[0], folder)
    config = CrmtConfig.of(SMALL | {"variant": "pal", "seed": seed, "start": starts})
    place = folder / "models" / f"pal {encoders}-{seed}"
    whole = finished(Crmt(config, rows["train"], folder / "data"), rows["train"], place / "whole")
    later = finished(Crmt(config, tasks[0], folder / "data"), tasks[0], place / "0")
    for at, task in enumerate(tasks[1:], 1):
        later.take(task)
        later = finished(later, task, place / str(at))
    layer = {part: expanded(whole, rows[part]) for part in ("train", "test")}
    parts = [[row in task for row in rows["train"]] for task in tasks]
    return {
        "ridge, all rows at once": right(whole, rows["test"]),
        "ridge, task after task (pal)": right(later, rows["test"]),
        "linear by SGD, all rows at once": by_sgd(layer, rows, [[True] * len(rows["train"])], seed),
        "linear by SGD, task after task": by_sgd(layer, rows, parts, seed),
    }


def started(encoders: str, seed: int, task: Rows, folder: Path) -> dict[str, str]:
    """Return the folders of models of single modalities, made now where they are not there."""
    if encoders == ENCODERS[0]:
        return {name: str(folder / "models" / f"{name} alone-{seed}") for name in ALONE}
    found = {}
    for name in ALONE:
        place = folder / "models" / f"{name} alone, two digits-{seed}"
        trained(ALONE[name], seed, {"train": task, "validation": []}, folder, place)
        found[name] = str(place)
    return found


def finished(method: Any, rows: Rows, place: Path) -> Any:
    """Return the model with `rows` in its head, as it was written and read again."""
    from textcentric.methods.fusion import Crmt
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    loop = {"max_steps": 0, "eval_strategy": "no", "save_strategy": "no"}
    train(method, TrainConfig(**loop, output_dir=place), rows, quiet=True)
    return Crmt.load(place, method.senses.root)


def right(method: Any, rows: Rows) -> list[bool]:
    """Return which rows are right."""
    said = method.logits(rows).argmax(dim=1).tolist()
    return [method.classes[at] == row.target for at, row in zip(said, rows, strict=True)]


def expanded(method: Any, rows: Rows) -> Any:
    """Return the random layer's values (N, E) of rows."""
    import torch

    found = [method.fusion.expanded(one.features, one.present) for one in method.outputs(rows)]
    return torch.cat(found)


def by_sgd(
    layer: Mapping[str, Any], rows: Mapping[str, Rows], parts: Sequence[Sequence[bool]], seed: int
) -> list[bool]:
    """Return which test rows a linear head has right that learnt from one part after another."""
    import torch

    torch.manual_seed(seed)
    labels = {
        part: torch.tensor([DIGITS.index(str(r.target)) for r in rows[part]]) for part in layer
    }
    head = torch.nn.Linear(layer["train"].shape[1], len(DIGITS))
    for part in parts:
        optimizer = torch.optim.AdamW(head.parameters(), lr=RATE)
        places = torch.tensor(part).nonzero()[:, 0]
        for _ in range(EPOCHS):
            for some in places[torch.randperm(len(places))].split(BATCH):
                optimizer.zero_grad()
                said = head(layer["train"][some])
                torch.nn.functional.cross_entropy(said, labels["train"][some]).backward()
                optimizer.step()
    found: list[bool] = (head(layer["test"]).argmax(dim=1) == labels["test"]).tolist()
    return found


def result(encoders: str, seed: int, folder: Path) -> dict[str, list[bool]]:
    """Return what `measured` does, from the directory where it is kept."""
    path = folder / "results" / f"later classes, encoders {encoders}-{seed}.json"
    return kept(path, lambda: measured(encoders, seed, folder))


def table(folder: Path, seeds: int) -> str:
    """Return accuracy in per cent, a line a head and a column a kind of encoders."""
    runs = [[result(encoders, seed, folder) for seed in range(seeds)] for encoders in ENCODERS]
    lines = [f"| | {' | '.join(f'encoders {name}' for name in ENCODERS)} |", "|---|---|---|"]
    for head in runs[0][0]:
        cells = []
        for of in runs:
            told = np.concatenate([run[head] for run in of]).astype(float)
            low, high = Resampled(len(told)).mean(told).interval
            cells.append(f"{100 * told.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]")
        lines.append(f"| {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    flags = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    print(table(flags.output, flags.seeds))


if __name__ == "__main__":
    main()
