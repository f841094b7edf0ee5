"""The ceiling of the PetFinder sample: counted exactly, reached by nobody who does not see all."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest

from benchmarks.ceiling import (
    MODALITIES,
    PHOTOS,
    Ceiling,
    Pet,
    added,
    best_for_kappa,
    class_shares,
    part_points,
    pet_points,
)
from textcentric.data.sample.rule import SPEED_BOUNDS
from textcentric.errors import ConfigError
from textcentric.metrics.scores import accuracy, quadratic_kappa

SINGLE = [(name,) for name in MODALITIES]
PAIRS = [("table", "text"), ("table", "image"), ("text", "image")]


@pytest.fixture(scope="module")
def pets() -> list[Pet]:
    return list(pet_points(3000, seed=7).values())


def score(pets: list[Pet], removed: tuple[str, ...], metric: str = "quadratic_kappa") -> float:
    measure = {"quadratic_kappa": quadratic_kappa, "accuracy": accuracy}[metric]
    return measure([pet.speed for pet in pets], Ceiling(removed).predict(pets, metric))


def test_sums_of_independent_points_are_counted_exactly() -> None:
    assert added([{0.0: 0.5, 1.0: 0.5}, {0.0: 0.5, 1.0: 0.5}]) == {0.0: 0.25, 1.0: 0.5, 2.0: 0.25}
    assert added([]) == {0.0: 1.0}


def test_the_probabilities_are_those_of_the_generator(pets: list[Pet]) -> None:
    for name in MODALITIES:
        seen = Counter(getattr(pet, name) for pet in pets if name != "image" or pet.photos)
        known = part_points()[name]
        assert sum(known.values()) == pytest.approx(1)
        assert set(seen) <= set(known)
        for points, probability in known.items():
            share = seen[points] / sum(seen.values())
            error = (probability * (1 - probability) / sum(seen.values())) ** 0.5
            assert abs(share - probability) < 4 * error, (name, points)
    assert sum(pet.photos for pet in pets) / len(pets) == pytest.approx(PHOTOS, abs=0.02)


def test_noise_moves_a_row_over_the_nearest_bound_only() -> None:
    on_the_bound = class_shares(SPEED_BOUNDS[1])
    assert on_the_bound.tolist() == pytest.approx([0, 0.5, 0.5, 0, 0])
    assert class_shares(2.5).tolist() == pytest.approx([1, 0, 0, 0, 0])
    assert class_shares(SPEED_BOUNDS[3] - 0.1)[3] == pytest.approx(0.158655, abs=1e-6)


def test_what_is_left_decides_the_class_probabilities() -> None:
    pet = Pet(table=1.7, text=1.4, image=1.5, photos=True, speed=0)
    assert Ceiling().probabilities(pet)[0] == pytest.approx(1)
    hidden = part_points()["text"]
    by_hand = sum(share * class_shares(3.2 + points) for points, share in hidden.items())
    assert Ceiling(("text",)).probabilities(pet) == pytest.approx(by_hand)


def test_the_table_tells_of_a_pet_that_has_no_photos() -> None:
    pet = Pet(table=0.4, text=0.0, image=0.0, photos=False, speed=2)
    assert Ceiling(("image",)).probabilities(pet) == pytest.approx(class_shares(0.4))
    unknown = Ceiling(("image", "table"))
    other = Pet(table=1.7, text=0.0, image=1.5, photos=True, speed=0)
    assert unknown.probabilities(pet) == pytest.approx(unknown.probabilities(other))


def test_with_everything_left_only_the_noise_is_lost() -> None:
    assert 0.97 < Ceiling().kappa < 0.99
    assert 0.92 < Ceiling().accuracy < 0.95


def test_the_less_is_left_the_lower_the_ceiling() -> None:
    for removed in PAIRS:
        for one in removed:
            assert Ceiling(removed).kappa < Ceiling((one,)).kappa < Ceiling().kappa
            assert Ceiling(removed).accuracy < Ceiling((one,)).accuracy < Ceiling().accuracy
    nothing = Ceiling(MODALITIES)
    assert nothing.kappa == pytest.approx(0, abs=1e-5)
    assert 0.2 < nothing.accuracy < 0.22


@pytest.mark.parametrize("removed", [(), *SINGLE, *PAIRS])
def test_the_rows_of_a_sample_score_what_is_expected(
    pets: list[Pet], removed: tuple[str, ...]
) -> None:
    assert score(pets, removed) == pytest.approx(Ceiling(removed).kappa, abs=0.03)
    assert score(pets, removed, "accuracy") == pytest.approx(Ceiling(removed).accuracy, abs=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_predictions_have_a_higher_kappa(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, shares = rng.dirichlet(np.ones(5)), rng.dirichlet(np.full(3, 0.5), size=5)
    rows = [(state, label) for state in range(5) for label in range(3)]
    counts = [round(float(weights[state] * shares[state, label]) * 2000) for state, label in rows]
    weights = np.array([sum(counts[3 * state : 3 * state + 3]) for state in range(5)]) / sum(counts)
    shares = np.array(counts).reshape(5, 3) / (weights * sum(counts))[:, None]
    targets = np.repeat([label for _, label in rows], counts)
    states = np.repeat([state for state, _ in rows], counts)
    all_ways = (np.array(way)[states] for way in product(range(3), repeat=5))
    told, kappa = best_for_kappa(weights, shares)
    assert kappa == pytest.approx(max(quadratic_kappa(targets, way) for way in all_ways))
    assert kappa == pytest.approx(quadratic_kappa(targets, told[states].astype(int)))


@pytest.mark.parametrize("removed", SINGLE)
def test_boosted_trees_on_the_true_points_do_not_beat_the_ceiling(
    pets: list[Pet], removed: tuple[str, ...]
) -> None:
    from sklearn.ensemble import GradientBoostingClassifier

    train, test = pets[:2000], pets[2000:]
    left = [name for name in (*MODALITIES, "photos") if name not in removed]

    def features(rows: list[Pet]) -> list[list[float]]:
        return [[getattr(pet, name) for name in left] for pet in rows]

    model = GradientBoostingClassifier(n_estimators=30, random_state=0)
    model.fit(features(train), [pet.speed for pet in train])
    targets = [pet.speed for pet in test]
    shares = model.predict_proba(features(test))
    told = model.predict(features(test))
    means = np.rint(shares @ np.arange(5)).astype(int)
    assert accuracy(targets, told) < score(test, removed, "accuracy") + 0.02
    assert 0.6 < quadratic_kappa(targets, means) < score(test, removed) + 0.02


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"image"):
        Ceiling(("imge",))
    with pytest.raises(ConfigError, match="accuracy"):
        Ceiling().predict([], "acuracy")
