"""The lock of a folder: held by one process, refused to others with its id, given back."""

from __future__ import annotations

import errno
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


def test_a_link_in_place_of_the_lock_is_refused_and_its_target_is_left_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "private").write_text("important")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.lock").symlink_to(tmp_path / "private")
    with pytest.raises(RunError, match=r"run\.lock is a link"), lock(tmp_path / "run"):
        pass
    assert holder(tmp_path / "run") == ""
    assert (tmp_path / "private").read_text() == "important"


@pytest.mark.parametrize("name", ["data", "prompts/own", ".manifest.json.tmp"])
def test_a_link_anywhere_in_the_folder_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "run" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link"), lock(tmp_path / "run"):
        pass
    assert not (tmp_path / "run" / "run.lock").exists()


def test_a_file_that_holds_more_than_an_id_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("the first chapter of somebody's thesis")
    with pytest.raises(RunError, match="no lock of ours"), lock(tmp_path):
        pass
    assert (tmp_path / "run.lock").read_text().startswith("the first chapter")


def test_a_disk_without_locks_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(file: object, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(RunError, match=r"has no locks \(No locks available\)"), lock(tmp_path):
        pass
    assert holder(tmp_path) == ""
