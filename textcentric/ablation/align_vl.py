"""The ablations of Align-VL: mixing and the kind of noise, and how much of noise and smoothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textcentric.ablation.cells import Cell, Measured
from textcentric.latents import Latents, PairRow, PairRows
from textcentric.methods.align_vl import AlignVl, align_config
from textcentric.methods.align_vl.recall import AT, Searched
from textcentric.train import train
from textcentric.training.config import train_config

ARMS: Mapping[str, Mapping[str, Any]] = {
    "Align-VL": {},
    "without mixing": {"mixing": False},
    "uniform noise": {"noise": "uniform"},
}
SIGMAS, ALPHAS = (0.01, 0.05, 0.1, 0.5), (0.1, 0.2, 0.5, 0.8)
GRID: Mapping[str, Mapping[str, Any]] = {
    f"sigma={sigma:g} alpha={alpha:g}": {"noise_sigma": sigma, "smoothing": alpha}
    for sigma in SIGMAS
    for alpha in ALPHAS
}


def align_cell(
    cell: Cell,
    place: Path,
    *,
    latents: Latents,
    rows: Sequence[PairRow],
    test: PairRows,
    loop: Mapping[str, Any],
    model: Mapping[str, Any],
) -> Measured:
    """Train the arm and return, for each test query, whether its item is among the nearest K."""
    config = align_config({**model, **cell.settings, "seed": cell.seed})
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
