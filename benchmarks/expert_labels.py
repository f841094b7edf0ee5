"""Labels that came with photos of pets, against the species and breeds that people declared."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.truth import wilson
from textcentric.cli.terminal import columns
from textcentric.data.media.photo_labels import read_photo_labels
from textcentric.experts.labels import SURE_LABELS

STEPS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97)
DOG, CAT, SHORT, YOUNG = "1", "2", "1", 12  # of Type, FurLength; months
BREED = "a breed"
Pet = dict[str, str]  # a row of the table
Known = tuple[str, float, bool, int]  # what was labelled, its score, is it right, half
TRUTHS: dict[str, Callable[[Pet], bool]] = {  # label: when it is right
    "dog": lambda pet: pet["Type"] == DOG,
    "cat": lambda pet: pet["Type"] == CAT,
    "puppy": lambda pet: pet["Type"] == DOG and int(pet["Age"]) < YOUNG,
    "kitten": lambda pet: pet["Type"] == CAT and int(pet["Age"]) < YOUNG,
    "black cat": lambda pet: pet["Type"] == CAT and "black" in pet["colours"],
    "domestic short haired cat": lambda pet: pet["Type"] == CAT and pet["FurLength"] == SHORT,
}


def label_lines(folder: Path) -> list[str]:
    """Return the shares that are right as a table; nothing where the photos' labels are absent."""
    if not (folder / "train_image_labels.csv.gz").is_file():
        return []
    known = list(_known(folder))
    rows: list[list[str | int | float]] = []
    for group in (*TRUTHS, BREED, f"the kind of {BREED}"):
        for step in STEPS:
            halves = (
                [k for k in known if k[0] == group and k[1] >= step and k[3] == h] for h in (0, 1)
            )
            rows.append([group, step, *(_share(half) for half in halves)])
    header = ["label", "from", "choosing half", "reported half"]
    said = ", ".join(f"{name} from {least}" for name, least in SURE_LABELS.items())
    return ["labels of PetFinder's photos", *columns(rows, header).splitlines(), f"said: {said}"]


def _known(folder: Path) -> Iterator[Known]:
    """Yield the labels that can be looked up; pets are put into halves by their number."""
    kinds = {row["BreedName"].casefold(): row["Type"] for row in _rows(folder / "breed_labels.csv")}
    pets = _pets(folder)
    for number, photos in read_photo_labels(folder / "train_image_labels.csv.gz").items():
        if number not in pets:
            continue
        pet, half = pets[number], int(number, 16) % 2
        for name, score in (label for photo in photos for label in photo.labels):
            if name in TRUTHS:
                yield name, score, TRUTHS[name](pet), half
            if name in kinds:
                yield BREED, score, name in pet["breeds"].split("; "), half
                yield f"the kind of {BREED}", score, kinds[name] == pet["Type"], half


def _pets(folder: Path) -> dict[str, Pet]:
    """Return the pets of the table by number, with the names of their breeds and colours."""
    breeds = {row["BreedID"]: row["BreedName"] for row in _rows(folder / "breed_labels.csv")}
    colours = {row["ColorID"]: row["ColorName"] for row in _rows(folder / "color_labels.csv")}
    pets = {row["PetID"]: row for row in _rows(folder / "train/train.csv")}
    for pet in pets.values():
        names = {"breeds": [breeds.get(pet[f"Breed{i}"], "") for i in (1, 2)]}
        names["colours"] = [colours.get(pet[f"Color{i}"], "") for i in (1, 2, 3)]
        pet.update({name: "; ".join(held).casefold() for name, held in names.items()})
    return pets


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _share(known: list[Known]) -> str:
    right, n = sum(one[2] for one in known), len(known)
    low, high = wilson(right, n)
    return f"{right / n:.2f} [{max(0.0, low):.2f}, {high:.2f}] of {n}" if n else "-"
