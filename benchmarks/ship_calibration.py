"""Make the shipped calibration from runs of which sheets were read: counts alone, no row.

    python -m benchmarks.ship_calibration runs/sample runs/real

Every sheet of each run counts, by model, prompt digest, identity of the checks, temperature; runs
of the same are added up where they are looked at. What was read of other prompts or under other
checks than today's is refused. The file is replaced whole.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from textcentric.errors import PromptError, RunError
from textcentric.prompts.calibration import BANK, Reading, bare, shipped, write_calibration
from textcentric.prompts.library import PromptLibrary
from textcentric.reading.calibrating import figures_of, stale
from textcentric.reading.sheet import sheets


def ship(runs: Sequence[Path], path: Path) -> list[Reading]:
    """Write what was read of `runs` to `path` and return it.

    Raises RunError for a run of which nothing was read, PromptError for what is not of today.
    """
    readings = [reading for run in runs for reading in _read(run)]
    if problems := [*_foreign(readings), *stale(readings)]:
        raise PromptError("; ".join(problems))
    readings.sort(key=lambda one: (one.prompt, one.model, one.sheet))
    write_calibration(path, readings)
    return readings


def _read(run: Path) -> list[Reading]:
    """Return what was read of all sheets of `run`; a model's folder is left out of its name."""
    readings = [reading for sheet in sheets(run) for reading in figures_of(run, sheet).readings]
    if not readings:
        raise RunError(f"nothing of {run} was read yet; `textcentric review {run}` begins")
    return [reading.model_copy(update={"model": bare(reading.model)}) for reading in readings]


def _foreign(readings: Sequence[Reading]) -> list[str]:
    known = PromptLibrary.load().prompts
    own = {one.prompt for one in readings if "+" in one.checks}
    names = {one.prompt for one in readings if not one.prompt.startswith(BANK)}
    return [
        *(f"{name} is no shipped prompt" for name in sorted(names - known.keys())),
        *(f"{name} was judged by weights that are not the shipped ones" for name in sorted(own)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run directories")
    for reading in ship(parser.parse_args().runs, shipped()):
        print(f"{reading.prompt}: {reading.words()}; {reading.yield_words()}")
    print(f"written to {shipped()}")


if __name__ == "__main__":
    main()
