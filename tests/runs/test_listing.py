"""Run directories in order: the newest first, however close they were started."""

from __future__ import annotations

import json
import os
from pathlib import Path

from textcentric.runs.listing import list_runs


def made(parent: Path, name: str, started: str, written: int) -> None:
    folder = parent / name
    folder.mkdir()
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"status": "finished", "started": started}))
    os.utime(manifest, ns=(written, written))


def test_of_runs_of_one_second_the_one_written_last_is_the_newest(tmp_path: Path) -> None:
    second = "2026-01-01T00:00:00Z"
    made(tmp_path, "b", second, 10)
    made(tmp_path, "a", second, 30)
    made(tmp_path, "c", second, 20)
    made(tmp_path, "older", "2025-01-01T00:00:00Z", 40)
    names = [Path(run["path"]).name for run in list_runs(tmp_path)]
    assert names == ["a", "c", "b", "older"]
