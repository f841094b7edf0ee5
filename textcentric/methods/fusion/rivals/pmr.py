"""Prototypical modal rebalance (Fan et al., CVPR 2023): pull the slower modality to prototypes.

Legend: B rows, M modalities, C classes, D features of a modality.
"""

from __future__ import annotations

import torch
from torch import Tensor

from textcentric.methods.fusion.config import UNLABELLED, CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing


class Pmr(Balancing):
    """Cross-entropy; for modalities that lag, that of distances to class prototypes (eq. 10).

    In the first epochs the entropy of the strongest modality's own distribution over prototypes is
    asked for too, so that it settles later (eq. 13). A modality is weighed by how far the strongest
    is ahead of it, and the strongest by the largest of these. Rows count for the modalities that
    they have, where their class has a prototype.

    Prototypes are the mean features of a class in an epoch, with momentum from epoch to epoch (eq.
    12). The paper takes a tenth of the rows in evaluation mode between epochs; here they are the
    features that the epoch before was trained on, and in the first epoch those so far, so that no
    row is read twice.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.weight, self.momentum = config.pmr_weight, config.pmr_momentum
        self.entropy, self.entropy_epochs = config.pmr_entropy, config.pmr_entropy_epochs
        classes, self.modalities = len(fusion.bias), len(fusion.names)
        for at, name in enumerate(fusion.names):
            empty = torch.zeros(classes, fusion.rows[name].shape[1])
            self.register_buffer(f"prototypes_{at}", empty)
            self.register_buffer(f"sums_{at}", empty.clone())
        shape = self.modalities, classes
        self.register_buffer("counts", torch.zeros(shape))  # in this epoch
        self.register_buffer("seen", torch.zeros(shape, dtype=torch.bool))
        self.register_buffer("gathered", torch.zeros((), dtype=torch.long))  # the epoch of sums
        self.counts: Tensor
        self.seen: Tensor
        self.gathered: Tensor

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,)."""
        losses = classification_loss(output.logits, labels)
        features, present = [one.float() for one in output.features.values()], output.present
        if self.training:
            self._gather([one.detach() for one in features], labels, present)
        usable = present.bool() & self.seen.T[labels]  # (B, M)
        distances = [self._distances(at, one) for at, one in enumerate(features)]  # (B, C) each
        pulls, strongest = lag([one.detach() for one in distances], labels, usable)  # (M,)
        for at, one in enumerate(distances):
            pulled = classification_loss(-one, labels.where(usable[:, at], UNLABELLED))
            losses = losses + self.weight * pulls[at] * pulled
        if self.epoch < self.entropy_epochs:
            spread = entropy(distances[strongest]).where(usable[:, strongest], 0.0)
            losses = losses - self.entropy * pulls.max() * spread
        return losses

    def prototypes(self, at: int) -> Tensor:
        """Return the prototypes (C, D) of the modality at place `at`."""
        found: Tensor = getattr(self, f"prototypes_{at}")
        return found

    def _distances(self, at: int, features: Tensor) -> Tensor:
        """Return Euclidean distances (B, C) to prototypes, infinite to classes without one."""
        exact = "donot_use_mm_for_euclid_dist"
        distances = torch.cdist(features, self.prototypes(at), compute_mode=exact)
        return distances.masked_fill(~self.seen[at], torch.inf)

    @torch.no_grad()
    def _gather(self, features: list[Tensor], labels: Tensor, present: Tensor) -> None:
        """Add up the features of a batch; with a new epoch those of the last become prototypes."""
        if self.epoch != int(self.gathered):
            self._take(self.momentum if int(self.gathered) else 0.0)
            self.gathered.fill_(self.epoch)
            for one in (self.counts, *map(self._sums, range(self.modalities))):
                one.zero_()
        for at, one in enumerate(features):
            there = present[:, at].bool()
            self.counts[at] += labels[there].bincount(minlength=self.counts.shape[1])
            self._sums(at).index_add_(0, labels[there], one[there])
        if self.epoch == 0:
            self._take(0.0)

    def _take(self, momentum: float) -> None:
        """Move the prototypes of classes that were met to their means, all but `momentum` of it."""
        for at in range(self.modalities):
            met = self.counts[at] > 0
            keep = momentum * self.seen[at, met, None]
            means = self._sums(at)[met] / self.counts[at, met, None]
            self.prototypes(at)[met] = keep * self.prototypes(at)[met] + (1 - keep) * means
            self.seen[at] |= met

    def _sums(self, at: int) -> Tensor:
        found: Tensor = getattr(self, f"sums_{at}")
        return found


def lag(
    distances: list[Tensor], labels: Tensor, present: Tensor | None = None
) -> tuple[Tensor, int]:
    """Return how far the strongest modality is ahead of each (M,), in [0, 1], and its place.

    Strength is the mean, over the rows of which a modality is `present` (B, M), of the softmax at
    the label, of negative distances (B, C). For two modalities these are the coefficients of eq.
    11; one that no row has lags by 0.

    >>> near = torch.tensor([[0.0, 9.0]]), torch.tensor([[1.0, 1.0]])
    >>> lag(list(near), torch.tensor([0]))
    (tensor([0.0000, 0.9998]), 0)
    """
    own = [(-one).softmax(dim=1).gather(1, labels[:, None])[:, 0] for one in distances]
    chances = torch.stack(own, dim=1)  # (B, M)
    there = torch.ones_like(chances) if present is None else present.to(chances)
    strength = chances.where(there > 0, 0.0).sum(dim=0) / there.sum(dim=0).clamp(min=1)
    ahead = (strength.max() / strength.clamp(min=1e-12) - 1).clamp(0, 1)
    return torch.where(there.sum(dim=0) > 0, ahead, 0.0), int(strength.argmax())


def entropy(distances: Tensor) -> Tensor:
    """Return the entropy in nats (B,) of the softmax of negative distances (B, C)."""
    logs = (-distances).log_softmax(dim=1)
    return -(logs.exp() * logs.masked_fill(distances.isinf(), 0)).sum(dim=1)
