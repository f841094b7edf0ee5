"""A command writes into its own folder, a new or an empty one, and into no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from textcentric.errors import RunError
from textcentric.security.owned import check_owned


def test_new_empty_and_own_folders_are_written(tmp_path: Path) -> None:
    check_owned(tmp_path / "new", ["plan.json"], "folder of latents")
    (tmp_path / "run.lock").touch()
    check_owned(tmp_path, ["plan.json"], "folder of latents")
    (tmp_path / "figures.txt").touch()
    check_owned(tmp_path, ["plan.json"], "folder of latents", ["figures.txt"])
    (tmp_path / "plan.json").touch()
    check_owned(tmp_path, ["plan.json"], "folder of latents")


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(RunError, match=r"holds thesis\.txt and is no folder of latents"):
        check_owned(tmp_path, ["plan.json"], "folder of latents")
