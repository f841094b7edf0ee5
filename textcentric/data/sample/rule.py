"""The rule behind the labels of the samples: points of table, text and picture, added up.

Each modality carries points that the other two do not show. A label is

    PetFinder   how many of the bounds `SPEED_BOUNDS` the sum stays under: 0 (fast) .. 4 (never)
    Airbnb      exp(4.6 + sum) per night, where the picture counts 0.4 times
    Avito       1 / (1 + exp(1 - 1.5 sum)), a probability

of the sum of the three plus a little noise (`NOISE`, standard deviation). The points of a row
can be computed back from what the row shows: from raw cells, from cue phrases in the text, and
from what the eye or an image expert sees of a picture (`Look`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

NOISE = 0.1
SPEED_BOUNDS = (1.65, 0.75, -0.05, -0.95)  # the quintiles of the sum

Light = Literal["dark", "normal", "bright"]
Sharpness = Literal["blurred", "sharp"]
Backdrop = Literal["warm", "cool"]
LIGHT: dict[Light, float] = {"dark": -1.0, "normal": 0.0, "bright": 1.0}
SHARPNESS: dict[Sharpness, float] = {"blurred": -0.5, "sharp": 0.5}
BACKDROP: dict[Backdrop, float] = {"warm": 0.5, "cool": -0.5}


@dataclass(frozen=True, slots=True)
class Look:
    """How the pictures of a row look; all pictures of a row share it."""

    light: Light
    sharpness: Sharpness
    backdrop: Backdrop

    def points(self) -> float:
        """Return the picture's points; the backdrop's colour counts in normal light only."""
        colour = BACKDROP[self.backdrop] if self.light == "normal" else 0.0
        return LIGHT[self.light] + SHARPNESS[self.sharpness] + colour


CUES: Mapping[str, Mapping[float, tuple[str, ...]]] = {
    "petfinder": {
        0.9: (
            "follows me from room to room",
            "greets every visitor at the door",
            "falls asleep in any lap",
            "is gentle with small children",
            "purrs or hums when picked up",
            "makes friends within a minute",
            "loves a belly rub more than food",
            "plays until everybody else is tired",
            "leans against whoever stands nearby",
            "gets along with cats, dogs and grandparents",
            "licks hands and begs for cuddles",
            "trusts people completely",
        ),
        0.0: (
            "is neither shy nor pushy",
            "keeps to a routine",
            "sleeps a good part of the day",
            "is curious about birds",
            "likes to watch from a distance and then come closer",
            "has quiet days and lively days",
        ),
        -0.9: (
            "hides under the bed when strangers come",
            "snaps when cornered",
            "does not let anyone touch the tail",
            "growls at other animals",
            "needs an owner with experience",
            "howls for hours when left alone",
            "scratches when picked up",
            "flinches at every raised hand",
            "has bitten once",
            "guards the food bowl fiercely",
            "cannot live with children",
            "panics on the leash",
        ),
    },
    "petfinder urgency": {
        0.5: (
            "we must move out by the end of the month",
            "the landlord gave us one week",
            "the shelter closes soon and every pen has to be empty",
            "my flight leaves on Sunday",
            "there is nobody to feed the animals from Friday on",
            "the council comes next week",
            "today is the last day here",
            "this is needed before the holidays start",
            "on Monday it will be too late",
            "the new tenants arrive on the first",
            "grandfather goes to hospital next week and cannot wait",
        ),
        -0.5: (
            "there is no hurry at all",
            "staying here longer is no problem",
            "we would rather wait for the right person",
            "we are not quite sure we want to let go",
            "the handover is possible next year at the earliest",
            "we only test how much interest there is",
            "take all the time you need to decide",
            "this can wait until the school holidays are over",
            "a place here is paid for until autumn",
            "we are in no rush and may still change our minds",
            "the first visit can be any time this year",
        ),
    },
    "airbnb": {
        0.4: (
            "the marble bath is as large as a boat",
            "a cook can be booked for the evening",
            "the terrace has a heated pool",
            "champagne waits in the ice bucket",
            "the view over the bay is worth every mile",
            "an architect designed every room",
            "the sauna is yours alone",
            "linen and candles come from a five-star hotel",
        ),
        0.0: (
            "the place is just as in the photos",
            "the beds are neither hard nor soft",
            "the neighbours keep bees",
            "there is a shelf with games",
        ),
        -0.4: (
            "the shower is shared with the next room",
            "the motorway can be heard at night",
            "the heating works now and then",
            "the mattress lies on the floor",
            "the walls are thin as paper",
            "guests bring their own bedding",
            "the lift has been broken since spring",
            "the window looks at a wall",
        ),
    },
    "avito": {
        0.9: (
            "как новое, без единой царапины",
            "ни разу не использовали, бирки на месте",
            "работает идеально, всё проверено",
            "куплено месяц назад, гарантия действует",
            "идеальное состояние, хоть на подарок",
            "полный комплект, всё родное",
        ),
        0.0: (
            "обычное, для своих лет",
            "есть следы использования, но всё в порядке",
            "нормальное, пользуемся каждый день",
            "на твёрдую четвёрку",
        ),
        -0.9: (
            "на запчасти, не включается",
            "требует ремонта и времени",
            "есть трещина и глубокие царапины",
            "части деталей не хватает",
            "долго лежало в сыром подвале",
            "сломано крепление, нужна сварка",
        ),
    },
    "avito urgency": {
        0.5: (
            "торг уместен, уступлю сразу",
            "срочно, уезжаю в пятницу",
            "отдам первому, кто приедет",
            "скидка при самовывозе сегодня",
        ),
        -0.5: (
            "торга нет, цена окончательная",
            "спешить некуда, просто смотрю спрос",
            "меньше не предлагайте, отвечать не буду",
            "продажа возможна только осенью",
        ),
    },
}


def text_points(name: str, text: str) -> float:
    """Return the points of the cue phrases of sample `name` that stand in `text`."""
    lower = text.lower()
    return sum(
        points
        for family, by_points in CUES.items()
        if family.split()[0] == name
        for points, phrases in by_points.items()
        if any(phrase.lower() in lower for phrase in phrases)
    )


def picture_points(name: str, look: Look | None) -> float:
    """Return the points of the pictures of a row, 0 where there is none."""
    weight = 0.4 if name == "airbnb" else 1.0
    return 0.0 if look is None else round(weight * look.points(), 6)


def table_points(name: str, cells: Mapping[str, str]) -> float:
    """Return the points of the raw cells of a row of sample `name`."""
    return {"petfinder": _pet, "airbnb": _home, "avito": _advertisement}[name](cells)


def label(name: str, points: float) -> float:
    """Return the label that follows from the sum of points, noise included."""
    if name == "petfinder":
        return sum(points < bound for bound in SPEED_BOUNDS)
    if name == "airbnb":
        return float(round(math.exp(4.6 + points)))
    return round(1 / (1 + math.exp(1 - 1.5 * points)), 5)


def noisy_label(
    name: str, cells: Mapping[str, str], text: str, look: Look | None, rng: Random
) -> float:
    """Return the label of a row of sample `name`: by its points, with a little noise."""
    points = table_points(name, cells) + text_points(name, text) + picture_points(name, look)
    return label(name, points + rng.gauss(0, NOISE))


def _pet(cells: Mapping[str, str]) -> float:
    """Young, cheap and healthy pets go first."""
    age, fee = int(cells["Age"]), int(cells["Fee"])
    by_age = 1.0 if age <= 3 else 0.4 if age <= 12 else -0.3 if age <= 60 else -0.9
    by_fee = 0.4 if fee == 0 else 0.0 if fee <= 100 else -0.4
    by_health = {"1": 0.3, "2": -0.3, "3": -0.8}[cells["Health"]]
    return round(by_age + by_fee + by_health, 6)


def _home(cells: Mapping[str, str]) -> float:
    """Every guest adds 8 %, the kind of home and cleanliness shift the price."""
    kind = {"Chalets": 0.2, "Treehouses": 0.0, "Beachfront": 0.3, "Offbeat": -0.3}
    clean = float(cells["Cleanliness_rate"] or 4.5)
    return round(0.08 * float(cells["guests"]) + kind[cells["Category"]] + clean - 4.5, 6)


def _advertisement(cells: Mapping[str, str]) -> float:
    """Private sellers and low prices sell; about 3,200 roubles is neutral."""
    seller = {"Private": 0.4, "Company": -0.3, "Shop": -0.5}[cells["user_type"]]
    return round(seller + 0.6 * (3.5 - math.log10(float(cells["price"]) + 1)), 6)
