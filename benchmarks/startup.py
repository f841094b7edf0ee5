"""How long a run of 100 thousand finished rows takes to open again, whole or with a rest to do.

The finished run is built once with a scripted engine and kept in the temporary folder. Each
reading is a process of its own, timed from where the command line opens the run; what starting the
interpreter takes is printed beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Bar, Figure, median
from benchmarks.processes import child
from benchmarks.rows import write_table
from benchmarks.scripted_run import configure, run
from textcentric.augmentation.config import AugmentConfig
from textcentric.runs.columns import FOLDERS

BAR = 1.0  # seconds for 100 thousand rows
REST = 100  # rows that the unfinished run lacks
QUICK = {"rows": 500, "repeats": 1}
PROMPT = """---
id: cheap/retell
version: 1
stage: adversarial
intent: One request a row.
writes: row
---
{% block user %}{{ row }}

Tell this listing again in your own words.{% endblock %}
"""


def measure(rows: int = 100_000, repeats: int = 5) -> Figure:
    """Open both runs `repeats` times each, in turn."""
    place = Path(tempfile.gettempdir()) / f"textcentric-bench-startup-{os.getuid()}-{rows}"
    build(place, rows)
    whole = (place, place / "run")
    finished, rest = [], []
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        cold = child("startup", "finished", *whole, XDG_CACHE_HOME=name)
    child(
        "startup", "finished", *whole
    )  # the scan of the table is in the cache, as it is after a run
    for _ in range(repeats):
        finished.append(child("startup", "finished", *whole))
        with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
            rest.append(child("startup", "rest", place, unfinished(place, Path(name))))
    readings = [reading["seconds"] for reading in finished]
    first, _ = median([reading["seconds"] for reading in rest])
    before, _ = median([reading["before"] for reading in finished])
    bar = Bar("startup", "<", BAR * max(rows / 100_000, 1.0), "s", f" for {rows:,} rows")
    return bar.figure(
        f"start-up on a finished run of {rows:,} rows",
        median(readings),
        also=bar.reached(first),
        raw={"finished": finished, "rest": rest, "empty_cache": cold},
        notes=(
            f"until the first of the last {REST} rows is built, where they are missing:"
            f" {first:.2f} s",
            f"with an empty cache, as on another machine: {cold['seconds']:.2f} s;"
            f" interpreter and first imports before that: {before:.2f} s",
        ),
    )


def config_of(place: Path, output_dir: Path) -> AugmentConfig:
    """Return the run: one cheap prompt, no summary."""
    return configure(
        place / "rows.csv",
        output_dir,
        prompts="cheap/*",
        prompt_dir=str(place / "prompts"),
        summarize=False,
    )


def build(place: Path, rows: int) -> None:
    """Write table, prompt and a finished run, unless they are there in this version."""
    from textcentric.runs.journal_file import TABLES

    stamp = json.dumps([PROMPT, TABLES, config_of(place, place / "run").identity()])
    if (place / "stamp").is_file() and (place / "stamp").read_text() == stamp:
        return
    shutil.rmtree(place, ignore_errors=True)
    (place / "prompts" / "cheap").mkdir(parents=True)
    (place / "prompts" / "cheap" / "retell.jinja").write_text(PROMPT)
    write_table(place / "rows.csv", rows)
    manifest = run(config_of(place, place / "run"))
    assert manifest["status"] == "finished", manifest
    (place / "stamp").write_text(stamp)


def unfinished(place: Path, folder: Path) -> Path:
    """Copy the run as if it had been killed before its last rows were put into a shard."""
    copy = folder / "run"
    copy.mkdir()
    for name in ("run.yaml", "manifest.json", "journal.sqlite"):
        shutil.copy(place / "run" / name, copy / name)
    shutil.copytree(place / "run" / "prompts", copy / "prompts")
    for name in FOLDERS:
        if (place / "run" / name).is_dir():
            shutil.copytree(place / "run" / name, copy / name, copy_function=os.link)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"status": "running"}))
    with sqlite3.connect(copy / "journal.sqlite") as db:
        last = "SELECT source_id FROM done ORDER BY source_id DESC LIMIT ?"
        db.execute(f"DELETE FROM done WHERE source_id IN ({last})", (REST,))
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description="Open a run; print how long that took.")
    parser.add_argument("what", choices=["finished", "rest"])
    parser.add_argument("place", type=Path)
    parser.add_argument("folder", type=Path)
    flags = parser.parse_args()
    before = _process_age()
    opening = open_finished if flags.what == "finished" else open_rest
    seconds = opening(config_of(flags.place, flags.folder))
    print(json.dumps({"seconds": seconds, "before": before}))


def open_finished(config: AugmentConfig) -> float:
    """Return the seconds until it is known that nothing is left to do, as the command line asks."""
    from textcentric.augmentation.run import finished_manifest, opened
    from textcentric.engines.scripted import ScriptedEngine

    engine = ScriptedEngine()
    started = time.perf_counter()
    with opened(config, engine=engine) as run:
        assert finished_manifest(run.job) is not None, "the run is not finished"
        return time.perf_counter() - started


def open_rest(config: AugmentConfig) -> float:
    """Return the seconds until the first missing row is built again from its journalled answer."""
    from textcentric.augmentation.driver import Driver
    from textcentric.augmentation.run import finished_manifest, opened
    from textcentric.engines.scripted import ScriptedEngine

    built: list[float] = []
    engine = ScriptedEngine()
    started = time.perf_counter()
    with opened(config, engine=engine, on_row=lambda _: built.append(time.perf_counter())) as run:
        assert finished_manifest(run.job) is None, "the run is finished"
        run.job.dataset.count()  # the command line says how many rows there are
        asyncio.run(Driver(run.job).run())
    assert (len(built), engine.count) == (REST, 0), (len(built), engine.count)
    return built[0] - started


def _process_age() -> float:
    """Return the seconds since this process was started."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
