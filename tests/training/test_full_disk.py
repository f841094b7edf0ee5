"""A training whose disk fills: a clear word, nothing half-written, the same weights afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.small_disk import grow, small_disk
from tests.support.tiny_method import TinyMethod, make_rows, same, settings, weights
from textcentric.errors import StoppedError
from textcentric.training.loop import train

ROWS, HELD_OUT = make_rows(22), make_rows(6, seed=1)
SAVES = {"save_strategy": "steps", "save_steps": 3, "save_total_limit": 1}


def run(folder: Path) -> None:
    train(TinyMethod(), settings(folder, **SAVES), ROWS, HELD_OUT, quiet=True)


@pytest.mark.parametrize("size", ["32k", "120k", "300k"])
def test_a_training_goes_on_to_the_same_weights_once_there_is_space(
    tmp_path: Path, size: str
) -> None:
    run(tmp_path / "reference")
    with small_disk(tmp_path / "disk", size):
        with pytest.raises(StoppedError, match="No space left on device"):
            run(tmp_path / "disk" / "model")
        left = [name for _, _, files in os.walk(tmp_path / "disk") for name in files]
        assert not [name for name in left if name.endswith(".tmp")]
        grow(tmp_path / "disk", "50m")
        run(tmp_path / "disk" / "model")
        assert same(weights(tmp_path / "disk" / "model"), weights(tmp_path / "reference"))
        assert list((tmp_path / "disk").rglob(".*.tmp")) == []


def test_a_disk_that_may_only_be_read_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m"):
        grow(tmp_path / "disk", "ro")
        with pytest.raises(StoppedError, match="Read-only file system"):
            run(tmp_path / "disk" / "model")
