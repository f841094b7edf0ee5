"""Prototypical modality rebalance (Fan et al., CVPR 2023): pull the slower modality to prototypes.

Legend: B rows, M modalities, C classes, D features of a modality.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output


class Pmr(nn.Module):
    """Cross-entropy, plus that on distances to class prototypes for the modalities that lag.

    Prototypes are running means of features by class, updated with every training batch (the paper
    computes them each epoch). A modality is weighed by how far the strongest is ahead of it.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.weight, self.momentum = config.pmr_weight, config.pmr_momentum
        classes = len(fusion.bias)
        for at, name in enumerate(fusion.names):
            self.register_buffer(
                f"prototypes_{at}", torch.zeros(classes, fusion.rows[name].shape[1])
            )
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))
        self.seen: Tensor

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,)."""
        losses = classification_loss(output.logits, labels)
        features = list(output.features.values())
        if self.training:
            self._update([one.detach() for one in features], labels)
        if not bool(self.seen[labels].all()):
            return losses
        distances = [self._distances(at, one) for at, one in enumerate(features)]  # (B, C) each
        pulls = lag([one.detach() for one in distances], labels)  # (M,)
        for pull, one in zip(pulls, distances, strict=True):
            losses = losses + self.weight * pull * classification_loss(-one, labels)
        return losses

    def prototypes(self, at: int) -> Tensor:
        """Return the prototypes (C, D) of the modality at place `at`."""
        found: Tensor = getattr(self, f"prototypes_{at}")
        return found

    def _distances(self, at: int, features: Tensor) -> Tensor:
        distances = torch.cdist(features, self.prototypes(at))
        return distances.masked_fill(~self.seen, torch.inf)

    @torch.no_grad()
    def _update(self, features: list[Tensor], labels: Tensor) -> None:
        for label in labels.unique():
            keep = self.momentum if bool(self.seen[label]) else 0.0
            for at, one in enumerate(features):
                mean = one[labels == label].mean(dim=0)
                self.prototypes(at)[label] = keep * self.prototypes(at)[label] + (1 - keep) * mean
            self.seen[label] = True


def lag(distances: list[Tensor], labels: Tensor) -> Tensor:
    """Return how far the strongest modality is ahead of each (M,), in [0, 1].

    Strength is the sum over rows of the softmax at the label, of negative distances (B, C).

    >>> near = torch.tensor([[0.0, 9.0]]), torch.tensor([[1.0, 1.0]])
    >>> lag(list(near), torch.tensor([0]))
    tensor([0.0000, 0.9998])
    """
    strength = torch.stack(
        [(-one).softmax(dim=1).gather(1, labels[:, None]).sum() for one in distances]
    )
    return (strength.max() / strength.clamp(min=1e-12) - 1).clamp(0, 1)
