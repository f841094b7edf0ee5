"""The cells of an ablation: one training each, measured once and kept.

plan.json           what is measured; another plan is refused
cells/<arm>-<seed>.json   what a cell came to: a value for every row and metric
models/             trainings that are under way, each resumable
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textcentric.errors import option
from textcentric.folders import refuse_another, write_text
from textcentric.runs.lock import lock
from textcentric.security.files import read_text
from textcentric.security.outputs import check_ours, head
from textcentric.settings import Given

Measured = dict[str, list[float]]  # of each metric a value for every row, or query
Found = dict[tuple[str, int], Measured]


@dataclass(frozen=True)
class Cell:
    """One training: an arm, a seed, and the settings by which the arm differs."""

    arm: str
    seed: int
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the name of its files."""
        told = re.sub(r"[^\w=.-]+", "-", self.arm)
        return f"{told}-{self.seed}"


def cells_of(arms: Mapping[str, Given], seeds: int) -> list[Cell]:
    """Return the cells of arms, seed by seed, so that a stopped ablation has whole seeds."""
    return [Cell(arm, seed, found) for seed in range(seeds) for arm, found in arms.items()]


def measured(
    cells: Sequence[Cell],
    folder: Path,
    plan: Given,
    work: Callable[[Cell, Path], Measured],
    note: Callable[[str], None],
) -> Found:
    """Return what every cell came to; those that `folder` holds are not measured again.

    `work` is given a cell and the folder of its model. Raises RunError where the folder belongs to
    another plan.
    """
    known = json.loads(json.dumps({"plan": plan}))
    found: Found = {}
    with lock(folder):
        _agree(folder / "plan.json", known)
        (folder / "cells").mkdir(exist_ok=True)
        for number, cell in enumerate(cells, 1):
            path = folder / "cells" / f"{cell.name}.json"
            if not path.is_file():
                note(f"{number} of {len(cells)}: {cell.arm}, seed {cell.seed}")
                told = work(cell, folder / "models" / cell.name)
                write_text(path, json.dumps(told) + "\n")
            found[cell.arm, cell.seed] = json.loads(read_text(path))
    return found


def _agree(path: Path, known: Mapping[str, Given]) -> None:
    check_ours(path, "an ablation", lambda plan: head(plan).startswith(b'{\n  "plan": '))
    if not path.is_file():
        for written in path.parent.glob("ablation.*"):
            check_ours(written, "an ablation", lambda file: False)
        write_text(path, json.dumps(known, indent=2) + "\n")
        return
    before = json.loads(read_text(path))
    cure = f"Give another {option('output_dir')}, or remove it"
    refuse_another(f"the ablation in {path.parent}", before["plan"], known["plan"], cure)
