"""On-the-fly gradient modulation with noise (Peng et al., CVPR 2022): slow the stronger encoder.

Legend: B rows, M modalities, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output


class OgmGe(nn.Module):
    """Cross-entropy; gradients into an encoder are scaled by 1 - tanh(alpha * its lead).

    A modality's strength is the sum of its own softmax at the labels, its lead that over the mean
    of the others where it is above 1. Gradients of an encoder's matrices get normal noise of their
    own standard deviation.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.alpha = config.ogm_alpha
        for weight in fusion.encoders.parameters():
            if weight.ndim > 1 and weight.requires_grad:
                weight.register_hook(_noisy)

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,), and leave what scales gradients on the features."""
        factors = modulation(output.scores.detach(), labels, self.alpha)  # (M,)
        for factor, features in zip(factors, output.features.values(), strict=True):
            if features.requires_grad:
                features.register_hook(lambda gradient, factor=factor: gradient * factor)
        return classification_loss(output.logits, labels)


def modulation(scores: Tensor, labels: Tensor, alpha: float) -> Tensor:
    """Return what each encoder's gradient is multiplied by (M,), of scores (B, M, C).

    >>> modulation(torch.tensor([[[9.0, 0.0], [0.0, 0.0]]]), torch.tensor([0]), 0.3)
    tensor([0.4630, 1.0000])
    """
    chances = scores.softmax(dim=2)  # (B, M, C)
    strength = chances.gather(2, labels[:, None, None].expand(-1, scores.shape[1], 1)).sum(dim=0)
    strength = strength[:, 0]  # (M,)
    others = (strength.sum() - strength) / max(1, len(strength) - 1)
    lead = strength / others.clamp(min=1e-12)
    return torch.where(lead > 1, 1 - torch.tanh(alpha * lead), torch.ones_like(lead))


def _noisy(gradient: Tensor) -> Tensor:
    return gradient + torch.randn_like(gradient) * gradient.std()
