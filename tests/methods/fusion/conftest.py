"""Clips that fusion models are trained on, and models of one modality to begin from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_clips import clips
from tests.support.small_fusion import single_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clips, in which every modality tells the class."""
    place = tmp_path_factory.mktemp("clips")
    clips(place)
    return place


@pytest.fixture(scope="module")
def starts(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the folders of a model of pictures alone, and of one of sounds alone."""
    return single_models(folder, tmp_path_factory.mktemp("starts"), "image", "audio")
