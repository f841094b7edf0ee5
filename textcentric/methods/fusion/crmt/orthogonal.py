"""Classifiers whose rows are orthogonal: margins and modality weights can then be told apart.

`own` is orthogonal weight normalisation (Huang et al., arXiv 1709.06079), which the paper of CRMT
(Yang et al., ICLR 2024) builds on: mutually orthogonal unit rows, each of sum zero. `rownorm` is
what its released code computes, with one group a row: centred rows of unit length.
Legend: C classes, D width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from textcentric.errors import ConfigError
from textcentric.methods.fusion.config import Orthogonality

CLOSE, MOST_STEPS = 1e-9, 60  # of Newton-Schulz


def own(rows: Tensor) -> Tensor:
    """Return orthonormal rows (C, D), each summing to zero, near the given ones.

    The polar factor (V V')^(-1/2) V of the centred rows V by Newton-Schulz, whose gradient stays
    finite where that of an eigendecomposition does not: at repeated eigenvalues. Raises
    ConfigError for more than D - 1 rows, or dependent ones.

    >>> own(torch.tensor([[3.0, 0.0, 0.0]])).round(decimals=4)
    tensor([[ 0.8165, -0.4082, -0.4082]])
    """
    classes, width = rows.shape
    if classes > width - 1:
        raise ConfigError(
            f"orthogonality='own': {classes} classes do not fit into features of width {width},"
            f" which hold {width - 1} orthogonal rows that sum to zero; make the features wider,"
            " or take orthogonality='rownorm'"
        )
    centred = _centred(rows).double()
    polar: Tensor = centred / torch.linalg.matrix_norm(centred)
    identity = torch.eye(classes, dtype=polar.dtype, device=polar.device)
    for _ in range(MOST_STEPS):
        gram = polar @ polar.T  # (C, C)
        polar = 1.5 * polar - 0.5 * gram @ polar
        if float((gram - identity).detach().abs().max()) < CLOSE:
            return polar.to(rows.dtype)
    raise ConfigError(
        "orthogonality='own': two classes have the same weights, so their rows cannot be made"
        " orthogonal; start from other weights (seed), or take orthogonality='rownorm'"
    )


def rownorm(rows: Tensor) -> Tensor:
    """Return centred rows of unit length (C, D); they are not orthogonal."""
    centred = _centred(rows)
    lengths: Tensor = centred.norm(dim=1, keepdim=True)
    return centred / lengths


def as_they_are(rows: Tensor) -> Tensor:
    """Return the rows (C, D) themselves."""
    return rows


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(dim=1, keepdim=True)


ORTHOGONALITY: dict[Orthogonality, Callable[[Tensor], Tensor]] = {
    "own": own,
    "rownorm": rownorm,
    "none": as_they_are,
}
