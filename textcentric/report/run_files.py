"""The small files of a run directory: manifest, metrics and configuration, whatever is there.

A report is wanted most when something went wrong, so a missing or broken file never stops it:
it becomes a notice that the page shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from textcentric.errors import ConfigError, PromptError, RunError
from textcentric.prompts.calibration import CALIBRATION, UNREAD, read_calibration, unread_words
from textcentric.runs.counters import METRICS, readings
from textcentric.runs.manifest import Manifest, derived_words, read_manifest
from textcentric.security import files
from textcentric.values import Json

MOST_READINGS = 4_000
LONGEST_CONFIG = 60_000  # characters
LEVELS = {"t", "in_flight", "capacity"}  # everything else in a reading is a running sum


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What the small files say; `readings` have an ever-growing `t`, also over resumptions.

    `folder` is where the run lies, for commands to paste; only its name where the path would tell
    of this machine.
    """

    name: str
    folder: str = ""
    manifest: Mapping[str, Json] = field(default_factory=dict)
    readings: tuple[Mapping[str, float], ...] = ()
    resumed: tuple[float, ...] = ()
    config: str = ""
    notices: tuple[str, ...] = ()


def read_run(run_dir: Path) -> RunFiles:
    """Read the small files of `run_dir`; raise ConfigError where there is no such folder."""
    if not run_dir.is_dir():
        raise ConfigError(
            f"there is no run directory {str(run_dir)!r}; expected a folder written by"
            " `textcentric augment`; `textcentric runs list` shows those that exist"
        )
    manifest, notices = _manifest(run_dir / "manifest.json")
    joined, resumed = _continuous(_readings(run_dir / METRICS, notices))
    return RunFiles(
        name=run_dir.resolve().name,
        folder=run_dir.resolve().name if run_dir.is_absolute() else str(run_dir),
        manifest=manifest,
        readings=tuple(joined),
        resumed=tuple(resumed),
        config=_config(run_dir / "run.yaml", notices),
        notices=tuple(notices),
    )


def section(manifest: Mapping[str, Json], name: str) -> dict[str, Any]:
    """Return a mapping of the manifest, an empty one where it is absent or something else."""
    value = manifest.get(name)
    return dict(value) if isinstance(value, Mapping) else {}


def read_words(run_dir: Path, manifest: Mapping[str, Json]) -> dict[str, str]:
    """Return what was read of each prompt: of this very run, else what was known when it began."""
    words = {name: str(said) for name, said in section(manifest, "read").items()}
    path = run_dir / CALIBRATION
    try:
        readings = read_calibration(path).readings if files.is_real_file(path) else ()
    except PromptError:
        readings = ()  # a broken one says nothing
    return words | {reading.prompt: reading.words() for reading in readings}


def derived_lines(manifest: Mapping[str, Json], read: Mapping[str, str]) -> list[str]:
    """Say how many summaries and explanations stand in the clean rows, and what was read of them.

    Nothing is said of a broken file.
    """
    try:
        words = derived_words(cast("Manifest", manifest))
    except (AttributeError, KeyError, TypeError):
        return []
    known = {name: f"; {said}" for name, said in read.items() if said != UNREAD}
    return [f"{said}{known.get(name, '')}" for name, said in words.items()]


def never_read(words: Mapping[str, str]) -> str:
    """Say once of which prompts nothing was read, "" where something was of all."""
    unread = [name for name, said in words.items() if said == UNREAD]
    return unread_words(unread) if unread else ""


def number(value: Json) -> float:
    """Return `value` where it is a finite number, else 0."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0
    return value if abs(value) < float("inf") else 0


def _manifest(path: Path) -> tuple[dict[str, Json], list[str]]:
    if not os.path.lexists(path):
        return {}, ["manifest.json is absent: counts were taken from the files written so far."]
    try:
        return dict(read_manifest(path.parent)), []  # type: ignore[arg-type]
    except RunError as error:
        return {}, [f"{error}. Counts were taken from the files."]


def _config(path: Path, notices: list[str]) -> str:
    try:
        with files.reading(path) as file:
            text = file.read(LONGEST_CONFIG + 1).decode("utf-8", "replace")
    except RunError as error:
        notices.append(f"The configuration is not shown: {error}.")
        return ""
    except OSError:
        return ""
    return text if len(text) <= LONGEST_CONFIG else text[:LONGEST_CONFIG] + "\n# (cut here)"


def _readings(path: Path, notices: list[str]) -> list[dict[str, float]]:
    try:
        found = _thinned(readings(path))
    except RunError as error:
        notices.append(f"No rates over time can be drawn: {error}.")
        return []
    if not found:
        notices.append("metrics.jsonl holds no readings, so no rates over time can be drawn.")
    return found


def _thinned(readings: Iterator[dict[str, float]]) -> list[dict[str, float]]:
    """Keep at most `MOST_READINGS`, evenly spread, and always the last one."""
    kept: list[dict[str, float]] = []
    step, last = 1, None
    for position, reading in enumerate(readings):
        last = reading
        # A reading that goes back to the beginning tells of a resumption: never drop it.
        if position % step and reading["t"] >= kept[-1]["t"]:
            continue
        kept.append(reading)
        if len(kept) > MOST_READINGS:
            kept, step = kept[::2], step * 2
    if last is not None and kept[-1] is not last:
        kept.append(last)
    return kept


def _continuous(
    readings: list[dict[str, float]],
) -> tuple[list[dict[str, float]], list[float]]:
    """Join the readings of a resumed run: clocks and sums that start again go on instead."""
    joined: list[dict[str, float]] = []
    resumed: list[float] = []
    base: dict[str, float] = {}
    before: dict[str, float] = {}
    for reading in readings:
        if before and reading["t"] < before["t"]:
            base = {**base, "t": base.get("t", 0) + before["t"]}
            resumed.append(base["t"])
        for name, value in reading.items():
            if name not in LEVELS and value < before.get(name, 0):
                base = {**base, name: base.get(name, 0) + before[name]}
        joined.append({name: value + base.get(name, 0) for name, value in reading.items()})
        before = reading
    return joined, resumed
