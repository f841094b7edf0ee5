"""What stands beside the weights of a training: facts, a curve, a card."""

from __future__ import annotations

from pathlib import Path

import pytest

from textcentric.security.trust import is_trusted, writing_ours
from textcentric.training import folder as folders
from textcentric.training.folder import TrainResult, write_metadata, write_model


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
