"""Prototypical modal rebalance (Fan et al., CVPR 2023): pull the slower modality to prototypes.

Legend: B rows, M modalities, C classes, D features of a modality.
"""

from __future__ import annotations

import torch
from torch import Tensor

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing


class Pmr(Balancing):
    """Cross-entropy; for modalities that lag, that of distances to class prototypes (eq. 10).

    In the first epochs the entropy of the strongest modality's own distribution over prototypes is
    asked for too, so that it settles later (eq. 13). A modality is weighed by how far the strongest
    is ahead of it, and the strongest by the largest of these.

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
        self.register_buffer("counts", torch.zeros(classes))  # in this epoch
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))
        self.register_buffer("gathered", torch.zeros((), dtype=torch.long))  # the epoch of sums
        self.counts: Tensor
        self.seen: Tensor
        self.gathered: Tensor

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,)."""
        losses = classification_loss(output.logits, labels)
        features = [one.float() for one in output.features.values()]
        if self.training:
            self._gather([one.detach() for one in features], labels)
        if not bool(self.seen[labels].all()):
            return losses
        distances = [self._distances(at, one) for at, one in enumerate(features)]  # (B, C) each
        pulls, strongest = lag([one.detach() for one in distances], labels)  # (M,)
        for pull, one in zip(pulls, distances, strict=True):
            losses = losses + self.weight * pull * classification_loss(-one, labels)
        if self.epoch < self.entropy_epochs:
            losses = losses - self.entropy * pulls.max() * entropy(distances[strongest])
        return losses

    def prototypes(self, at: int) -> Tensor:
        """Return the prototypes (C, D) of the modality at place `at`."""
        found: Tensor = getattr(self, f"prototypes_{at}")
        return found

    def _distances(self, at: int, features: Tensor) -> Tensor:
        """Return Euclidean distances (B, C) to prototypes, infinite to classes without one."""
        exact = "donot_use_mm_for_euclid_dist"
        distances = torch.cdist(features, self.prototypes(at), compute_mode=exact)
        return distances.masked_fill(~self.seen, torch.inf)

    @torch.no_grad()
    def _gather(self, features: list[Tensor], labels: Tensor) -> None:
        """Add up the features of a batch; with a new epoch those of the last become prototypes."""
        if self.epoch != int(self.gathered):
            self._take(self.momentum if int(self.gathered) else 0.0)
            self.gathered.fill_(self.epoch)
            for one in (self.counts, *map(self._sums, range(len(features)))):
                one.zero_()
        self.counts += labels.bincount(minlength=len(self.counts))
        for at, one in enumerate(features):
            self._sums(at).index_add_(0, labels, one)
        if self.epoch == 0:
            self._take(0.0)

    def _take(self, momentum: float) -> None:
        """Move the prototypes of classes that were met to their means, all but `momentum` of it."""
        met = self.counts > 0
        keep = momentum * self.seen[met, None]
        for at in range(self.modalities):
            means = self._sums(at)[met] / self.counts[met, None]
            self.prototypes(at)[met] = keep * self.prototypes(at)[met] + (1 - keep) * means
        self.seen |= met

    def _sums(self, at: int) -> Tensor:
        found: Tensor = getattr(self, f"sums_{at}")
        return found


def lag(distances: list[Tensor], labels: Tensor) -> tuple[Tensor, int]:
    """Return how far the strongest modality is ahead of each (M,), in [0, 1], and its place.

    Strength is the sum over rows of the softmax at the label, of negative distances (B, C). For two
    modalities these are the coefficients of eq. 11.

    >>> near = torch.tensor([[0.0, 9.0]]), torch.tensor([[1.0, 1.0]])
    >>> lag(list(near), torch.tensor([0]))
    (tensor([0.0000, 0.9998]), 0)
    """
    strength = torch.stack(
        [(-one).softmax(dim=1).gather(1, labels[:, None]).sum() for one in distances]
    )
    ahead = (strength.max() / strength.clamp(min=1e-12) - 1).clamp(0, 1)
    return ahead, int(strength.argmax())


def entropy(distances: Tensor) -> Tensor:
    """Return the entropy in nats (B,) of the softmax of negative distances (B, C)."""
    logs = (-distances).log_softmax(dim=1)
    return -(logs.exp() * logs.masked_fill(distances.isinf(), 0)).sum(dim=1)
