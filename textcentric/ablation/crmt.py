"""The ablation of CRMT: without explicit optimisation of a, and with a hinge for a margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textcentric.ablation.cells import Cell, Measured
from textcentric.methods.crmt import Crmt, crmt_config
from textcentric.methods.crmt.robustness import right_under
from textcentric.rows import Record
from textcentric.train import train
from textcentric.training.config import train_config

ARMS: Mapping[str, Mapping[str, Any]] = {
    "CRMT-JT": {},
    "without step 2": {"variant": "crmt-step-1"},
    "hinge for LogSumExp": {"margin": "hinge"},
}


def crmt_cell(
    cell: Cell,
    place: Path,
    *,
    rows: Sequence[Record],
    held_out: Sequence[Record],
    test: Sequence[Record],
    root: str | Path | None,
    loop: Mapping[str, Any],
    model: Mapping[str, Any],
    radius: float,
) -> Measured:
    """Train the arm and return, for each test row, whether it is right under each of the metrics.

    They are the paper's nine, and the worst of all attacks on each modality and on both.
    """
    config = crmt_config({**model, **cell.settings, "seed": cell.seed})
    method = Crmt(config, rows, root)
    values = {"eval_strategy": "no", **loop, "seed": cell.seed, "output_dir": place}
    train(method, train_config(values), rows, held_out, quiet=True)
    return right_under(Crmt.load(place, root), test, radius)
