"""Files that a command writes: never over one that is not its own, one command at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from textcentric.errors import RunError, StoppedError
from textcentric.security.outputs import head, only_writer

WHAT = "a list of birds"
HOLDING = """
import sys, time
from pathlib import Path
from textcentric.security.outputs import only_writer
with only_writer(Path(sys.argv[1]), "a list", lambda path: True):
    print("held", flush=True)
    time.sleep(60)
"""


def is_list(path: Path) -> bool:
    return head(path).startswith(b"birds:")


@pytest.mark.parametrize("text", [None, "", "birds: heron\n"])
def test_what_is_absent_empty_or_ours_may_be_written(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "birds.txt"
    if text is not None:
        path.write_text(text)
    with only_writer(path, WHAT, is_list):
        path.write_text("birds: wagtail\n")
    assert os.listdir(tmp_path) == ["birds.txt"]


def test_a_file_of_something_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "birds.txt"
    path.write_text("my thesis")
    with pytest.raises(RunError, match="not a list of birds that textcentric wrote"):
        only_writer(path, WHAT, is_list).__enter__()
    assert path.read_text() == "my thesis"
    assert os.listdir(tmp_path) == ["birds.txt"]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_stays(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "birds.txt", tmp_path / "other"
    other.write_text("birds: heron\n")
    if kind == "link":
        path.symlink_to(other)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(RunError, match="stays as it is"):
        only_writer(path, WHAT, is_list).__enter__()
    assert other.read_text() == "birds: heron\n"


def test_a_second_command_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "birds.txt"
    with (
        only_writer(path, WHAT, is_list),
        pytest.raises(RunError, match="is being written by another command"),
    ):
        only_writer(path, WHAT, is_list).__enter__()
    with only_writer(path, WHAT, is_list):
        pass
    assert os.listdir(tmp_path) == []


def test_a_killed_command_keeps_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "birds.txt"
    words = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="is being written by another command"):
            only_writer(path, WHAT, is_list).__enter__()
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    with only_writer(path, WHAT, is_list):
        pass
    assert os.listdir(tmp_path) == []


def test_a_link_for_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".birds.txt.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link"):
        only_writer(tmp_path / "birds.txt", WHAT, is_list).__enter__()
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="No such file or directory"):
        only_writer(tmp_path / "absent" / "birds.txt", WHAT, is_list).__enter__()
