"""`kill -9` at twenty random moments or more: nothing is lost, nothing is written twice."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.support.small_run import balance, run, run_slowly, texts
from textcentric.runs.journal import Journal

ROWS, KILLS = 200, 20
ENOUGH = 300  # answers that must have come between kills; a slow machine takes more kills


def killed_after(folder: Path, seconds: float) -> bool:
    """Run in a process of its own, killed after `seconds`; say whether the kill met it alive."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.support.small_run", "pyarrow.parquet", "textcentric.report.run"]
    )
    ready = context.Event()
    process = context.Process(target=run_slowly, args=(folder, ROWS, 0.02, ready.set))
    process.start()
    assert ready.wait(60)
    time.sleep(seconds)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    alive = process.exitcode == -signal.SIGKILL
    process.close()
    return alive


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_write_nothing_twice(tmp_path: Path) -> None:
    draw = random.Random(20)
    folder = tmp_path / "run"
    answers = [(0, 0)]
    kills, longest = 0, 0.6
    while kills < KILLS or answers[-1][0] <= ENOUGH:
        kills += 1
        assert kills < 10 * KILLS, f"{answers[-1][0]} answers after {kills} kills: nothing is kept"
        assert killed_after(folder, draw.uniform(0.0, longest)), "the run ended before all kills"
        journal = Journal(folder / "journal.sqlite") if folder.is_dir() else None
        if journal is not None:
            answers.append((journal.answers(), journal.finished_rows()))
            journal.close()
        stuck = len(answers) < 2 or answers[-1] == answers[-2]
        longest = 1.2 * longest if stuck else 0.6  # a busy machine needs longer to start at all
    assert answers == sorted(answers)
    assert 0 < answers[-1][1] < ROWS, "the kills should fall between shards too"

    done = run(folder, ROWS)
    assert (balance(done)["requested"], balance(done)["pending"]) == (4 * ROWS, 0)
    undisturbed = run(tmp_path / "undisturbed", ROWS)
    assert texts(folder) == texts(undisturbed.path)
    assert done.manifest["counts"] == undisturbed.manifest["counts"]
    assert not [path for path in folder.rglob("*") if path.name.endswith(".tmp")]
