"""What a client minimises: each modality's own cross-entropy, and the pull of shared prototypes.

After the abstract of MFCPL (multimodal federated learning with prototypes): features of each
modality are projected to one width, and those of complete rows have a mean for each class, the
prototype, which all clients are sent. Weights and forms are this project's own.
Legend: B rows, M modalities, C classes, Q projected width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.federated.config import FederatedConfig


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

    Squared distance to the prototype of the row's class, cross-entropy of cosines with those of all
    classes, and, of a client with all modalities, the squared distance between modalities of
    complete rows, the mean over pairs. Classes without a prototype take no part.
    """
    known = prototypes.rows > 0  # (C,)
    mine = known[labels].to(projected)  # (B,)
    count = present.sum(dim=1)
    distance = (projected - prototypes.means[labels][:, None]).square().mean(dim=2)  # (B, M)
    pull = (distance * present).sum(dim=1) / count
    cosines = cosine_similarity(projected[:, :, None], prototypes.means[None, None], dim=3)
    chances = (cosines / config.prototype_temperature).masked_fill(~known, -torch.inf)  # (B, M, C)
    losses = config.prototype_distance * mine * pull
    if known.any():
        chosen = labels[:, None, None].expand(-1, chances.shape[1], 1)
        contrast = -chances.log_softmax(dim=2).gather(2, chosen)[:, :, 0]  # inf where none is known
        contrast = torch.where((present > 0) & (mine[:, None] > 0), contrast, 0.0)
        losses = losses + config.prototype_contrast * contrast.sum(dim=1)
    if complete:
        losses = losses + config.prototype_alignment * alignment(projected, present)
    return losses


def alignment(projected: Tensor, present: Tensor) -> Tensor:
    """Return the mean squared distance (B,) between two modalities of complete rows, else 0."""
    whole = present.min(dim=1).values
    pairs = torch.combinations(torch.arange(projected.shape[1], device=projected.device))
    apart = projected[:, pairs[:, 0]] - projected[:, pairs[:, 1]]  # (B, pairs, Q)
    return whole * apart.square().mean(dim=(1, 2))


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
