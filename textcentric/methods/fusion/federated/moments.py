"""Normalisation that clients share without showing rows: counts, sums and sums of squares.

A client sends three numbers a channel, once; the server adds them up. What comes of it are mean and
standard deviation over all values of all clients, so a large client counts for more.
Legend: C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textcentric.methods.fusion.inputs import Moments, Senses
from textcentric.rows import FILES, Record

LEAST_DEVIATION = 1e-6  # of a channel that never varies


class Sums(NamedTuple):
    """Of a modality: the number of values a channel, their sums (C,) and sums of squares (C,)."""

    values: int
    total: np.ndarray
    squares: np.ndarray


def sums(senses: Senses, rows: Sequence[Record]) -> dict[str, Sums]:
    """Return what a client sends of each modality of files; `senses` know no moments yet."""
    found: dict[str, Sums] = {}
    for row in rows:
        for name, values in senses.read(row).items():
            if name in FILES:
                flat = values.reshape(len(values), -1).astype(np.float64)  # (C, ...)
                own = Sums(flat.shape[1], flat.sum(axis=1), np.square(flat).sum(axis=1))
                found[name] = _added(found[name], own) if name in found else own
    return found


def moments(sent: Sequence[dict[str, Sums]]) -> Moments:
    """Return mean and standard deviation of each channel of each modality, of all clients."""
    whole: dict[str, Sums] = {}
    for each in sent:
        for name, own in each.items():
            whole[name] = _added(whole[name], own) if name in whole else own
    return {name: _moments(of) for name, of in whole.items()}


def _moments(of: Sums) -> tuple[list[float], list[float]]:
    mean = of.total / of.values
    deviation = np.sqrt(np.maximum(of.squares / of.values - mean**2, 0))
    return mean.tolist(), np.maximum(deviation, LEAST_DEVIATION).tolist()


def _added(one: Sums, other: Sums) -> Sums:
    return Sums(one.values + other.values, one.total + other.total, one.squares + other.squares)
