"""The folder that reward models are trained in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_reward import preferred


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs, a tiny model and a run directory."""
    return preferred(tmp_path_factory.mktemp("reward"))


@pytest.fixture(autouse=True)
def at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in that folder."""
    monkeypatch.chdir(place)
