"""The lock of a folder: held by one process, refused to others with its id, given back."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from textcentric.errors import RunError
from textcentric.runs.lock import holder, lock


def test_a_lock_is_held_and_given_back(tmp_path: Path) -> None:
    assert holder(tmp_path / "run") == ""
    with lock(tmp_path / "run"):
        assert holder(tmp_path / "run") == str(os.getpid())
    assert holder(tmp_path / "run") == ""
    with lock(tmp_path / "run"):
        pass


def test_a_held_folder_is_refused_with_the_holders_id(tmp_path: Path) -> None:
    with (tmp_path / "run.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("12345")
        file.flush()
        with pytest.raises(RunError, match="in use by process 12345; wait for it"), lock(tmp_path):
            pass
    assert (tmp_path / "run.lock").read_text() == "12345"
