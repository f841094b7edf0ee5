"""Trials of a comparison that are killed or interrupted: what is gone on with, what is removed."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.support.small_run import hear_interrupts
from tests.support.tiny_models import tiny_model
from textcentric.evaluation.comparison.arms import Trial, Tried, _write, attempt, read_trial
from textcentric.evaluation.comparison.config import ARMS
from textcentric.evaluation.results_file import Parts
from textcentric.rows import Example

MOODS = ["calm", "bold", "shy"]
if TYPE_CHECKING:
    from _collections_abc import dict_items

FIRST, OTHER = {"settings": "one"}, {"settings": "another"}


class Killed(Exception):
    """Stands for a kill."""


class Unreadable(dict[str, Any]):
    """Words whose reading ends the process, once a model is trained and about to predict."""

    def items(self) -> NoReturn:
        raise Killed


class Interrupting(dict[str, str]):
    """Parts of a row that ask for an interrupt when they are read for the second epoch."""

    reads = 0

    def items(self) -> dict_items[str, str]:
        self.reads += 1
        if self.reads == 6:
            signal.raise_signal(signal.SIGINT)
        return super().items()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    rows = [Example(f"r{n}", {"text": f"a {MOODS[n % 3]} cat"}, n % 3) for n in range(12)]
    words: dict[str, dict[str, Parts]] = {"clean": {row.id: row.parts for row in rows}}
    return Trial(
        name="plain-text",
        arm=ARMS["plain-text"],
        seed=0,
        task="classification",
        examples=rows,
        held_out=[],
        raw={},
        damaged=[],  # type: ignore[arg-type]
        words=words,
        downstream={"model": tiny_model(tmp_path / "tiny"), "max_length": 16, "variants": 0},
        training={"max_steps": 2, "use_cpu": True, "per_device_train_batch_size": 6},
    )


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("saved", ["no", "steps"])
def test_a_trial_keeps_its_predictions_and_no_model_or_checkpoint(
    trial: Trial, tmp_path: Path, saved: str
) -> None:
    training = {**trial.training, "save_strategy": saved, "save_steps": 1}
    tried = attempt(replace(trial, training=training), tmp_path / "arm", FIRST)
    assert files(tmp_path / "arm") == {"predictions.parquet", "cell.json"}
    assert read_trial(tmp_path / "arm", FIRST) == replace(
        tried, train_seconds=round(tried.train_seconds, 1)
    )


def test_a_killed_trial_of_other_settings_is_removed_and_in_nobodys_way(
    trial: Trial, tmp_path: Path
) -> None:
    training = {**trial.training, "save_strategy": "steps", "save_steps": 1}
    with pytest.raises(Killed):
        attempt(replace(trial, training=training, words=Unreadable()), tmp_path / "arm", FIRST)
    left = files(tmp_path / "arm")
    assert len(left) == 2, "a model and its checkpoints"
    changed = replace(trial, training={**trial.training, "learning_rate": 1e-3})
    with pytest.raises(Killed):
        attempt(replace(changed, words=Unreadable()), tmp_path / "arm", OTHER)
    assert not left & files(tmp_path / "arm")
    tried = attempt(changed, tmp_path / "arm", OTHER)
    assert files(tmp_path / "arm") == {"predictions.parquet", "cell.json"}
    assert tried.predicted == attempt(changed, tmp_path / "undisturbed", OTHER).predicted


def test_an_interrupted_trial_of_the_same_settings_is_gone_on_with(
    trial: Trial, tmp_path: Path
) -> None:
    hear_interrupts()
    longer = replace(trial, training={**trial.training, "max_steps": 6})
    expected = attempt(longer, tmp_path / "undisturbed", FIRST)
    rows = [
        replace(row, parts=Interrupting(row.parts) if row.id == "r3" else row.parts)
        for row in longer.examples
    ]
    with pytest.raises(KeyboardInterrupt):
        attempt(replace(longer, examples=rows), tmp_path / "arm", FIRST)
    assert len([*(tmp_path / "arm").glob("model-*-checkpoints/step-*")]) == 1
    again = attempt(longer, tmp_path / "arm", FIRST)
    assert again.predicted == expected.predicted
    assert files(tmp_path / "arm") == {"predictions.parquet", "cell.json"}


def test_a_kill_between_predictions_and_metadata_leaves_no_older_metadata(tmp_path: Path) -> None:
    _write(tmp_path, Tried({"clean": {"r0": 1}}, 1.0), FIRST)
    assert read_trial(tmp_path, FIRST) == Tried({"clean": {"r0": 1}}, 1.0)
    unwritable = {"settings": object()}
    with pytest.raises(TypeError):
        _write(tmp_path, Tried({"clean": {"r0": 2}}, 1.0), unwritable)
    assert read_trial(tmp_path, FIRST) is None
    _write(tmp_path, Tried({"clean": {"r0": 2}}, 1.0), OTHER)
    assert json.loads((tmp_path / "cell.json").read_text())["identity"] == OTHER
