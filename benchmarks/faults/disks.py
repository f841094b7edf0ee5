"""Disks that fill up or cannot be written, as small file systems of their own (needs root)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.faults.scene import Done, Scene, Tried, counted

SIZES = ("60k", "200k", "500k", "1m", "2m")
ROOM = "900m"
STOPPED = 75  # the exit code of what could not be written
ASKED = 20  # requests after which a run is killed


def full(scene: Scene, most: int) -> Iterator[Tried]:
    """Run and train on disks of at most so many sizes, then again where there is room."""
    commands = {
        "a run": lambda place: scene.augment(place / "run"),
        "a training": lambda place: scene.train(place / "model", "--max-steps", 2),
    }
    for name, words in commands.items():
        outcomes = []
        for size in SIZES[:most]:
            with disk(scene.folder / "disk", size) as place:
                if place is None:
                    return
                outcomes.append(_broken(scene.run(words(place))))
                subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(place)], check=True)
                done = scene.run(words(place))
                outcomes.append("" if done.code == 0 else f"with room: {done.err[-150:]}")
        yield counted(f"full disk under {name}", outcomes)


def read_only(scene: Scene) -> Iterator[Tried]:
    """Look at a run on a disk that cannot be written."""
    with disk(scene.folder / "disk", "50m") as place:
        if place is None:
            return
        before = scene.server.asked
        with scene.start(scene.augment(place / "run")) as process:
            while process.poll() is None and scene.server.asked < before + ASKED:
                time.sleep(0.01)
            process.kill()
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        run = str(place / "run")
        looks: Sequence[list[str]] = (
            ["runs", "show", run],
            ["runs", "list", str(place)],
            ["runs", "diff", run, run],
            ["lineage", "row-0000001", "--run", run],
        )
        looked = [scene.run(look) for look in looks]
        outcomes = [done.err[-150:] if done.code == STOPPED else _broken(done) for done in looked]
        writes = (["report", run], ["runs", "resume", run], scene.augment(run, "--limit", 12))
        outcomes += [_broken(scene.run(words)) for words in writes]
        yield counted("read-only disk", outcomes)


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path | None]:
    """Mount a file system of `size`; None where that is not permitted."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _broken(done: Done) -> str:
    """Return what is wrong with how a command ended that could not write."""
    return f"exit {done.code}: {done.err[-150:]}" if done.broken else ""
