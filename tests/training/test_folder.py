"""What stands beside the weights of a training: facts, a curve, a card."""

from __future__ import annotations

from pathlib import Path

import pytest

from textcentric.training import folder as folders
from textcentric.training.folder import TrainResult, write_metadata


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
