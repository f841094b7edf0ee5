"""Files of a received folder: real ones are read, links, pipes and endless ones are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from textcentric.errors import RunError
from textcentric.folders import remove_leftovers, written
from textcentric.security.files import check_real, read_text


def test_a_real_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    assert read_text(tmp_path / "a.txt") == "words"
    check_real(tmp_path)


def test_a_link_a_pipe_and_a_device_are_refused(tmp_path: Path) -> None:
    (tmp_path / "private").write_text("words")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path / "private")
    with pytest.raises(RunError, match="is a link"):
        read_text(tmp_path / "run" / "link")
    with pytest.raises(RunError, match="is a link"):
        check_real(tmp_path / "run")
    (tmp_path / "run" / "link").unlink()
    os.mkfifo(tmp_path / "run" / "pipe")
    with pytest.raises(RunError, match="is a pipe"):
        read_text(tmp_path / "run" / "pipe")
    with pytest.raises(RunError, match="no regular file"):
        read_text(Path("/dev/zero"))


def test_a_file_past_the_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 11)
    with pytest.raises(RunError, match="more than 10 bytes"):
        read_text(tmp_path / "long", most=10)


def test_a_link_deeper_in_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").symlink_to("/")
    with pytest.raises(RunError, match="c is a link"):
        check_real(tmp_path)


def test_only_drafts_of_ours_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".notes.tmp").write_text("of somebody else")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("words")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".notes.tmp").write_text("of somebody else")
    (folder / ".a.0123456789abcdef.tmp").symlink_to(outside)
    with written(folder / "words.txt") as draft:
        draft.write_text("whole")
        name = draft.name
    left = folder / name
    left.write_text("half, of a process that was killed")
    remove_leftovers(folder)
    assert not left.exists()
    kept = {".notes.tmp", ".a.0123456789abcdef.tmp", "words.txt"}
    assert {path.name for path in folder.iterdir()} == kept
    assert (outside / "kept").is_file()
