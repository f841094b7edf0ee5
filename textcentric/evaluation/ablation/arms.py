"""The arms that ablations of CRMT and Align-VL compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textcentric.evaluation.ablation.cells import Cell, Measured
from textcentric.evaluation.fusion import right_under
from textcentric.methods.align_vl import AlignConfig, AlignVl
from textcentric.methods.align_vl.latents import Latents, PairRow, PairRows
from textcentric.methods.fusion import Crmt, CrmtConfig
from textcentric.metrics.recall import AT, Searched
from textcentric.rows import Record
from textcentric.settings import Given
from textcentric.training.config import train_config
from textcentric.training.loop import train

CRMT_ARMS: Mapping[str, Given] = {
    "CRMT-JT": {},
    "without step 2": {"variant": "crmt-step-1"},
    "hinge for LogSumExp": {"margin": "hinge"},
}
ALIGN_ARMS: Mapping[str, Given] = {
    "Align-VL": {},
    "without mixing": {"mixing": False},
    "uniform noise": {"noise": "uniform"},
}
SIGMAS, ALPHAS = (0.01, 0.05, 0.1, 0.5), (0.1, 0.2, 0.5, 0.8)
GRID: Mapping[str, Given] = {
    f"sigma={sigma:g} alpha={alpha:g}": {"noise_sigma": sigma, "smoothing": alpha}
    for sigma in SIGMAS
    for alpha in ALPHAS
}


def crmt_cell(
    cell: Cell,
    place: Path,
    *,
    rows: Sequence[Record],
    held_out: Sequence[Record],
    test: Sequence[Record],
    root: str | Path | None,
    loop: Given,
    model: Given,
    radius: float,
) -> Measured:
    """Train the arm and return, for each test row, whether it is right under each of the metrics.

    They are the paper's nine, and the worst of all attacks on each modality and on both.
    """
    config = CrmtConfig.of({**model, **cell.settings, "seed": cell.seed})
    method = Crmt(config, rows, root)
    own = {"eval_strategy": "no", **config.method.loop}
    values = {**own, **loop, "seed": cell.seed, "output_dir": place}
    train(method, train_config(values), rows, held_out, quiet=True)
    return right_under(Crmt.load(place, root), test, radius)


def align_cell(
    cell: Cell,
    place: Path,
    *,
    latents: Latents,
    rows: Sequence[PairRow],
    test: PairRows,
    loop: Given,
    model: Given,
) -> Measured:
    """Train the arm and return, for each test query, whether its item is among the nearest K."""
    config = AlignConfig.of({**model, **cell.settings, "seed": cell.seed})
    method = AlignVl(config, latents, rows)
    values = {"eval_strategy": "no", **loop, "seed": cell.seed, "output_dir": place}
    train(method, train_config(values), rows, quiet=True)
    return found_within(method.searched(test))


def found_within(searched: Mapping[str, Searched]) -> Measured:
    """Return, for R@1, 5 and 10 of each way, 1 for each query whose item is found, else 0."""
    return {f"{way} R@{k}": found.within(k).tolist() for way, found in searched.items() for k in AT}


def query_groups(
    names: Sequence[str], test: PairRows, groups: Sequence[str]
) -> dict[str, list[str]]:
    """Return the group of every query of each metric; `groups` are those of the test pairs."""
    pairs = np.asarray(test.pairs)
    told: dict[str, list[str]] = {}
    for one, other in ((0, 1), (1, 0)):
        _, first = np.unique(pairs[:, one], return_index=True)
        told |= {f"{names[one]} to {names[other]} R@{k}": [groups[at] for at in first] for k in AT}
    return told
