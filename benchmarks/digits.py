"""Do CRMT's objectives make a fusion model harder to attack? Spoken digits beside written ones.

    python -m benchmarks.digits --digits DIR -o runs/digits

DIR holds recordings/ and mnist_images.npz. Each recording is paired with a picture of its digit.
Seed s tests on one speaker, validates on the next and learns from the other three; no picture is in
two splits. Every training and every attack is kept in the output directory, and a second call goes
on. Radii are in standard deviations of one input value; the preferred modality is the one without
which joint training loses more.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from textcentric.data import load
from textcentric.rows import Record
from textcentric.runs import write_text

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "yweweler")
VARIANTS = (
    *("jt", "ojt", "crmt-step-1", "crmt-step-2", "crmt-jt", "crmt-at", "crmt-mix"),
    *("mmat", "mixup", "ogm-ge", "pmr", "gradient-blending", "mcr"),
)
MODEL = {"encoders": {"image": "conv", "audio": "conv"}, "width": 128}
MODEL |= {"image_side": 28, "image_channels": 1, "mel_bins": 40, "mel_frames": 64}
TRAIN = {"num_train_epochs": 20, "learning_rate": 1e-3, "per_device_train_batch_size": 64}
TRAIN |= {"weight_decay": 1e-4, "warmup_steps": 0, "eval_strategy": "no", "save_strategy": "no"}


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
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["id", "digit", "speaker", "split", "image", "audio"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def _rows(
    recordings: Sequence[Path], source: Path, root: Path, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the recordings with a picture each, which no other recording has."""
    from PIL import Image

    held = np.load(source / "mnist_images.npz")
    rng = Random(f"digits/{seed}")
    of_digit = {d: [int(n) for n in np.flatnonzero(held["labels"] == d)] for d in range(10)}
    for places in of_digit.values():
        rng.shuffle(places)
    for file in recordings:
        digit, speaker, _ = file.stem.split("_")
        place = of_digit[int(digit)].pop()
        picture = root / "images" / f"{place}.png"
        if not picture.exists():
            Image.fromarray(held["images"][place]).save(picture)
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


def trained(
    variant: str, seed: int, rows: Mapping[str, list[Record]], folder: Path, **changes: Any
) -> Any:
    """Return the model of a variant and a seed, trained now where it is not in `folder`."""
    from textcentric.methods.crmt import Crmt, crmt_config
    from textcentric.train import train
    from textcentric.training.config import TrainConfig

    told = "".join(f"-{name}={value}" for name, value in changes.items())
    place = folder / "models" / f"{variant}{told}-{seed}"
    root = folder / "data"
    if not (place / "crmt.json").is_file():
        config = crmt_config(MODEL | {"variant": variant, "seed": seed} | changes)
        method = Crmt(config, rows["train"], root)
        loop = TrainConfig(**TRAIN, output_dir=place, seed=seed)
        result = train(method, loop, rows["train"], rows["validation"], quiet=True)
        write_text(place / "finish.json", json.dumps(result.metrics))
    return Crmt.load(place, root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=Path, required=True, metavar="DIR")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    flags = parser.parse_args()
    for seed in range(flags.seeds):
        rows = splits(table(flags.digits, flags.output, seed))
        for variant in VARIANTS:
            method = trained(variant, seed, rows, flags.output)
            print(seed, variant, method.evaluate(rows["test"], 256), flush=True)


if __name__ == "__main__":
    main()
