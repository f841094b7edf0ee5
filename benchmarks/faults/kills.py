"""Processes that are killed at random moments, and what the same command makes of it afterwards."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.faults.scene import Scene, Tried, counted

SEED = 20
SPAN = 0.4  # seconds, at most, between what was waited for and the kill
TERMINATED = 130
Words = list[str]


def killed(scene: Scene, times: int) -> Iterator[Tried]:
    """Kill a run and a training `times` times each, then let them end."""
    scene.server.reply = None
    yield _killed_run(scene, times)
    yield _killed_training(scene, times)


def terminated(scene: Scene, times: int) -> Iterator[Tried]:
    """Send SIGTERM to a run: it ends by 130, and the same command goes on."""
    draw = random.Random(SEED)
    words = scene.augment("terminated")
    outcomes = []
    for _ in range(times):
        process = scene.start(words)
        _wait_for(process, _more(lambda: scene.server.asked, draw.randint(1, 3)), draw)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        fine = process.returncode in (0, TERMINATED) and "Traceback" not in err
        outcomes.append("" if fine else f"exit {process.returncode}: {err[-100:]}")
    outcomes.append(_whole_run(scene, words, "terminated"))
    yield counted("SIGTERM of a run", outcomes)


def _killed_run(scene: Scene, times: int) -> Tried:
    draw = random.Random(SEED)
    words = scene.augment("killed")
    for _ in range(times):
        process = scene.start(words)
        _wait_for(process, _more(lambda: scene.server.asked, draw.randint(0, 3)), draw)
        _kill(process)
    lost = _whole_run(scene, words, "killed")
    return counted("kill -9 of a run", [lost, *[""] * (times - 1)])


def _whole_run(scene: Scene, words: Words, name: str) -> str:
    """Let a run end; return what it lacks of an undisturbed one, or has twice."""
    done = scene.run(words)
    if done.code:
        return f"exit {done.code}: {done.err[-150:]}"
    if not (scene.folder / "undisturbed").is_dir():
        scene.run(scene.augment("undisturbed"))
    whole, found = (_outputs(scene.folder / folder) for folder in ("undisturbed", name))
    if found != whole:
        return f"{sum((whole - found).values())} texts lost, {sum((found - whole).values())} added"
    drafts = [path.name for path in (scene.folder / name).rglob("*.tmp")]
    return f"left behind: {drafts}" if drafts else ""


def _outputs(run: Path) -> Counter[tuple[str, ...]]:
    """Return every output of a run, whatever became of it."""
    import pyarrow.parquet as pq

    rows = [
        row
        for folder in ("data", "rejected", "errors")
        for path in sorted((run / folder).glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    return Counter((str(row["id"]), str(row.get("text")), str(row.get("reason"))) for row in rows)


def _killed_training(scene: Scene, times: int) -> Tried:
    draw = random.Random(SEED)
    words = scene.train("models/killed", "--max-steps", 2 * times)
    steps = scene.folder / "models" / "killed-checkpoints"
    for _ in range(times):
        process = scene.start(words)
        _wait_for(process, _more(lambda: _newest(steps), draw.randint(0, 1)), draw)
        _kill(process)
    whole = scene.train("models/undisturbed", "--max-steps", 2 * times)
    lost = _whole_training(scene, words, whole)
    return counted("kill -9 of a training", [lost, *[""] * (times - 1)])


def _newest(folder: Path) -> int:
    """Return the number of the newest checkpoint, 0 where there is none."""
    return max((int(path.name.rpartition("-")[2]) for path in folder.glob("step-*")), default=0)


def _whole_training(scene: Scene, words: Words, undisturbed: Words) -> str:
    """Let a training end; say whether its weights are those of an undisturbed one, bit for bit."""
    models = scene.folder / "models"
    for command in (words, undisturbed):
        done = scene.run(command)
        if done.code:
            return f"exit {done.code}: {done.err[-150:]}"
    weights = [sorted((models / n).glob("*.safetensors")) for n in ("killed", "undisturbed")]
    same = [one.read_bytes() == two.read_bytes() for one, two in zip(*weights, strict=True)]
    return "" if same and all(same) else "other weights"


def _more(count: Callable[[], int], more: int) -> Callable[[], bool]:
    """Return whether `count` has risen by more than `more` since now."""
    before = count()
    return lambda: count() > before + more


def _wait_for(
    process: subprocess.Popen[str], come: Callable[[], bool], draw: random.Random
) -> None:
    """Wait until it has come or the process has ended, and a random moment longer."""
    while process.poll() is None and not come():
        time.sleep(0.01)
    time.sleep(draw.uniform(0, SPAN))


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
