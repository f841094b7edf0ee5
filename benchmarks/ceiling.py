"""The ceiling of the PetFinder sample: the best that anyone can predict of what is left of a row.

The parts of a row are drawn apart, so a removed modality leaves the distribution of its points
behind: label = rule(seen points + hidden points + noise). The generator draws from few values, so
everything here is counted, not sampled: P(class | what is seen) for every row there can be, and
from it the two best predictors, one for accuracy and one for quadratic kappa.

The table says how many photos a row has, so it tells, without any picture, of a pet that has none.
Legend: N rows, S states that can be seen, H hidden values, C classes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from textcentric.data.sample.petfinder import pets
from textcentric.data.sample.rule import (
    BACKDROP,
    NOISE,
    SHARPNESS,
    SPEED_BOUNDS,
    Light,
    Look,
    picture_points,
    table_points,
    text_points,
)
from textcentric.errors import ConfigError, unknown

Distribution = Mapping[float, float]  # points -> probability
MODALITIES = ("table", "text", "image")
CLASSES = len(SPEED_BOUNDS) + 1

# What `petfinder.py` draws from; a test holds the two together.
AGES = {"1": 4 / 17, "12": 5 / 17, "60": 5 / 17, "132": 3 / 17}  # one age of each bracket
FEES = {"0": 0.50, "100": 0.28, "400": 0.22}
HEALTH = {"1": 0.75, "2": 0.17, "3": 0.08}
TEMPER = {0.9: 0.38, 0.0: 0.26, -0.9: 0.36}
URGENCY = {0.5: 0.30, 0.0: 0.42, -0.5: 0.28}
LIGHTS: dict[Light, float] = {"dark": 0.3, "normal": 0.4, "bright": 0.3}
PHOTOS = 0.88  # the share of pets that have any

LEAST_KAPPA = 1e-3  # below it nothing is shown of the class


@dataclass(frozen=True, slots=True)
class Pet:
    """The true points of a row's parts, whether it has photos, and its class."""

    table: float
    text: float
    image: float
    photos: bool
    speed: int


def pet_points(rows: int, seed: int) -> dict[str, Pet]:
    """Return {row id: its points} of the PetFinder sample of that size and seed."""
    return {
        row["PetID"]: Pet(
            table=table_points("petfinder", row),
            text=text_points("petfinder", row["Description"]),
            image=picture_points("petfinder", look),
            photos=look is not None,
            speed=int(row["AdoptionSpeed"]),
        )
        for row, look in pets(rows, seed)
    }


@cache
def part_points() -> dict[str, Distribution]:
    """Return the distribution of the points of each part, of pictures where there are photos."""
    table = (
        (table_points("petfinder", {"Age": age, "Fee": fee, "Health": health}), a * f * h)
        for (age, a), (fee, f), (health, h) in product(AGES.items(), FEES.items(), HEALTH.items())
    )
    image = (
        (Look(light, sharpness, backdrop).points(), share / len(SHARPNESS) / len(BACKDROP))
        for (light, share), sharpness, backdrop in product(LIGHTS.items(), SHARPNESS, BACKDROP)
    )
    return {"table": gathered(table), "text": added([TEMPER, URGENCY]), "image": gathered(image)}


def gathered(draws: Iterable[tuple[float, float]]) -> Distribution:
    """Return {points: probability} of (points, probability) pairs, equal points together."""
    found: dict[float, float] = defaultdict(float)
    for points, probability in draws:
        found[round(points, 6)] += probability
    return dict(found)


def added(distributions: Iterable[Distribution]) -> Distribution:
    """Return the distribution of the sum of independent draws, one of each.

    >>> added([{0.0: 0.5, 1.0: 0.5}, {0.0: 0.5, 1.0: 0.5}])
    {0.0: 0.25, 1.0: 0.5, 2.0: 0.25}
    """
    total: Distribution = {0.0: 1.0}
    for one in distributions:
        pairs = product(total.items(), one.items())
        total = gathered((a + b, p * q) for (a, p), (b, q) in pairs)
    return total


@dataclass(frozen=True)
class Ceiling:
    """The best predictors where the modalities `removed` are gone, and what they score.

    Scores are expectations over all rows that there can be; `predict` gives the predictions of
    given rows, whose score on few rows lies around that.

    >>> round(Ceiling(()).kappa, 2), round(Ceiling(("table",)).kappa, 2)
    (0.98, 0.79)
    """

    removed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.removed:
            if name not in MODALITIES:
                raise ConfigError(unknown("modality", name, MODALITIES))

    @property
    def accuracy(self) -> float:
        """Return the expected accuracy of the most probable class."""
        weights, probabilities = self._states()
        return float(weights @ probabilities.max(axis=1))

    @property
    def kappa(self) -> float:
        """Return the expected quadratic kappa of the best predictor for it."""
        return best_for_kappa(*self._states())[1]

    def predict(self, pets: Iterable[Pet], metric: str = "quadratic_kappa") -> list[int]:
        """Return the best prediction of each row for that metric."""
        if metric not in _DECIDE:
            raise ConfigError(unknown("metric with a ceiling", metric, _DECIDE))
        decide = _DECIDE[metric](*self._states())
        shown = np.stack([self.probabilities(pet) for pet in pets])  # (N, C)
        return [int(label) for label in decide(shown)]

    def probabilities(self, pet: Pet) -> np.ndarray:
        """Return P(class | what is left of `pet`) (C,)."""
        left = [getattr(pet, name) for name in MODALITIES if name not in self.removed]
        return _posterior(self, round(sum(left), 6), pet.photos)

    def hidden(self, photos: bool) -> Distribution:
        """Return the distribution of the removed points; the table tells whether photos exist."""
        parts = part_points()
        hidden = [parts[name] for name in self.removed if name != "image"]
        if "image" in self.removed:
            known = "table" not in self.removed
            share = float(photos) if known else PHOTOS
            hidden.append(_sometimes(parts["image"], share))
        return added(hidden)

    def _states(self) -> tuple[np.ndarray, np.ndarray]:
        """Return probability (S,) and P(class) (S, C) of everything that can be seen."""
        weights, rows = [], []
        for photos, share in ((True, PHOTOS), (False, 1 - PHOTOS)):
            parts = part_points()
            shown = {**parts, "image": _sometimes(parts["image"], float(photos))}
            left = added([shown[name] for name in MODALITIES if name not in self.removed])
            weights += [share * weight for weight in left.values()]
            rows += [_posterior(self, points, photos) for points in left]
        return np.array(weights), np.stack(rows)


def best_for_kappa(weights: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the predictions (S,) of highest quadratic kappa, and that kappa.

    Of states with these `weights` (S,) and P(class) (S, C). Kappa is the ratio of 2 cov(t, p) to
    E t² + E p² - 2 E t E p, whose maximum k makes 2 cov - k (...) zero (Dinkelbach 1967, Manag.
    Sci. 13:492). For a given k each state decides alone: E t + (E[t | state] - E t) / k, rounded.
    """
    classes = np.arange(probabilities.shape[1])
    means = probabilities @ classes  # (S,)
    mean, square = weights @ means, weights @ (probabilities @ classes**2)
    kappa = 1.0
    while True:
        told = stretched(means, mean, kappa, len(classes))
        shared = weights @ (told * means) - (weights @ told) * mean
        spread = square + weights @ told**2 - 2 * mean * (weights @ told)
        found = float(2 * shared / spread)
        if abs(max(found, LEAST_KAPPA) - kappa) < 1e-12:
            return told, found
        kappa = max(found, LEAST_KAPPA)


def stretched(means: np.ndarray, mean: float, kappa: float, classes: int) -> np.ndarray:
    """Return the class nearest to `mean` + (means - `mean`) / kappa, within the classes."""
    return np.clip(np.rint(mean + (means - mean) / kappa), 0, classes - 1)


Decide = Callable[[np.ndarray], np.ndarray]  # P(class) (N, C) -> classes (N,)


def _decide_kappa(weights: np.ndarray, probabilities: np.ndarray) -> Decide:
    classes = np.arange(CLASSES)
    mean = float(weights @ (probabilities @ classes))
    kappa = best_for_kappa(weights, probabilities)[1]
    return lambda shown: stretched(shown @ classes, mean, kappa, CLASSES)


def _decide_accuracy(weights: np.ndarray, probabilities: np.ndarray) -> Decide:
    return lambda shown: shown.argmax(axis=1)


_DECIDE = {"quadratic_kappa": _decide_kappa, "accuracy": _decide_accuracy}


def _sometimes(distribution: Distribution, share: float) -> Distribution:
    """Return `distribution` where it applies, in a share of the rows, and 0 points elsewhere."""
    some = [(points, share * probability) for points, probability in distribution.items()]
    found = gathered([*some, (0.0, 1 - share)])
    return {points: probability for points, probability in found.items() if probability}


@cache
def _posterior(ceiling: Ceiling, seen: float, photos: bool) -> np.ndarray:
    """Return P(class) (C,) where the parts that are left have `seen` points."""
    hidden = ceiling.hidden(photos)
    classes = np.stack([class_shares(round(seen + points, 6)) for points in hidden])  # (H, C)
    posterior: np.ndarray = np.array(list(hidden.values())) @ classes
    return posterior


@cache
def class_shares(points: float) -> np.ndarray:
    """Return P(class) (C,) of rows of so many points: normal noise moves them over the bounds."""
    reach = [(bound - points) / NOISE / math.sqrt(2) for bound in SPEED_BOUNDS]
    under = [0.5 * math.erfc(-value) for value in reach]  # P(points + noise < bound) (C - 1,)
    return -np.diff([1.0, *under, 0.0])
