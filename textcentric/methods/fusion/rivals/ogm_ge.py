"""On-the-fly gradient modulation with noise (Peng et al., CVPR 2022): slow the stronger encoder.

The gradient of an encoder's weight is scaled by k = 1 - tanh(alpha * its lead), and gets normal
noise of the standard deviation that it had **before** it was scaled, so that the encoder which is
slowed gains noise. As released (GeWu-Lab/OGM-GE_CVPR2022) biases and the weights of normalisation
are left alone: there weights of four dimensions are changed, which are those of convolutions; here
all of two or more, which also says what happens to an MLP and a text encoder. Of ResNet-18 and
`conv` these are the same weights. Factors are those of the batch of one process.
Legend: B rows, M modalities, C classes.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing


class OgmGe(Balancing):
    """Cross-entropy; gradients of encoders are modulated from the first epoch given to the last.

    A modality's strength is the mean, over the rows that have it, of its own softmax at the labels,
    with a share of the bias; its lead is that over the mean of the others'.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.alpha = config.ogm_alpha
        self.first, self.last = config.ogm_first_epoch, config.ogm_last_epoch
        self._factors: Tensor | None = None  # (M,) of the batch under way
        self._bias = [fusion.bias]  # in a list: it is no part of this module
        for at, name in enumerate(fusion.names):
            for weight in fusion.encoder(name).parameters():
                if weight.ndim > 1 and weight.requires_grad:
                    weight.register_hook(partial(self._changed, at))

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,), and keep what gradients are scaled by."""
        self._factors = None
        if self.training and self.first <= self.epoch <= self.last:
            scores = output.scores.detach() + self._bias[0].detach() / output.scores.shape[1]
            self._factors = modulation(scores, labels, self.alpha, output.present)
        return classification_loss(output.logits, labels)

    def _changed(self, at: int, gradient: Tensor) -> Tensor:
        if self._factors is None:
            return gradient
        return modulated(gradient, self._factors[at])


def modulation(
    scores: Tensor, labels: Tensor, alpha: float, present: Tensor | None = None
) -> Tensor:
    """Return what each encoder's gradient is multiplied by (M,), of scores (B, M, C).

    1 - tanh(alpha * lead) where the lead is above 1, else 1 (eq. 10). Rows count for the modalities
    that are `present` (B, M), all where it is not given; one that no row has is left alone.

    >>> modulation(torch.tensor([[[9.0, 0.0], [0.0, 0.0]]]), torch.tensor([0]), 0.3)
    tensor([0.4630, 1.0000])
    """
    chances = scores.softmax(dim=2)  # (B, M, C)
    own = chances.gather(2, labels[:, None, None].expand(-1, scores.shape[1], 1))[:, :, 0]
    there = torch.ones_like(own) if present is None else present.to(own)
    strength = (own * there).sum(dim=0) / there.sum(dim=0).clamp(min=1)  # (M,)
    others = (strength.sum() - strength) / (strength.count_nonzero() - 1).clamp(min=1)
    lead = torch.where(others > 0, strength / others.clamp(min=1e-12), 0.0)
    return torch.where(lead > 1, 1 - torch.tanh(alpha * lead), 1.0)


def modulated(gradient: Tensor, factor: Tensor) -> Tensor:
    """Return a gradient times `factor`, plus noise of the spread that it had without it."""
    spread = gradient.std() if gradient.numel() > 1 else torch.zeros_like(factor)
    return gradient * factor + torch.randn_like(gradient) * (spread + 1e-8)
