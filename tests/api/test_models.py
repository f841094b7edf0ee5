"""Every method from Python, with rows in hand: what the version before trained is used as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import textcentric as tc
from tests.support.before import working_copy
from textcentric.errors import ConfigError

pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")
LOOP: dict[str, Any] = {"max_steps": 2, "learning_rate": 0.01, "use_cpu": True}


place = pytest.fixture(autouse=True, name="place")(working_copy)


def pairs() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("preferred.jsonl").read_text().splitlines()]


def test_a_reward_model_learns_from_pairs_in_hand_scores_and_is_evaluated() -> None:
    model: dict[str, Any] = {"model_name_or_path": "bert", "max_length": 32}
    trained = tc.train("reward", pd.DataFrame(pairs()), output_dir="models/mine", **model, **LOOP)
    scores = tc.score(trained, [{"prompt": "Tell.", "response": "A calm dog."}])
    kept = tc.score("models/reward", "responses.jsonl", output=Path("scores.jsonl"))
    matrix = tc.evaluate_reward([trained, "models/reward"], pairs())
    (line,) = scores.table
    assert line.keys() == {"id", "prompt", "response", "score", "key", "weights"}
    assert (line["prompt"], line["response"]) == ("Tell.", "A calm dog.")
    assert len(kept.table) == len(Path("responses.jsonl").read_text().splitlines())
    assert list(matrix.to_pandas()["model"]) == ["mine", "reward"]


def test_a_fusion_model_learns_from_a_frame_and_is_attacked() -> None:
    rows = pd.read_csv("rows.csv", dtype=str)
    data: dict[str, Any] = {"schema": yaml.safe_load(Path("fusion.yaml").read_text())}
    data["data_dir"] = "."
    small: dict[str, Any] = {
        "image_encoder": "conv",
        "image_side": 12,
        "width": 4,
        "second_steps": 20,
    }
    trained = tc.train("crmt", rows, **data, **small, **LOOP)
    attacked = tc.evaluate_fusion(trained, rows, threats="image", radii=[1.0], **data)
    assert trained.path is not None
    assert trained.path.name.startswith("rows-")
    assert list(attacked.to_pandas()["model"]) == [trained.path.name]


def test_a_model_in_hand_and_none_at_all_are_told_from_a_folder() -> None:
    with pytest.raises(ConfigError, match=r"object is no folder: give the path or name of one"):
        tc.evaluate_fusion(object(), "rows.csv")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="there is no model to attack"):
        tc.evaluate_fusion([], "rows.csv", schema="fusion.yaml")


def test_two_tables_in_hand_are_trained_into_two_folders() -> None:
    from textcentric.api.given import source

    rows = [{"id": "a", "n": 1}]
    assert source(rows) == source([{"id": "a", "n": 1}])
    assert source(pd.DataFrame(rows)) == source(pd.DataFrame(rows))
    assert source(rows) != source([{"id": "a", "n": 2}])


def test_latents_are_made_aligned_and_searched() -> None:
    made = tc.latents("rows.csv", schema="pairs.yaml", data_dir=".", output_dir="latents/pairs")
    small: dict[str, Any] = {"width": 4, "blocks": 0}
    trained = tc.train("align-vl", made, output_dir="models/mine", **small, **LOOP)
    tested = tc.retrieve(trained, made)
    found = tc.retrieve("models/searched", made, audio="files/r9.wav", top=2)
    assert [row["modality"] for row in made.table] == list(made["modalities"])
    assert len(tested.table) == 2
    assert set(tested.table[0]) == {"way", "R@1", "R@5", "R@10"}
    assert list(found.to_pandas()["rank"]) == [1, 2]
    with pytest.raises(ConfigError, match="align-vl learns from latents"):
        tc.train("align-vl", [{"id": "a"}])


@pytest.mark.parametrize("name", ["downstream", "reward", "fusion"])
def test_a_model_is_loaded_by_its_folder(name: str) -> None:
    assert tc.load_model(f"models/{name}", files=".").name == {"fusion": "crmt"}.get(name, name)
    with pytest.raises(ConfigError, match="unknown model 'downstrem'; did you mean 'downstream'"):
        tc.load_model("models/downstrem")
