"""The README's walk in Python: rows to a run, a model, predictions, an evaluation, a comparison."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import textcentric as tc
from tests.support.small_run import model, write_prompts
from tests.support.tiny_models import tiny_model
from textcentric.data import Dataset

pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")
NOTE = "these are not the real rows"
SCHEMA = {"text": "words", "target": "speed", "split": "split"}
LOOP: dict[str, Any] = {"max_steps": 2, "use_cpu": True}
SMALL: dict[str, Any] = {"model": "bert", "max_length": 32, **LOOP}
ANIMALS = [("bold dog", "fast"), ("shy cat", "slow"), ("old bird", "slow"), ("young dog", "fast")]


def animals() -> list[dict[str, object]]:
    """Return rows of every split, with words that tell how fast they find a home."""
    return [
        {
            "id": f"a{n}",
            "words": f"A {ANIMALS[n % 4][0]} of kind number {n} lives behind the red house now.",
            "age": n + 1,
            "speed": ANIMALS[n % 4][1],
            "split": ("train", "train", "validation", "test")[n // 4],
        }
        for n in range(16)
    ]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with prompts of our own and a tiny model."""
    monkeypatch.chdir(tmp_path)
    write_prompts(tmp_path / "prompts")
    tiny_model(tmp_path / "bert")
    return tmp_path


def augmented(rows: Any = None, **settings: Any) -> tc.Run:
    return tc.augment(
        pd.DataFrame(animals()) if rows is None else rows,
        schema=SCHEMA,
        prompts="own/whole",
        engine=tc.ScriptedEngine(model),
        prompt_dir="prompts",
        **{"embeddings": False, "summarize": False, "output_dir": "runs/first", **settings},
    )


def noted_rows() -> Dataset:
    """Return the rows of a data set of which people should know something."""
    return replace(tc.load(pd.DataFrame(animals()), schema=SCHEMA), notes=(NOTE,))


def test_the_readme_is_ten_lines_of_python(caplog: pytest.LogCaptureFixture) -> None:
    rows = noted_rows()
    words = tc.describe(rows, limit=2).to_pandas()
    run = augmented(rows)
    trained = tc.train("downstream", run, output_dir="models/first", **SMALL)
    predicted = tc.predict(trained, rows, split="test", output="predictions.csv")
    evaluated = tc.evaluate(trained, rows, levels=[0.5], most_missing=0)
    damage: dict[str, Any] = {
        "corruptions": ["all"],
        "levels": [0.5],
        "llm_levels": [0.5],
        "most_missing": 1,
    }
    arms: dict[str, Any] = {"arms": ["constant", "plain-text"], "seeds": [0], **damage}
    parts: dict[str, Any] = {"downstream": {"model": "bert", "max_length": 32}, "training": LOOP}
    compared = tc.compare(rows, output_dir="runs/compared", **arms, **parts)
    page = tc.make_report(run)

    assert caplog.messages.count(NOTE) == 5  # described, augmented, predicted, evaluated, compared
    assert NOTE in evaluated["notes"]
    assert NOTE in compared["notes"]
    assert list(words["id"]) == ["a0", "a1"]
    assert words["table"][0] == "Age: 1."
    assert trained.path == Path("models/first")
    assert set(trained.metrics) >= {"accuracy", "loss"}
    assert list(predicted.to_pandas()["id"]) == ["a12", "a13", "a14", "a15"]
    assert predicted.path == Path("predictions.csv")
    assert evaluated.verdict.startswith("first scores ")
    assert list(evaluated.to_pandas()["corruption"]) == ["clean", "all"]
    assert compared.report.is_file()
    assert page == run.path / "report.html"
    assert [one.path for one in tc.list_runs()] == [run.path]


def test_training_on_rows_tells_their_notes(caplog: pytest.LogCaptureFixture) -> None:
    tc.train("downstream", noted_rows(), output_dir="models/first", **SMALL)
    assert caplog.messages.count(NOTE) == 1


async def test_it_all_works_inside_a_running_event_loop() -> None:
    run = augmented()
    trained = tc.train("downstream", run, output_dir="models/first", **SMALL)
    rows = animals()[12:]
    predicted = tc.predict("first", rows, engine=tc.ScriptedEngine(model))
    assert [row["id"] for row in predicted.table] == ["a12", "a13", "a14", "a15"]
    assert tc.describe(rows, schema={"text": "words"}, limit=1).table[0]["id"] == "a12"
    assert tc.load_model(trained).name == "downstream"
    assert asyncio.get_running_loop().is_running()
