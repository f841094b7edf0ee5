"""The benchmark of Align-VL: the choice of settings, folds by picture, tables at a tiny size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import flickr
from textcentric.errors import RunError
from textcentric.methods.align_vl.latents import Latents, write_arrays
from textcentric.settings import Given

CAPTIONS = 2


@pytest.fixture
def latents(tmp_path: Path) -> Latents:
    """Latents of 20 pictures with two captions each, all of one hidden world."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(20, 4))
    told = np.repeat(hidden, CAPTIONS, axis=0)
    arrays = {"image": hidden @ rng.normal(size=(4, 6)), "text": told @ rng.normal(size=(4, 5))}
    pairs = np.stack([np.repeat(np.arange(20), CAPTIONS), np.arange(40)], axis=1)
    whole = {name: array.astype(np.float32) for name, array in arrays.items()}
    encoders = {"image": "eyes", "text": "ears"}
    return write_arrays(tmp_path / "latents", whole, encoders=encoders, pairs=pairs)


def test_every_arm_is_tried_with_the_same_half_of_the_grid() -> None:
    halves = {
        arm: [(one["dropout"], one["num_train_epochs"]) for one in flickr.drawn(arm)]
        for arm in flickr.ARMS
    }
    assert len(set(map(tuple, halves.values()))) == 1
    assert len(set(halves["FuseMix"])) == len(flickr.DROPOUTS) * len(flickr.EPOCHS) // 2
    for arm, fixed in flickr.ARMS.items():
        assert all(one.items() >= fixed.items() for one in flickr.drawn(arm))


@pytest.mark.parametrize(
    ("arm", "best"),
    [
        ("FuseMix", {"dropout": 0.99, "num_train_epochs": 2}),
        ("Align-VL", {"dropout": 0.6, "num_train_epochs": 80, "noise_sigma": 4, "smoothing": 0.05}),
    ],
)
def test_the_choice_leaves_the_grid_where_its_edge_is_best(arm: str, best: Given) -> None:
    tried: list[Given] = []

    def measure(wanted: Sequence[Given]) -> list[float]:
        tried.extend(wanted)
        ladders = flickr.LADDERS
        return [
            -sum(abs(ladders[n].index(of[n]) - ladders[n].index(v)) for n, v in best.items())
            for of in wanted
        ]

    told = flickr.choose(arm, measure)
    assert {name: told["settings"][name] for name in best} == best
    assert told["score"] == 0
    assert told["tries"] == len(tried)
    assert len({tuple(sorted(one.items())) for one in tried}) == len(tried)
    around = list(flickr.neighbours(told["settings"], arm))
    assert len(around) == 2 * len(best)
    assert all(one in tried for one in around)


def test_what_another_arm_has_chosen_is_tried_first() -> None:
    tried: list[Given] = []

    def measure(wanted: Sequence[Given]) -> list[float]:
        tried.extend(wanted)
        return [0.0] * len(wanted)

    flickr.choose("smoothing alone", measure, {"dropout": 0.98, "num_train_epochs": 40})
    assert tried[0] == {
        "dropout": 0.98,
        "num_train_epochs": 40,
        "noise_sigma": 0.0,
        "smoothing": 0.1,
    }
    assert len(tried) > 1 + len(flickr.drawn("smoothing alone"))


def test_what_an_arm_fixes_is_never_tried() -> None:
    start = flickr.drawn("noise alone")[0]
    assert all(one["smoothing"] == 0 for one in flickr.neighbours(start, "noise alone"))
    assert {one["noise_sigma"] for one in flickr.neighbours(start, "noise alone")} == {0.5, 1, 2}


def test_a_picture_is_in_one_fold_and_wrong_pairs_keep_their_texts(latents: Latents) -> None:
    fold = flickr.folds(latents)
    assert sorted(np.bincount(fold).tolist()) == [8] * 5
    assert (fold[::2] == fold[1::2]).all()
    rows = latents.rows()
    wrong = flickr.with_wrong_pairs(rows, 0.4, 0)
    moved = np.flatnonzero(wrong.pairs[:, 1] != rows.pairs[:, 1])
    assert len(moved) == 16
    whose = dict(zip(rows.pairs[:, 1].tolist(), rows.pairs[:, 0].tolist(), strict=True))
    assert all(whose[int(text)] != picture for picture, text in wrong.pairs[moved])
    assert sorted(wrong.pairs[:, 1].tolist()) == sorted(rows.pairs[:, 1].tolist())
    assert (flickr.with_wrong_pairs(rows, 0, 0).pairs == rows.pairs).all()


def test_arms_are_tested_on_every_fold_and_kept(
    latents: Latents, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {
        arm: {**flickr.START, **fixed, "dropout": 0.3, "num_train_epochs": 1}
        for arm, fixed in flickr.ARMS.items()
    }
    flickr.tested(latents, tmp_path / "o", 0.4, wanted, 1)
    said = capsys.readouterr().out
    assert said.count("| FuseMix |") == 2
    told = json.loads((tmp_path / "o" / "test 40 % wrong.json").read_text())
    assert list(told["arms"]) == list(flickr.ARMS)
    assert "text to image R@10" in told["arms"]["Align-VL"]
    assert not list((tmp_path / "o").glob("*/models/*"))
    flickr.tested(latents, tmp_path / "o", 0.4, wanted, 1)
    again = capsys.readouterr().out
    assert "seed 0" in said
    assert "seed 0" not in again


def test_what_was_chosen_is_read_and_asked_for(
    latents: Latents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match="give --choose first"):
        flickr.settings_of(tmp_path, 0.4)
    monkeypatch.setattr(flickr, "DROPOUTS", (0.3, 0.6))
    monkeypatch.setattr(flickr, "EPOCHS", (1,))
    monkeypatch.setattr(flickr, "SHUFFLED", (0.4,))
    monkeypatch.setattr(flickr, "LADDERS", {"dropout": (0.3, 0.6), "num_train_epochs": (1, 2)})
    flickr.choose_all(latents, tmp_path / "o")
    told = flickr.settings_of(tmp_path / "o", 0.4)
    assert list(told) == list(flickr.ARMS)
    for arm, fixed in flickr.ARMS.items():
        assert told[arm].items() >= fixed.items()
        assert told[arm]["num_train_epochs"] in {1, 2}
