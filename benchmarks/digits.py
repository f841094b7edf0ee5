"""Do CRMT's objectives make a fusion model harder to attack? Spoken digits beside written ones.

    python -m benchmarks.digits --digits DIR -o runs/digits

DIR holds recordings/ and mnist_images.npz. Each recording is paired with a picture of its digit.
Seed s tests on one speaker, validates on the next and learns from the other three; no picture is in
two splits. Every training and every attack is kept in the output directory, and a second call goes
on; seeds come one after the other, so that a stopped call leaves whole seeds. Radii are in standard
deviations of one input value. All models are trained and read all rows first (the arms of CRMT's
ablation for its nine metrics too); then the suite attacks `--rows` of them. With `--small` sides
and widths are halved, for machines with little to spare; radii are to be smaller there too.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.kept import kept
from textcentric.data import load
from textcentric.folders import write_text
from textcentric.rows import Record

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "yweweler")
MODEL = {"encoders": {"image": "conv", "audio": "conv"}, "width": 128}
MODEL |= {"image_side": 28, "image_channels": 1, "mel_bins": 40, "mel_frames": 64}
SMALL = {"width": 64, "image_side": 14, "mel_bins": 20}
TRAIN: dict[str, Any] = {"num_train_epochs": 20, "learning_rate": 1e-3, "weight_decay": 1e-4}
TRAIN |= {"per_device_train_batch_size": 64, "warmup_steps": 0}
TRAIN |= {"eval_strategy": "no", "save_strategy": "no"}

RADII = {"validation": (1.0, 2.0, 4.0), "test": (0.5, 0.75, 1.0, 2.0, 4.0)}
THREATS = ("image", "audio")
ROWS = {"validation": 250, "test": 125}  # attacked
NINE_AT = 0.5  # radius of the nine metrics
RADII_TRIED, RHOS_TRIED = (1.0, 2.0), (0.1, 0.5, 2.0)
PAPERS_RADIUS = 0.1  # of adversarial inputs in the released code
RHO, RADIUS = 2.0, 2.0  # chosen by `--choose`
SMALL_RADIUS = 1.0  # the same share of the length of a picture
Tried = list[tuple[str, dict[str, Any]]]
ARMS: Tried = [  # of the ablation
    ("crmt-jt", {"rho": RHO}),
    ("crmt-step-1", {"rho": RHO}),
    ("crmt-jt", {"rho": RHO, "margin": "hinge"}),
]
RIVALS = ("mcr", "ogm-ge", "pmr", "gradient-blending", "mixup")
MAIN: Tried = [("jt", {}), *ARMS, *((name, {}) for name in RIVALS)]
FURTHER: Tried = [("ojt", {}), ("crmt-step-2", {}), ("crmt-mix", {"rho": RHO})]


def adversarial(radius: float) -> Tried:
    """Return what is trained on attacked inputs: at `radius`, and at the paper's."""
    return [
        (name, {**({"rho": RHO} if name == "crmt-at" else {}), "attack_radius": length})
        for length in (radius, PAPERS_RADIUS)
        for name in ("mmat", "crmt-at")
    ] + [("crmt-at", {"rho": RHO, "attack_radius": radius, "attack_loss": "objective"})]


def table(source: Path, folder: Path, seed: int) -> Path:
    """Write the pairs of one seed as a table with its files, once; return the table."""
    path = folder / "data" / f"digits-{seed}.csv"
    if path.is_file():
        return path
    root = path.parent
    recordings = sorted((source / "recordings").glob("*.wav"))
    for kind in ("images", "sounds"):
        (root / kind).mkdir(parents=True, exist_ok=True)
    for file in recordings:
        if not (root / "sounds" / file.name).exists():
            shutil.copyfile(file, root / "sounds" / file.name)
    rows = list(_rows(recordings, source, root, seed))
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, ["id", "digit", "speaker", "split", "image", "audio"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def _rows(
    recordings: Sequence[Path], source: Path, root: Path, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the recordings with a picture each, which no other recording has."""
    from PIL import Image

    held = np.load(source / "mnist_images.npz")
    pictures = held["images"]  # unpacked at every access
    rng = Random(f"digits/{seed}")
    of_digit = {d: [int(n) for n in np.flatnonzero(held["labels"] == d)] for d in range(10)}
    for places in of_digit.values():
        rng.shuffle(places)
    for file in recordings:
        digit, speaker, _ = file.stem.split("_")
        place = of_digit[int(digit)].pop()
        picture = root / "images" / f"{place}.png"
        if not picture.exists():
            Image.fromarray(pictures[place]).save(picture)
        yield {
            "id": file.stem,
            "digit": f"digit {digit}",
            "speaker": speaker,
            "split": _split(speaker, seed),
            "image": f"images/{picture.name}",
            "audio": f"sounds/{file.name}",
        }


def _split(speaker: str, seed: int) -> str:
    """Return the split of a speaker: they take turns by seed."""
    place = (SPEAKERS.index(speaker) - seed) % len(SPEAKERS)
    return {0: "test", 1: "validation"}.get(place, "train")


def splits(path: Path) -> dict[str, list[Record]]:
    """Return the rows of a table by split."""
    schema = {"id": "id", "target": "digit", "split": "split", "group": "speaker"}
    schema |= {"image": "image", "audio": "audio", "task": "classification"}
    found: dict[str, list[Record]] = {}
    for row in load(path, data_dir=path.parent, schema=schema):
        found.setdefault(str(row.split), []).append(row)
    return found


@dataclass(frozen=True)
class Cell:
    """A training and the rows that its model is attacked on; `changes` are of its settings."""

    variant: str
    seed: int
    split: str
    changes: tuple[tuple[str, Any], ...] = ()
    small: bool = False

    @property
    def model(self) -> str:
        """Return what tells the training from others."""
        told = "".join(f"-{name}={shown(value)}" for name, value in self.changes)
        return f"{self.variant}{told}{'-small' if self.small else ''}-{self.seed}"


def shown(value: object) -> str:
    """Return a setting's value as it stands in names."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def tested_cells(seeds: int, *, small: bool) -> list[Cell]:
    """Return the cells of the test: every variant with the settings that were chosen."""
    return [
        Cell(variant, seed, "test", tuple(changes.items()), small)
        for tried in (MAIN, adversarial(SMALL_RADIUS if small else RADIUS), FURTHER)
        for seed in range(seeds)
        for variant, changes in tried
    ]


def choosing_cells(seeds: int) -> list[Cell]:
    """Return the cells that settings are chosen by, on validation rows."""
    tried: list[tuple[str, dict[str, float]]] = [("jt", {})]
    tried += [("crmt-jt", {"rho": rho}) for rho in RHOS_TRIED]
    tried += [("mmat", {"attack_radius": r}) for r in RADII_TRIED]
    tried += [("crmt-at", {"rho": rho, "attack_radius": RADII_TRIED[-1]}) for rho in RHOS_TRIED]
    tried += [("crmt-jt", {"rho": RHOS_TRIED[-1], "weights_start": 1.0})]
    tried += [
        ("crmt-at", {"rho": rho, "attack_radius": RADII_TRIED[-1], "weights_start": 1.0})
        for rho in RHOS_TRIED[:2]
    ]
    return [
        Cell(v, seed, "validation", tuple(c.items())) for seed in range(seeds) for v, c in tried
    ]


@dataclass(frozen=True)
class Attacks:
    """How many rows of a split are attacked, spread over it, at which radii."""

    rows: int
    radii: tuple[float, ...]


def result(cell: Cell, folder: Path, attacks: Attacks) -> dict[str, Any]:
    """Return what attacks leave of a cell's model."""
    path = folder / "results" / f"{cell.model}-{cell.split}.json"
    found = kept(path, lambda: _attacked(cell, folder, attacks))
    if (found["rows"], tuple(found["radii"])) != (attacks.rows, attacks.radii):
        raise SystemExit(f"{path} is of {found['rows']} rows at {found['radii']}; remove it")
    return found


def _attacked(cell: Cell, folder: Path, attacks: Attacks) -> dict[str, Any]:
    from textcentric.evaluation.fusion import robustness

    rows = splits(folder / "data" / f"digits-{cell.seed}.csv")
    told = rows[cell.split]
    found = robustness(
        trained(cell, rows, folder),
        told[:: len(told) // attacks.rows][: attacks.rows],
        attacks.radii,
        only=THREATS,
        checks=cell.split == "test" and cell.seed == 0,
    )
    return found | {"cell": asdict(cell)}


def whole(cell: Cell, folder: Path) -> dict[str, Any]:
    """Return which of all rows are right, and what the last step of training came to.

    As they are, without a modality, by the scores of one alone; of the ablation's arms also under
    the paper's attacks.
    """
    path = folder / "whole" / f"{cell.model}-{cell.split}.json"
    return kept(path, lambda: _whole(cell, folder))


def _whole(cell: Cell, folder: Path) -> dict[str, Any]:
    from textcentric.evaluation.fusion import narrowed, target_of
    from textcentric.evaluation.fusion_attacks import threats, with_one_missing
    from textcentric.evaluation.fusion_attacks.paper import fgm, paper_pgd

    rows = splits(folder / "data" / f"digits-{cell.seed}.csv")
    method = trained(cell, rows, folder)
    target = target_of(method, rows[cell.split])
    cached = method.cached(rows[cell.split])
    right = {"clean": method.head().logits(cached.scores).argmax(dim=1) == cached.labels}
    for at, name in enumerate(method.names):
        right[f"missing {name}"] = with_one_missing(target, name)
        right[f"{name} alone"] = cached.scores[:, at].argmax(dim=1) == cached.labels
    if (cell.variant, dict(cell.changes)) in ARMS:
        for one in [threat for threat in threats(method.names) if "split" not in threat.name]:
            for attack in (fgm, paper_pgd):
                found = attack(narrowed(method, target, one), one, NINE_AT)
                right[f"{attack.__name__} {one.name}"] = found
    return {
        "variant": cell.variant,
        "cell": asdict(cell),
        "finish": json.loads(_finish(cell, folder).read_text()),
        "right": {name: one.tolist() for name, one in right.items()},
    }


def trained(cell: Cell, rows: Mapping[str, list[Record]], folder: Path) -> Any:
    """Return the model of a cell, trained now where it is not in `folder`."""
    import torch

    from textcentric.methods.fusion import Crmt, CrmtConfig
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    place = folder / "models" / cell.model
    if not (place / "crmt.json").is_file():
        values = {"variant": cell.variant, "seed": cell.seed, **dict(cell.changes)}
        model = MODEL | (SMALL if cell.small else {}) | values
        method = Crmt(CrmtConfig.of(model), rows["train"], folder / "data")
        blends = {"eval_strategy": "epoch"} if cell.variant == "gradient-blending" else {}
        loop = TrainConfig(**TRAIN | blends, output_dir=place, seed=cell.seed)
        told = train(method, loop, rows["train"], rows["validation"], quiet=True)
        write_text(_finish(cell, folder), json.dumps(told.metrics))
    method = Crmt.load(place, folder / "data")
    method.model.to("cuda" if torch.cuda.is_available() else "cpu")
    return method


@cache
def read_once() -> None:
    """Have a process read each file once: a spectrogram costs more than a step of training."""
    from textcentric.methods.fusion.inputs import Senses

    kept: dict[Any, Any] = {}

    def remembering(read: Callable[..., Any]) -> Callable[..., Any]:
        def read_or_remembered(senses: Senses, paths: Sequence[str]) -> Any:
            config = senses.config
            key = (paths[0], config.image_side, config.mel_bins, config.mel_frames)
            if key not in kept:
                kept[key] = read(senses, paths)
            return kept[key]

        return read_or_remembered

    for name in ("_audio", "_image"):
        setattr(Senses, name, remembering(getattr(Senses, name)))


def _finish(cell: Cell, folder: Path) -> Path:
    return folder / "models" / f"{cell.model}.json"


def _read(cell: Cell, folder: Path) -> str:
    import torch

    torch.set_num_threads(1)
    read_once()
    right = whole(cell, folder)["right"]
    shares = ", ".join(f"{name} {np.mean(of):.3f}" for name, of in right.items())
    return f"{cell.model:<40} {cell.split} {shares}"


def _made(cell: Cell, folder: Path, attacks: Attacks) -> str:
    import torch

    torch.set_num_threads(1)
    read_once()
    found = result(cell, folder, attacks)
    halves = {name: of["accuracy"] for name, of in found["threats"].items()}
    return f"{cell.model:<40} {cell.split} clean {found['clean']['value']:.3f} {halves}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=Path, metavar="DIR", help="where the recordings are")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", action="store_true", help="try settings on validation rows")
    parser.add_argument("--small", action="store_true", help="half the sides and widths")
    parser.add_argument("--rows", type=int, help="attacked rows of a seed")
    parser.add_argument("--cells", type=int, help="the first so many")
    parser.add_argument("--radii", help="such as 0.75,2,4")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="trainings at a time")
    flags = parser.parse_args()
    if flags.digits:
        for seed in range(flags.seeds):
            table(flags.digits, flags.output, seed)
    tested = tested_cells(flags.seeds, small=flags.small)
    cells = choosing_cells(flags.seeds) if flags.choose else tested
    split = cells[0].split
    radii = tuple(map(float, flags.radii.split(","))) if flags.radii else RADII[split]
    attacks = Attacks(flags.rows or ROWS[split], radii)
    cells = cells[: flags.cells]
    with ProcessPoolExecutor(flags.jobs, mp_context=get_context("spawn")) as pool:
        for told in [pool.submit(_read, cell, flags.output) for cell in cells]:
            print(told.result(), flush=True)
        for told in [pool.submit(_made, cell, flags.output, attacks) for cell in cells]:
            print(told.result(), flush=True)


if __name__ == "__main__":
    main()
