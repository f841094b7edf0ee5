"""Which run directory a person means: a path, a name in `runs/`, or the newest one."""

from __future__ import annotations

from pathlib import Path

from textcentric.errors import ConfigError, unknown
from textcentric.runs import MANIFEST, list_runs

RUNS = Path("runs")


def find_run(name: str) -> Path:
    """Return the folder of the run `name`; raises ConfigError with the nearest name."""
    for folder in (Path(name), RUNS / name):
        if (folder / MANIFEST).is_file() or (folder / "run.yaml").is_file():
            return folder
    parent = Path(name).parent if "/" in name else RUNS
    known = [path.parent.name for path in parent.glob(f"*/{MANIFEST}")]
    raise ConfigError(f"{unknown('run', Path(name).name, known)} (looked in {parent}/)")


def newest_run() -> Path:
    """Return the run in `runs/` that was started last."""
    found = list_runs(RUNS)
    if not found:
        raise ConfigError(f"there is no run in {RUNS}/; name one with --run RUN")
    return Path(found[0]["path"])
