"""What a training says beside the constant, and what it writes for other tools."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from transformers import pipeline

from tests.support.commands import Said, textcentric
from tests.support.tiny_models import tiny_model
from textcentric.methods.downstream.config import Training
from textcentric.methods.reward.config import RewardTraining
from textcentric.settings import read
from textcentric.training.config import LORA_RATE

ROLES = ("--id", "id", "--target", "kind", "--text", "story", "--split-column", "part")
SMALL = ("--model", "bert", "--max-length", 32, "--use-cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model and a table of forty rows, four dogs for a cat, whose stories say which."""
    folder = tmp_path_factory.mktemp("ordinary")
    tiny_model(folder / "bert")
    with (folder / "pets.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow("id kind story part".split())
        for n in range(40):
            kind = "dog" if n % 5 else "cat"
            part = "train" if n < 25 else "validation"
            table.writerow([f"r{n}", kind, f"a calm {kind} . age {n}", part])
    return folder


@pytest.fixture(autouse=True)
def at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in that folder."""
    monkeypatch.chdir(place)


def train(*arguments: object) -> Said:
    rows = ("--dataset", "pets.csv", *ROLES)
    return textcentric("train", "downstream", *rows, *SMALL, *arguments)


def predictions(model: str) -> list[dict[str, Any]]:
    asked = ("--dataset", "pets.csv", "--texts", "--limit", 8)
    return [json.loads(line) for line in textcentric("predict", model, *asked).out.splitlines()]


def test_a_model_that_is_no_better_than_the_constant_says_so_and_another_one_does_not(
    place: Path,
) -> None:
    lazy = train("-o", "models/lazy", "--learning-rate", 1e-12, "--max-steps", 1)
    line = next(one for one in lazy.out.splitlines() if one.startswith("note"))
    assert line.startswith("note     No better than the best constant prediction: accuracy 0.")
    assert line.endswith("that of the constant 0.8000")
    assert "constant accuracy 0.8000, macro f1 0.4444" in lazy.out
    card = (place / "models/lazy/README.md").read_text()
    assert f"- {line[9:]}\n" in card.replace("\\", "")
    keen = train("-o", "models/keen", "--learning-rate", 0.01, "--max-steps", 40, "--json")
    facts = json.loads(keen.out)
    assert facts["metrics"]["accuracy"] > facts["metrics"]["constant_accuracy"] == 0.8
    assert "notes" not in facts
    assert "No better than" not in (place / "models/keen/README.md").read_text()


def test_an_exported_model_has_its_adapter_merged_and_is_read_by_transformers(
    place: Path,
) -> None:
    lora = ("-o", "models/lora", "--lora-r", 2, "--max-steps", 2)
    assert train(*lora, "--export", "models/merged").code == 0
    assert (place / "models/lora/adapter_model.safetensors").is_file()
    assert not list((place / "models/merged").glob("adapter*"))
    assert json.loads((place / "models/merged/train.json").read_text())["step"] == 2
    classify = pipeline("text-classification", str(place / "models/merged"))
    for adapted, merged in zip(predictions("lora"), predictions("merged"), strict=True):
        (said,) = classify([merged["text"]])
        assert adapted["prediction"] == merged["prediction"] == said["label"]
        chance = f"probability_{said['label']}"
        assert adapted[chance] == pytest.approx(said["score"], abs=1e-5)
        assert merged[chance] == pytest.approx(said["score"], abs=1e-5)


def test_a_model_is_not_exported_over_itself_or_into_a_strange_folder(place: Path) -> None:
    said = train("-o", "models/lora", "--lora-r", 2, "--export", "models/lora")
    assert said.code == 2
    assert "is the folder of the training itself; give another" in said.err
    (place / "mine").mkdir()
    (place / "mine/letter.txt").write_text("dear")
    said = train("-o", "models/other", "--export", "mine")
    assert said.code == 4
    assert "mine holds letter.txt and is no folder of this command" in said.err
    (place / "models/taken").mkdir(parents=True)
    (place / "models/taken/train.json").write_text('{"identity": {"method": "reward"}}')
    said = train("-o", "models/another", "--export", "models/taken")
    assert said.code == 4
    assert "--export models/taken: the model of another training lies there; name" in said.err
    assert not (place / "models/another").exists()


def test_an_adapter_has_a_learning_rate_of_its_own_unless_one_is_given() -> None:
    def rate(**given: object) -> float:
        return read(Training, None, {"run": "first", **given}).loop().learning_rate

    assert rate() == 5e-5
    assert rate(lora_r=2) == LORA_RATE > 1e-4
    assert rate(lora_r=2, learning_rate=1e-4) == 1e-4
    judged = {"dataset_name": "pairs.jsonl"}
    assert read(RewardTraining, None, judged).loop().learning_rate == 5e-5
    adapted = read(RewardTraining, None, {**judged, "use_peft": True})
    assert adapted.loop().learning_rate == LORA_RATE
