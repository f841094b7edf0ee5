"""Photographs of known content, drawn pictures, and what the packaged classifier says of them.

Photographs: pets of known species, captioned scenes, products of known type. A kind of animal is
right where species or a caption names it, any other label where a caption or the product's type
names it, by the lists below or by the label's own last word; what cannot be known counts as wrong.
A wider kind counts where nothing finer of it is sure, as it is only said there.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.expert_kinds import KIND_PRODUCTS, KIND_WORDS
from textcentric.experts.image import Sight

ANIMALS = {
    "a dog": "dog dogs puppy puppies",
    "a cat": "cat cats kitten kittens",
    "a bird": "bird birds duck ducks goose geese pigeon pigeons seagull seagulls parrot chicken",
    "a rabbit": "rabbit rabbits bunny",
}
SPECIES = {"1": "a dog", "2": "a cat"}
SCENES = {  # label: words of captions that make it right, beside the label's own last word
    "a mountain": "mountains hill hills peak",
    "a valley": "mountain mountains hill hills canyon",
    "a beach": "shore ocean sea sand",
    "a swimming trunks": "swim swimming trunks",
    "a ski": "skis skier skiers skiing",
    "a mountain bike": "bike bikes biker bicycle bicycles bicyclist cyclist",
    "a cliff": "cliffs rock rocks rocky climber climbing climbs",
    "a paddle": "paddles paddling canoe kayak oar oars rowing",
    "a soccer ball": "soccer",
    "a lakeshore": "lake shore",
    "a motorboat": "boat speedboat",
    "a swing": "swings swinging",
    "a sandbar": "beach sand shore",
    "a tent": "tents",
    "a parachute": "parachuting parasailing paragliding parasail",
    "a snorkel": "snorkeling diver underwater",
    "a jeep": "truck suv",
    "a baseball player": "baseball",
    "a baseball": "baseball",
    "a kayak": "canoe kayaks kayaking kayaker",
    "a balance beam": "gymnast",
    "a sports car": "car cars",
    "a torch": "fire flame flames",
    "a crash helmet": "helmet helmets",
    "a scuba diver": "scuba diver",
    "a common sorrel horse": "horse horses",
    "a dog sled": "sled sleds",
    "an one-piece bathing suit": "swimsuit bathing",
    "a volleyball ball": "volleyball",
    "a football helmet": "football helmet",
    "a gymnastic horizontal bar": "gymnast bar bars",
    "a parallel bars": "gymnast bars",
    "a stage": "concert performing",
    "a basketball": "basketball",
    "a park bench": "bench",
    "an electric guitar": "guitar",
    "a go-kart": "kart",
    "a bikini": "bathing swimsuit",
}
PRODUCTS = {  # label: types of products that make it right
    "a T-shirt": "Tshirts Tops",
    "a sneaker": "Sports Shoes,Casual Shoes",
    "a sandal": "Heels,Sandals,Flats,Flip Flops,Sports Sandals",
    "a backpack": "Backpacks",
    "a slip-on shoe": "Casual Shoes,Formal Shoes",
    "a sweatshirt": "Sweatshirts",
    "a messenger bag": "Duffel Bag",
    "a swimming trunks": "Swimwear",
    "an one-piece bathing suit": "Swimwear",
    "a soccer ball": "Footballs",
    "a water bottle": "Water Bottle",
    "a clogs": "Clogs",
    "a sock": "Socks",
    "a basketball": "Basketballs",
    "a tracksuit": "Track Pants",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One label that was said of a picture, its confidence, and whether it is right."""

    origin: str
    picture: int
    phrase: str
    confidence: float
    right: bool

    @property
    def group(self) -> str:
        """Return what shares a threshold."""
        return group_of(self.phrase)


def group_of(phrase: str) -> str:
    """Return what shares a threshold: a kind, or all other classes."""
    return phrase if phrase in (*ANIMALS, *KIND_WORDS) else "other"


Photo = tuple[str, Path, Callable[[str], bool]]  # origin, file, is the label right


def photographs(data: Path, most: int) -> list[Photo]:
    """Return up to `most` photographs of each origin, drawn by a fixed seed."""
    found = [_pets(data / "petfinder"), _scenes(data / "flickr8k"), _products(data / "fashion")]
    photos = []
    for one in found:
        Random(0).shuffle(one)
        photos += one[:most]
    return photos


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    return list(csv.DictReader(text.splitlines(keepends=True)))


def _pets(folder: Path) -> list[Photo]:
    species = {row["PetID"]: SPECIES[row["Type"]] for row in _rows(folder / "train/train.csv")}
    files = sorted((folder / "train_images").glob("*-1.jpg"))
    return [
        ("pets", file, lambda phrase, known=species[file.stem[:-2]]: phrase == known)  # type: ignore[misc]
        for file in files
        if file.stem[:-2] in species
    ]


def _scenes(folder: Path) -> list[Photo]:
    words: defaultdict[str, set[str]] = defaultdict(set)
    for row in _rows(folder / "captions.csv"):
        words[row["image"]] |= set(re.findall(r"[a-z]+", row["caption"].casefold()))
    return [
        ("scenes", folder / "images" / name, lambda phrase, known=held: captioned(phrase, known))  # type: ignore[misc]
        for name, held in sorted(words.items())
        if (folder / "images" / name).is_file()
    ]


def _products(folder: Path) -> list[Photo]:
    rows = {row["id"]: row["articleType"] for row in _rows(folder / "styles.csv.gz")}
    return [
        ("products", folder / "images" / f"{name}.jpg", lambda p, known=kind: sold(p, known))  # type: ignore[misc]
        for name, kind in sorted(rows.items())
        if (folder / "images" / f"{name}.jpg").is_file()
    ]


def captioned(phrase: str, words: set[str]) -> bool:
    """Say whether captions of these words name what a label says.

    >>> captioned("a soccer ball", {"boys", "soccer"}), captioned("a croquet ball", {"boys"})
    (True, False)
    """
    if phrase in ANIMALS:
        return bool(words & set(ANIMALS[phrase].split()))
    if phrase in KIND_WORDS:
        return bool(words & KIND_WORDS[phrase])
    last = phrase.casefold().split()[-1]
    own = {last, f"{last}s", f"{last}es"} if last != "ball" else set()
    return bool(words & (own | set(SCENES.get(phrase, "").split())))


def sold(phrase: str, kind: str) -> bool:
    """Say whether a label names the product's type.

    >>> sold("a sandal", "Flip Flops"), sold("a T-shirt", "Caps")
    (True, False)
    """
    if phrase in KIND_WORDS:
        return kind in KIND_PRODUCTS.get(phrase, ())
    known = PRODUCTS.get(phrase, "")
    return kind in (known.split(",") if "," in known else [known, *known.split()])


def drawn(sample: Sequence[Path], most: int) -> Iterator[tuple[str, Image.Image]]:
    """Yield pictures in which nothing is to be recognised: drawn, noisy and plain ones."""
    for path in sample[:most]:
        with Image.open(path) as picture:
            yield "sample", picture.convert("RGB")
    for seed in range(most):
        yield "shapes", _shapes(seed)
        yield "bicycle", _bicycle(seed)
        yield from _noise(seed)


def _shapes(seed: int) -> Image.Image:
    rng = Random(seed)
    canvas = Image.new("RGB", (320, 240), tuple(rng.randrange(120, 256) for _ in range(3)))
    pen = ImageDraw.Draw(canvas)
    for _ in range(rng.randint(1, 6)):
        x, y = rng.randrange(240), rng.randrange(180)
        box = (x, y, x + rng.randrange(20, 140), y + rng.randrange(20, 120))
        colour = tuple(rng.randrange(256) for _ in range(3))
        width = rng.randrange(2, 9)
        draw = (
            lambda b=box, c=colour, w=width: pen.ellipse(b, outline=c, width=w),
            lambda b=box, c=colour: pen.rectangle(b, fill=c),
            lambda b=box, c=colour, w=width: pen.line(b, fill=c, width=w),
            lambda b=box, c=colour: pen.ellipse(b, fill=c),
        )
        rng.choice(draw)()
    return canvas


def _bicycle(seed: int) -> Image.Image:
    rng = Random(seed)
    canvas = Image.new("RGB", (320, 240), rng.choice(("white", "#e6f0fa", "#f4ecd8")))
    pen = ImageDraw.Draw(canvas)
    width, radius = rng.randrange(2, 7), rng.randrange(35, 60)
    for x in (80, 240):
        pen.ellipse(
            (x - radius, 160 - radius, x + radius, 160 + radius), outline="black", width=width
        )
    colour = tuple(rng.randrange(160) for _ in range(3))
    lines = ((80, 160, 130, 90), (130, 90, 210, 80), (210, 80, 240, 160), (80, 160, 150, 160))
    for line in (*lines, (150, 160, 130, 90), (150, 160, 210, 80), (210, 80, 220, 65)):
        pen.line(line, fill=colour, width=width)
    return canvas


def _noise(seed: int) -> Iterator[tuple[str, Image.Image]]:
    rng = np.random.default_rng(seed)
    yield "noise", Image.fromarray(rng.integers(0, 256, (224, 224, 3), dtype=np.uint8))
    side = int(rng.integers(2, 30))
    blobs = Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
    yield "blobs", blobs.resize((224, 224), Image.Resampling.BICUBIC)
    yield "plain", Image.new("RGB", (200, 200), tuple(int(c) for c in rng.integers(0, 256, 3)))


def claims(photos: Sequence[Photo], see: Callable[[Image.Image], Sequence[Sight]]) -> list[Claim]:
    """Return every label that `see` says of the photographs."""
    found = []
    for place, (origin, file, right) in enumerate(photos):
        with Image.open(file) as picture:
            sights = see(picture.convert("RGB"))
        for sight in sights:
            said = sight.confidence or 0.0
            found.append(Claim(origin, place, sight.phrase, said, right(sight.phrase)))
    return found


def grouped(told: Sequence[Claim]) -> Mapping[str, list[Claim]]:
    """Return the claims by what shares a threshold."""
    found: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in told:
        found[claim.group].append(claim)
    return found
