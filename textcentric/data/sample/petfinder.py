"""The PetFinder sample: invented pets in the usual layout, with drawn photos.

A pet's speed of adoption follows from `rule.py`: its age, fee and health (table), its temperament
and how pressing the matter is (text), and how its photos look.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

from textcentric.data.sample.drawing import draw, random_look
from textcentric.data.sample.files import written
from textcentric.data.sample.grammar import capital, read_sections, sentence, untold
from textcentric.data.sample.rule import CUES, Look, noisy_label

COLUMNS = (
    "Type Name Age Breed1 Breed2 Gender Color1 Color2 Color3 MaturitySize FurLength Vaccinated"
    " Dewormed Sterilized Health Quantity Fee State RescuerID VideoAmt Description PetID PhotoAmt"
    " AdoptionSpeed"
).split()
BREEDS = {
    "1": (
        "Mixed Breed",
        "Terrier",
        "Spaniel",
        "Shepherd",
        "Poodle",
        "Beagle",
        "Retriever",
        "Spitz",
    ),
    "2": ("Short Hair", "Medium Hair", "Long Hair", "Tabby", "Siamese", "Persian", "Calico"),
}
COLORS = ("black", "brown", "golden", "cream", "gray", "white", "ginger")
STATES = ("Johor", "Kedah", "Melaka", "Pahang", "Perak", "Sabah", "Sarawak", "Selangor")
TOWNS = (
    "Kampung Melati",
    "Taman Kenari",
    "Bukit Jambu",
    "Sungai Nipah",
    "Pekan Baru",
    "Tasik Biru",
)
NAMES = (
    "Miso Bingo Kopi Luna Tiger Biscuit Momo Oreo Pepper Jojo Sesame Rocky Mimi Tofu Ginger Milo"
    " Salem Daisy Nori Boots Candle Pandan Kaya Rambo Socks Lulu Hazel Popo Bamboo Toast Cookie"
    " Shadow Button Chilli Mango Teddy Pearl Nutmeg Bandit Ziggy Roti Dodol Waffle Comet Olive"
).split()
RESCUED = (1, 2, 1, 4, 1, 3, 6)  # pets of one rescuer after the other, over and over
BREED_IDS = {
    (kind, name): str(1 + index)
    for index, (kind, name) in enumerate((k, n) for k, names in BREEDS.items() for n in names)
}
VOICES = ("tidy", "hurried", "shelter", "pet", "chatty", "terse")
ORDER = ("open", "past", "temper", "habit", "health", "home", "urge", "contact")


def write(folder: Path, rows: int, seed: int) -> None:
    """Write `rows` pets, their photos and the three tables of names into `folder`."""
    (folder / "train").mkdir(parents=True)
    (folder / "train_images").mkdir()
    _write_names(folder)
    with closing(written(folder / "train" / "train.csv", COLUMNS, pets(rows, seed))) as made:
        for row, look in made:
            _write_photos(folder / "train_images", row, look, seed)


def pets(rows: int, seed: int) -> Iterator[tuple[dict[str, str], Look | None]]:
    """Yield `rows` pets with the look of their photos; the first ones do not depend on `rows`."""
    told: set[bytes] = set()
    for number in range(rows):
        rng = Random(f"petfinder/{seed}/{number}")
        row = _cells(number, seed, rng)
        look = random_look(rng) if row["PhotoAmt"] != "0.0" else None
        row["Description"] = untold(partial(describe, row, rng), told)
        speed = noisy_label("petfinder", row, row["Description"], look, rng)
        row["AdoptionSpeed"] = str(int(speed))
        yield row, look


def _cells(number: int, seed: int, rng: Random) -> dict[str, str]:
    """Draw the cells of one pet, all as they stand in the file."""
    kind = rng.choices("12", (55, 45))[0]
    colors = rng.sample(range(1, len(COLORS) + 1), 3)
    shown = rng.choices((1, 2, 3), (55, 35, 10))[0]
    breeds = [BREED_IDS[kind, name] for name in rng.sample(BREEDS[kind], 2)]
    quantity = rng.choices((1, 2, 3, 4, 5), (86, 6, 4, 2, 2))[0]
    return {
        "Type": kind,
        "Name": "" if rng.random() < 0.08 else rng.choice(NAMES),
        "Age": str(rng.choice((1, 2, 2, 3, 4, 6, 8, 12, 12, 18, 24, 36, 48, 60, 72, 96, 132))),
        "Breed1": breeds[0],
        "Breed2": breeds[1] if rng.random() < 0.25 else "0",
        "Gender": "3" if quantity > 1 else rng.choice("12"),
        **{f"Color{i + 1}": str(colors[i]) if i < shown else "0" for i in range(3)},
        "MaturitySize": rng.choices("01234", (3, 25, 50, 18, 4))[0],
        "FurLength": rng.choices("0123", (3, 52, 35, 10))[0],
        "Vaccinated": rng.choices("123", (45, 40, 15))[0],
        "Dewormed": rng.choices("123", (55, 32, 13))[0],
        "Sterilized": rng.choices("123", (25, 62, 13))[0],
        "Health": rng.choices("123", (75, 17, 8))[0],
        "Quantity": str(quantity),
        "Fee": str(rng.choices((0, 20, 50, 100, 150, 250, 400), (50, 6, 10, 12, 9, 8, 5))[0]),
        "State": str(101 + rng.randrange(len(STATES))),
        "RescuerID": _rescuer(number, seed),
        "VideoAmt": rng.choices("012", (92, 6, 2))[0],
        "PetID": hashlib.md5(f"pet/{seed}/{number}".encode()).hexdigest()[:9],
        "PhotoAmt": rng.choices(("0.0", "1.0", "2.0", "3.0", "4.0"), (12, 34, 28, 16, 10))[0],
    }


def _rescuer(number: int, seed: int) -> str:
    """Return the rescuer of pet `number`, who may have up to six pets in a row."""
    rounds, place = divmod(number, sum(RESCUED))
    step = next(i for i in range(len(RESCUED)) if place < sum(RESCUED[: i + 1]))
    return hashlib.md5(f"rescuer/{seed}/{rounds}/{step}".encode()).hexdigest()


def describe(row: dict[str, str], rng: Random) -> str:
    """Return a description of one to nine sentences in the manner of one of six people."""
    sections, slots = read_sections("petfinder"), _slots(row, rng)
    # An animal without a name cannot introduce itself.
    voice = rng.choices(VOICES, (26, 20, 14, 12 if row["Name"] else 0, 20, 8))[0]
    cues = _cues(rng)
    chosen = set(rng.sample(ORDER, rng.choices(range(1, 7), (6, 16, 22, 24, 20, 12))[0]))
    chosen -= {"temper", "urge"}
    chosen |= set(cues) or {"habit"}
    lines = []
    for step in _order(chosen, rng):
        extra = {"cue": rng.choice(cues[step])} if step in cues else {}
        lines.append(sentence(sections, f"{step}.{voice}", slots | extra, rng))
        if step in ("past", "habit") and rng.random() < 0.25:
            lines.append(sentence(sections, f"habit.{voice}", slots, rng))
    if row["Quantity"] != "1" and len(lines) < 9:
        lines.insert(1, sentence(sections, "siblings", slots, rng))
    return _in_manner(voice, list(dict.fromkeys(lines))[:9], rng)


def _cues(rng: Random) -> dict[str, tuple[str, ...]]:
    """Draw whether and how the text tells of temperament and of urgency: {step: phrases}."""
    temper = rng.choices((0.9, 0.0, -0.9, None), (38, 12, 36, 14))[0]
    urge = rng.choices((0.5, -0.5, None), (30, 28, 42))[0]
    cues = {} if temper is None else {"temper": CUES["petfinder"][temper]}
    return cues if urge is None else cues | {"urge": CUES["petfinder urgency"][urge]}


def _order(chosen: set[str], rng: Random) -> list[str]:
    """Return the steps in their usual order, the middle ones shuffled now and then."""
    steps = [step for step in ORDER if step in chosen]
    if len(steps) > 3 and rng.random() < 0.4:
        middle = steps[1:-1]
        rng.shuffle(middle)
        steps[1:-1] = middle
    return steps


def _slots(row: dict[str, str], rng: Random) -> dict[str, str]:
    kind = "dog" if row["Type"] == "1" else "cat"
    female = row["Gender"] == "2"
    breed = next(name for (k, name), i in BREED_IDS.items() if i == row["Breed1"])
    name = row["Name"] or f"the {kind}"
    words = {
        "name": name,
        "kind": kind,
        "coat": COLORS[int(row["Color1"]) - 1],
        "breed": f"{breed} {kind}" if breed in ("Mixed Breed",) or kind == "cat" else breed,
        "he": "she" if female else "he",
        "him": "her" if female else "him",
        "his": "her" if female else "his",
        "place": rng.choice((*TOWNS, STATES[int(row["State"]) - 101])),
        "number": str(rng.randint(11, 480)),
        "number_of": ("one", "two", "three", "four", "five")[int(row["Quantity"]) - 1],
    }
    return words | {capital(key): capital(word) for key, word in words.items()}


def _in_manner(voice: str, lines: list[str], rng: Random) -> str:
    """Join the sentences the way this person types."""
    if voice == "hurried":
        loud = rng.random() < 0.3
        ends = [rng.choice(("", ".", "..", "!!" if loud else "")) for _ in lines]
        joined = " ".join(line.rstrip(".") + end for line, end in zip(lines, ends, strict=True))
        return joined.upper() if rng.random() < 0.06 else joined
    glue = "\n" if voice in ("terse", "shelter") and rng.random() < 0.4 else " "
    return glue.join(capital(line) for line in lines)


def _write_photos(folder: Path, row: dict[str, str], look: Look | None, seed: int) -> None:
    if look is None:
        return
    for photo in range(1, int(float(row["PhotoAmt"])) + 1):
        rng = Random(f"photo/{seed}/{row['PetID']}/{photo}")
        coat = COLORS[int(row["Color1"]) - 1]
        picture = draw("dog" if row["Type"] == "1" else "cat", look, coat, rng)
        picture.save(folder / f"{row['PetID']}-{photo}.jpg", quality=92)


def _write_names(folder: Path) -> None:
    breeds = [(number, kind, name) for (kind, name), number in BREED_IDS.items()]
    tables: dict[str, list[tuple[object, ...]]] = {
        "breed_labels.csv": [("BreedID", "Type", "BreedName"), *breeds],
        "color_labels.csv": [
            ("ColorID", "ColorName"),
            *((i + 1, name.capitalize()) for i, name in enumerate(COLORS)),
        ],
        "state_labels.csv": [
            ("StateID", "StateName"),
            *((101 + i, name) for i, name in enumerate(STATES)),
        ],
    }
    for name, lines in tables.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines)
