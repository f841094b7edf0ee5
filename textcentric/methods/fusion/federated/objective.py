"""What a client minimises: each modality's own cross-entropy, and the pull of shared prototypes.

After the abstract of MFCPL (Le et al. 2024, arXiv 2401.13898), with the terms of `rivals.mfcpl`:
features of each modality are projected to one width, and those of complete rows have a mean for
each class, the prototype, which the server averages and all clients are sent.
Legend: B rows, M modalities, C classes, Q projected width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.rivals import mfcpl


class Prototypes(NamedTuple):
    """The mean (C, Q) of each class's complete rows, and how many rows (C,) stand behind it."""

    means: Tensor
    rows: Tensor


def own_losses(scores: Tensor, present: Tensor, labels: Tensor) -> Tensor:
    """Return the sum of cross-entropies (B,) of the modalities that a row has.

    `scores` are (B, M, C), `present` (B, M). Every client trains encoder and head of a modality as
    if it stood alone, so that those of clients with other modalities can be averaged.
    """
    each = torch.stack(
        [classification_loss(scores[:, at], labels) for at in range(scores.shape[1])], dim=1
    )  # (B, M)
    return (each * present).sum(dim=1)


def prototype_losses(
    projected: Tensor,
    present: Tensor,
    labels: Tensor,
    prototypes: Prototypes,
    config: FederatedConfig,
    *,
    complete: bool,
) -> Tensor:
    """Return the terms of prototypes (B,) of projected features (B, M, Q).

    Only a client with all modalities aligns those of its complete rows with each other. Classes
    without a prototype take no part.
    """
    known = mfcpl.Prototypes(prototypes.means, prototypes.rows > 0)
    pull = mfcpl.regularization(projected, present, labels, known)
    apart = mfcpl.contrast(projected, present, labels, known, config.prototype_temperature)
    losses = config.prototype_regularization * pull + config.prototype_contrast * apart
    if complete:
        losses = losses + config.prototype_alignment * mfcpl.alignment(projected, present)
    return losses


def prototypes_of(projected: Tensor, present: Tensor, labels: Tensor, classes: int) -> Prototypes:
    """Return the prototypes of complete rows; `projected` (B, M, Q)."""
    whole = present.min(dim=1).values > 0
    means = projected.mean(dim=1)[whole]  # (complete, Q)
    rows = torch.bincount(labels[whole], minlength=classes).to(means)
    totals = means.new_zeros(classes, means.shape[1]).index_add(0, labels[whole], means)
    return Prototypes(totals / rows.clamp(min=1)[:, None], rows)


def no_prototypes(classes: int, width: int) -> Prototypes:
    """Return those of no row at all, as before the first round."""
    return Prototypes(torch.zeros(classes, width), torch.zeros(classes))


def read_prototypes(state: Mapping[str, Tensor]) -> Prototypes:
    """Return the prototypes in what the server sent."""
    return Prototypes(state["prototypes"], state["prototype_rows"])
