"""The shards that are read: real files in real folders; what is not is refused or told of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from textcentric.errors import RunError
from textcentric.runs.shard_files import readable_shards, shard_files


def test_real_shards_are_given_in_order_and_an_absent_folder_has_none(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in (1, 0):
        (tmp_path / "data" / f"part-0000{number}.parquet").touch()
    names = ["part-00000.parquet", "part-00001.parquet"]
    assert [path.name for path in shard_files(tmp_path, "data")] == names
    assert shard_files(tmp_path, "errors") == []
    assert readable_shards(tmp_path, "errors", []) == []


def test_a_linked_shard_and_a_linked_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "part-00000.parquet").symlink_to("/etc/hostname")
    with pytest.raises(RunError, match=r"part-00000\.parquet is a link"):
        shard_files(tmp_path, "data")
    (tmp_path / "rejected").symlink_to("data")
    with pytest.raises(RunError, match="rejected is a link"):
        shard_files(tmp_path, "rejected")


def test_a_report_is_told_of_what_was_not_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "part-00000.parquet").touch()
    os.mkfifo(tmp_path / "data" / "part-00001.parquet")
    (tmp_path / "rejected").symlink_to("data")
    notices: list[str] = []
    assert [path.name for path in readable_shards(tmp_path, "data", notices)] == [
        "part-00000.parquet"
    ]
    assert readable_shards(tmp_path, "rejected", notices) == []
    assert notices[0] == "data/part-00001.parquet is a link or no file, so it was not read."
    assert notices[1].startswith("rejected/ was not read: ")
