"""Labels that came with photos of pets, against the species and breeds that people declared."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.truth import wilson
from textcentric.cli.terminal import columns
from textcentric.data.photo_labels import read_photo_labels
from textcentric.experts.labels import GUESSED_LEAST, SURE_LEAST

STEPS = (GUESSED_LEAST, 0.7, 0.8, 0.9, SURE_LEAST, 0.97)
SPECIES = {"1": "dog", "2": "cat"}
Known = tuple[str, float, bool, int]  # what was labelled, its score, is it right, half


def label_lines(folder: Path) -> list[str]:
    """Return the shares that are right as a table; nothing where the photos' labels are absent."""
    if not (folder / "train_image_labels.csv.gz").is_file():
        return []
    known = list(_known(folder))
    rows: list[list[str | int | float]] = []
    for group in ("species", "breed"):
        for step in STEPS:
            halves = (
                [k for k in known if k[0] == group and k[1] >= step and k[3] == h] for h in (0, 1)
            )
            rows.append([group, step, *(_share(half) for half in halves)])
    header = ["label", "from", "choosing half", "reported half"]
    return ["labels of PetFinder's photos", *columns(rows, header).splitlines()]


def _known(folder: Path) -> Iterator[Known]:
    """Yield the labels that name a species or a breed; pets are put into halves by their number."""
    breeds = {
        row["BreedID"]: row["BreedName"].casefold() for row in _rows(folder / "breed_labels.csv")
    }
    pets = {row["PetID"]: row for row in _rows(folder / "train/train.csv")}
    names = set(breeds.values())
    for pet, photos in read_photo_labels(folder / "train_image_labels.csv.gz").items():
        row = pets.get(pet)
        if row is None:
            continue
        declared = {breeds.get(row["Breed1"]), breeds.get(row["Breed2"])}
        half = int(pet, 16) % 2
        for name, score in (label for photo in photos for label in photo.labels):
            if name in SPECIES.values():
                yield "species", score, name == SPECIES[row["Type"]], half
            elif name in names:
                yield "breed", score, name in declared, half


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _share(known: list[Known]) -> str:
    right, n = sum(one[2] for one in known), len(known)
    low, high = wilson(right, n)
    return f"{right / n:.2f} [{max(0.0, low):.2f}, {high:.2f}] of {n}" if n else "-"
