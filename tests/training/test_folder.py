"""What stands beside the weights of a training: facts, a curve, a card."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from textcentric.api.models import load_model
from textcentric.errors import ConfigError, RunError
from textcentric.evaluation.comparison.arms import read_trial
from textcentric.security.trust import is_trusted, writing_ours
from textcentric.training import folder as folders
from textcentric.training.folder import (
    TrainResult,
    find_model_folder,
    read_metadata,
    refuse_other_model,
    write_metadata,
    write_model,
)
from textcentric.training.log import TrainLog


def test_a_curve_that_cannot_be_drawn_ends_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chokes(*_: object, **__: object) -> None:
        raise RuntimeError("no font can be found")

    monkeypatch.setattr(folders, "draw_learning_curve", chokes)
    result = TrainResult(tmp_path, 3, {"accuracy": 0.5}, None, "", 1.0, [])
    with pytest.warns(UserWarning, match=r"no learning curve was drawn \(RuntimeError: no font"):
        write_metadata("downstream", {"train": {}}, result)
    assert (tmp_path / "train.json").is_file()
    assert (tmp_path / "README.md").is_file()
    assert not (tmp_path / "learning_curve.png").exists()


class Saving:
    """A method that can do nothing but save."""

    def save(self, folder: Path) -> None:
        with writing_ours(folder):
            (folder / "downstream.json").write_text("{}")


def test_a_model_saved_into_a_received_folder_vouches_for_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "received"
    write_model(Saving(), folder)  # type: ignore[arg-type]
    assert is_trusted(folder)
    (folder / "run.yaml").write_text("base_url: http://example.org/v1\n")
    write_model(Saving(), folder)  # type: ignore[arg-type]
    assert not is_trusted(folder)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("train.json", lambda folder: refuse_other_model(folder, {})),
        ("own.json", lambda folder: read_metadata(folder, "own.json", 1, "model", "train")),
        ("metrics.jsonl", lambda folder: TrainLog(folder).lines()),
        ("cell.json", lambda folder: read_trial(folder, {})),
    ],
)
@pytest.mark.parametrize("kind", ["a link", "a pipe"])
def test_what_a_training_wrote_is_read_from_real_files(
    tmp_path: Path, name: str, read: Callable[[Path], object], kind: str
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "elsewhere").write_text('{"format": 1, "identity": {}, "step": 0}')
    if kind == "a link":
        (tmp_path / "own" / name).symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(tmp_path / "own" / name)
    with pytest.raises(RunError, match=f"{name} is {kind}"):
        read(tmp_path / "own")


def test_facts_of_a_model_are_read_from_a_real_file(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "own" / "train.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link"):
        load_model(tmp_path / "own")


def test_a_folder_that_is_no_model_is_told_from_a_name_that_nothing_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sounds").mkdir()
    (tmp_path / "models" / "first").mkdir(parents=True)
    (tmp_path / "models" / "first" / "crmt.json").write_text("{}")
    assert find_model_folder("first", "crmt.json") == Path("models/first")
    with pytest.raises(ConfigError, match=r"folder sounds holds no fusion model \(it has no crmt"):
        find_model_folder("sounds", "crmt.json", "fusion model")
    (tmp_path / "models" / "words").mkdir()
    (tmp_path / "models" / "words" / "train.json").write_text('{"identity": {"method": "reward"}}')
    with pytest.raises(ConfigError, match=r"words holds a model of 'reward' and no fusion model"):
        find_model_folder("words", "crmt.json", "fusion model")
    with pytest.raises(ConfigError, match=r"unknown fusion model 'firts'; did you mean 'first'"):
        find_model_folder("firts", "crmt.json", "fusion model")
