"""The Airbnb sample: invented homes in the scraped notation, with a drawn house each.

A price follows from `rule.py`: guests, kind of home and cleanliness (table), comfort or its lack
(text), and how the picture looks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

from textcentric.data.sample.drawing import random_look
from textcentric.data.sample.files import save_picture, written
from textcentric.data.sample.grammar import capital, read_sections, sentence, sentences, untold
from textcentric.data.sample.rule import CUES, Look, noisy_label

COLUMNS = (
    "ID Category Title Description Amenities Location guests beds bathrooms Price_Night"
    " Cleanliness_rate Accuracy_rate Communication_rate Location_rate Check-in_rate Value_rate"
    " amenities_count url bedrooms"
).split()
RATINGS = [name for name in COLUMNS if name.endswith("_rate")]
KINDS = {
    "Chalets": ("chalet", "cabin", "lodge"),
    "Treehouses": ("treehouse", "tree cabin"),
    "Beachfront": ("beach house", "cottage", "bungalow"),
    "Offbeat": ("caravan", "converted barn", "water tower", "houseboat"),
}
PLACES = ("Alderwick", "Port Enna", "Saltmere", "Brenfell", "Quayford", "Ostrava Hill", "Lindmoor")
AMENITIES = (
    "Kitchen Wifi Heating Iron Hangers Garden Microwave Kettle Bathtub Hammock Bicycles Fireplace"
    " Parking Dishwasher Balcony Piano Canoe Barbecue"
).split()
ABSENT = ("TV", "Washing machine", "Air conditioning", "Hair dryer")


def write(folder: Path, rows: int, seed: int) -> None:
    """Write `rows` homes and their pictures into `folder`."""
    (folder / "images").mkdir(parents=True)
    table = folder / "listings.csv"
    with closing(written(table, COLUMNS, homes(rows, seed))) as made:
        for row, look in made:
            picture = folder / "images" / f"{row['ID']}-a.jpg"
            save_picture(picture, "house", look, f"picture/{seed}/{row['ID']}")


def homes(rows: int, seed: int) -> Iterator[tuple[dict[str, str], Look | None]]:
    """Yield `rows` homes with the look of their picture; 5 in 100 have none."""
    told: set[bytes] = set()
    for number in range(rows):
        rng = Random(f"airbnb/{seed}/{number}")
        row = _cells(rng, told)
        look = random_look(rng)
        shown = None if rng.random() < 0.05 else look
        price = noisy_label("airbnb", row, row["Description"], shown, rng)
        row["Price_Night"] = str(price)
        yield row, shown


def _cells(rng: Random, told: set[bytes]) -> dict[str, str]:
    category = rng.choice(list(KINDS))
    guests = rng.choice((1, 2, 2, 3, 4, 4, 5, 6, 8, 10))
    kind = rng.choice(KINDS[category])
    place = rng.choice(PLACES)
    slots = {"kind": kind, "place": place, "guests": _persons(guests)}
    slots |= {capital(key): capital(word) for key, word in slots.items()}
    amenities = _amenities(rng)
    return {
        "ID": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "Category": category,
        "Title": sentence(read_sections("airbnb"), "title", slots, rng),
        "Description": untold(partial(_description, slots, rng), told),
        "Amenities": str(amenities),
        "Location": f"{place} {rng.choice(('Coast', 'Valley', 'Old Town', 'Heath'))}",
        "guests": str(float(guests)),
        "beds": str(float(max(1, guests // 2))) if rng.random() < 0.95 else "",
        "bathrooms": rng.choice(("1.0", "1.0", "1.5", "2.0", "")),
        **{name: rng.choice(("4.2", "4.5", "4.7", "4.8", "4.9", "5.0", "")) for name in RATINGS},
        "amenities_count": str(float(sum("Unavailable" not in item for item in amenities))),
        "url": f"https://example.org/rooms/{rng.randrange(10**7)}",
        "bedrooms": str(float(max(1, guests // 3))) if rng.random() < 0.92 else "",
    }


def _persons(count: int) -> str:
    return ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")[
        count - 1
    ]


def _amenities(rng: Random) -> list[str]:
    there = ["What this place offers", *rng.sample(AMENITIES, rng.randint(4, 12))]
    return there + [f"Unavailable: {name}\n{name}" for name in rng.sample(ABSENT, 2)]


def _description(slots: dict[str, str], rng: Random) -> str:
    """Return a description as the site prints it: a list of parts, headings included."""
    sections = read_sections("airbnb")
    cues = CUES["airbnb"]
    chosen = [rng.choice(cues[p]) for p in rng.choice(((0.4,), (-0.4,), (0.0,), (0.4,), (-0.4,)))]
    about = sentences(sections, "space.plain", rng.randint(1, 3), slots, rng)
    about += [
        sentence(sections, "cue", slots | {"cue": cue, "Cue": capital(cue)}, rng) for cue in chosen
    ]
    rng.shuffle(about)
    more = sentences(sections, "around", rng.randint(0, 2), slots, rng)
    more += sentences(sections, "space.chatty", rng.randint(0, 1), slots, rng)
    told = ["About this space", " ".join(about)]
    if more:
        told += ["The space", "The space\n" + " ".join(more)]
    if rng.random() < 0.5:
        told += ["Other things to note\n" + sentence(sections, "notes", slots, rng)]
    return str(told)
