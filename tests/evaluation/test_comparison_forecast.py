"""What a plan counts, by hand."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from textcentric.evaluation.comparison.comparison import WORDS, Comparison
from textcentric.evaluation.comparison.config import CompareConfig
from textcentric.evaluation.comparison.forecast import planned

SCHEMA = {
    "id": "id",
    "target": "kind",
    "task": "classification",
    "text": ["story"],
    "split": "part",
    "image": {"folder": "photos", "pattern": "{id}.png"},
}


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """12 rows to train on and 4 to test, of which 3 have no picture."""
    (tmp_path / "photos").mkdir()
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "story", "kind", "part"])
        for n in range(16):
            table.writerow(
                [f"r{n}", f"It is animal {n}.", "ab"[n % 2], "test" if n > 11 else "train"]
            )
            if n % 5:
                picture = Image.new("RGB", (8, 8), (16 * n, 0, 0))
                picture.save(tmp_path / "photos" / f"r{n}.png")
    return {
        "dataset": str(tmp_path / "rows.csv"),
        "table_schema": SCHEMA,
        "arms": ["constant"],
        "seeds": [0],
        "augment": {"image_expert": "pixels"},
        "output_dir": tmp_path / "out",
    }


@pytest.mark.parametrize(
    ("corruptions", "levels", "pictures"),
    [
        (["word-dropout"], [0.3, 0.7], 12),  # each clean picture once
        (["all"], [0.5], 12 + 3),  # and noise in those of the test
        (["image-noise", "all"], [0.3, 0.7], 12 + 2 * 3),  # which they share
    ],
)
def test_pictures_are_looked_at_once_and_anew_where_noise_is_in_them(
    config: dict[str, Any], corruptions: list[str], levels: list[float], pictures: int
) -> None:
    settings = CompareConfig(**config, corruptions=corruptions, levels=levels)
    plan = planned(settings)
    assert plan["files_to_look_at"] == {"image": pictures}
    assert plan["seconds"]["experts"] == round(pictures / plan["rates"]["described"])
    comparison = Comparison(settings)
    for _ in (comparison.plain, comparison.test_words):
        pass
    assert (comparison.folder / WORDS).is_dir()
    assert planned(settings)["files_to_look_at"] == {}, "it was right about what runs"


def test_folds_look_at_each_clean_picture_once(config: dict[str, Any]) -> None:
    settings = CompareConfig(**config, corruptions=["word-dropout"], levels=[0.5], folds=2)
    assert planned(settings)["files_to_look_at"] == {"image": 12}


def test_labels_are_no_pictures_to_look_at(config: dict[str, Any]) -> None:
    augment = {"augment": {"image_expert": "labels"}}
    assert planned(CompareConfig(**{**config, **augment}))["files_to_look_at"] == {}


def test_late_fusion_embeds_every_part_of_every_row_that_is_damaged(config: dict[str, Any]) -> None:
    changed = {**config, "arms": ["constant", "late-fusion"]}
    settings = CompareConfig(**changed, corruptions=["all"], levels=[0.5])
    plan = planned(settings)
    rate = plan["rates"]["embedded"]
    assert plan["seconds"]["embedding"] == pytest.approx(2 * (12 + 2 * 4) / rate, abs=1)
    assert planned(CompareConfig(**config))["seconds"]["embedding"] == 0
