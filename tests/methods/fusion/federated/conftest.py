"""Fewer clips, for the clients of a federation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_clips import clips


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of six clips a class and split."""
    place = tmp_path_factory.mktemp("clips")
    clips(place, each=6)
    return place
