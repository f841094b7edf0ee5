"""Align-VL on the training loop and in search, from cached latents."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from textcentric.errors import ConfigError, DataError, RunError
from textcentric.evaluation.ablation.arms import found_within, query_groups
from textcentric.methods.align_vl import AlignConfig, AlignVl
from textcentric.methods.align_vl.latents import Latents, PairRows, write_arrays
from textcentric.methods.align_vl.search import Search
from textcentric.metrics.recall import recall_with_intervals
from textcentric.training.config import TrainConfig
from textcentric.training.loop import train

ITEMS, CAPTIONS = 60, 2
SMALL = {"width": 8, "blocks": 1, "expansion": 1, "dropout": 0.1}


def pairs_of_one_world(folder: Path) -> Latents:
    """Two views of the same hidden place, two captions an image; the last items are test."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(ITEMS, 6))
    image = hidden @ rng.normal(size=(6, 12)) + 0.05 * rng.normal(size=(ITEMS, 12))
    told = np.repeat(hidden, CAPTIONS, axis=0)
    text = 3 + told @ rng.normal(size=(6, 10)) + 0.05 * rng.normal(size=(len(told), 10))
    pairs = np.stack([np.repeat(np.arange(ITEMS), CAPTIONS), np.arange(len(told))], axis=1)
    splits = ["train" if image < 40 else "test" for image in pairs[:, 0]]
    return write_arrays(
        folder,
        {"image": image.astype(np.float32), "text": text.astype(np.float32)},
        encoders={"image": "eyes", "text": "ears"},
        pairs=pairs,
        splits=splits,
    )


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> Latents:
    return pairs_of_one_world(tmp_path_factory.mktemp("align") / "latents")


def trained(latents: Latents, place: Path, values: dict[str, Any], **loop: Any) -> AlignVl:
    rows = latents.rows("train")
    method = AlignVl(AlignConfig.of({**SMALL, **values}), latents, rows)
    known: dict[str, Any] = {
        "num_train_epochs": 30,
        "learning_rate": 1e-2,
        "per_device_train_batch_size": 40,
        "eval_strategy": "no",
        "save_strategy": "no",
        "use_cpu": True,
    }
    train(method, TrainConfig(**{**known, **loop}, output_dir=place), rows, quiet=True)
    return method


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"mixing": False},
        {"noise": "uniform", "noise_place": "after", "noise_relative": True},
        {"noise_sigma": 0, "smoothing": 0},
        {"smoothing_off_diagonal": "others", "smoothing_schedule": "cosine"},
        {"smoothing_schedule": "per-pair", "learn_temperature": False},
    ],
    ids=str,
)
def test_it_finds_what_belongs_together_and_says_so_again(
    latents: Latents, tmp_path: Path, values: dict[str, Any]
) -> None:
    test = latents.rows("test")
    untrained = AlignVl(AlignConfig.of(SMALL), latents, latents.rows("train"))
    method = trained(latents, tmp_path / "m", values)
    before, after = (one.evaluate(test, 64) for one in (untrained, method))
    assert after["mean_recall"] > before["mean_recall"] + 0.2
    assert after["image_to_text_r1"] > 0.4
    again = AlignVl.load(tmp_path / "m", latents)
    assert again.evaluate(test, 64) == after


def test_standardised_latents_have_mean_0_and_spread_1(latents: Latents) -> None:
    rows = latents.rows("train")
    method = AlignVl(AlignConfig.of(SMALL), latents, rows)
    adapter = method.adapters.of("text")
    places = np.unique(np.asarray(rows.pairs)[:, 1])
    seen = adapter.standardized(torch.from_numpy(latents.read("text", places)))
    torch.testing.assert_close(seen.mean(0), torch.zeros(10), atol=1e-3, rtol=0)
    torch.testing.assert_close(seen.std(0, correction=0), torch.ones(10), atol=1e-3, rtol=0)
    raw = AlignVl(AlignConfig.of({**SMALL, "standardize": False}), latents, rows)
    assert raw.adapters.of("text").mean.abs().max() == 0


def test_a_training_that_was_stopped_ends_with_the_same_weights(
    latents: Latents, tmp_path: Path
) -> None:
    rows = latents.rows("train")

    class Stop(Exception):
        pass

    whole = trained(latents, tmp_path / "whole", {}, num_train_epochs=4)
    part = AlignVl(AlignConfig.of(SMALL), latents, rows)
    inner, steps = part.loss, iter(range(100))

    def loss(model: Any, batch: Any) -> torch.Tensor:
        if next(steps) == 5:
            raise Stop
        return inner(model, batch)

    part.loss = loss  # type: ignore[method-assign]
    loop = TrainConfig(
        num_train_epochs=4,
        learning_rate=1e-2,
        per_device_train_batch_size=40,
        eval_strategy="no",
        save_strategy="steps",
        save_steps=2,
        use_cpu=True,
        output_dir=tmp_path / "part",
    )
    with pytest.raises(Stop):
        train(part, loop, rows, quiet=True)
    resumed = AlignVl(AlignConfig.of(SMALL), latents, rows)
    train(resumed, loop, rows, quiet=True)
    for one, other in zip(whole.adapters.parameters(), resumed.adapters.parameters(), strict=True):
        assert torch.equal(one, other)


def test_search_finds_its_items_by_rank(latents: Latents, tmp_path: Path) -> None:
    method = trained(latents, tmp_path / "m", {})
    search = Search(method, latents, "image")
    (hits,) = search.near("text", latents.read("text", np.array([14])), top=5)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert hits[0].place == 7
    assert all(one.cosine >= two.cosine for one, two in pairwise(hits))
    few = Search(method, latents, "image", np.array([50, 3]))
    (hits,) = few.near("text", latents.read("text", np.array([14])), top=5)
    assert {hit.place for hit in hits} == {3, 50}
    with pytest.raises(ConfigError, match="image"):
        Search(method, latents, "imag")


def test_recall_has_intervals_and_chance_and_agrees_with_the_queries(
    latents: Latents, tmp_path: Path
) -> None:
    method = trained(latents, tmp_path / "m", {})
    test = latents.rows("test")
    groups = [str(place) for place in np.asarray(test.pairs)[:, 0]]
    told = recall_with_intervals(method.searched(test), groups)
    assert told["image to text"]["queries"] == 20
    assert told["text to image"] == {**told["text to image"], "queries": 40, "items": 20}
    assert told["text to image"]["chance"]["R@5"] == pytest.approx(0.25)
    each = found_within(method.searched(test))
    for way in ("image to text", "text to image"):
        for k in (1, 5, 10):
            found = told[way][f"R@{k}"]
            assert found["value"] == pytest.approx(np.mean(each[f"{way} R@{k}"]))
            assert found["interval"][0] <= found["value"] <= found["interval"][1]
    by_query = query_groups(latents.modalities, test, groups)
    assert by_query["text to image R@1"] == groups
    assert by_query["image to text R@1"] == groups[::2]


def test_latents_of_other_encoders_are_refused(latents: Latents, tmp_path: Path) -> None:
    method = trained(latents, tmp_path / "m", {}, num_train_epochs=1)
    other = write_arrays(
        tmp_path / "other",
        {"image": np.ones((4, 12), np.float32), "text": np.ones((4, 10), np.float32)},
        encoders={"image": "eyes", "text": "nose"},
    )
    with pytest.raises(RunError, match=r"text latents of \('ears', 'given'\)"):
        AlignVl.load(tmp_path / "m", other)
    with pytest.raises(RunError, match="nose"):
        Search(method, other, "image")


def test_too_few_pairs_and_folders_that_hold_no_model(latents: Latents, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least two"):
        AlignVl(AlignConfig.of(SMALL), latents, latents.rows("train")[:1])
    with pytest.raises(RunError, match="no aligned model"):
        AlignVl.load(tmp_path)
    trained(latents, tmp_path / "m", {}, num_train_epochs=1)
    (tmp_path / "m" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(RunError, match="cannot be loaded"):
        AlignVl.load(tmp_path / "m")


def test_smoothing_that_a_batch_is_too_small_for_says_how_much_fits(
    latents: Latents, tmp_path: Path
) -> None:
    values = {"smoothing": 0.9, "smoothing_off_diagonal": "others"}
    with pytest.raises(ConfigError, match="at most"):
        trained(latents, tmp_path / "m", values, per_device_train_batch_size=8)


def test_pairs_are_made_when_they_are_asked_for(latents: Latents) -> None:
    rows = latents.rows("train")
    assert isinstance(rows, PairRows)
    assert len(rows[:5]) == 5
    assert rows[3].places == (1, 3)
    assert [row.id for row in rows[2:4]] == ["2", "3"]
