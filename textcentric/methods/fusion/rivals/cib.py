"""Correlation information bottleneck (Jiang et al., arXiv 2209.06954): features with less in them.

Each modality's features become a normal distribution, which is pulled to the standard one (so what
they say of the input is bounded), while those of one row in two modalities keep telling of each
other. Published for question answering over pictures; here it is a term beside the fusion's loss.
Legend: B rows, M modalities, D features of a modality.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing

CRITIC = 1024  # hidden units of the critic, as released
LEAST = 1e-7  # deviation of a feature


class Cib(Balancing):
    """Cross-entropy of drawn features, and beta times the bottleneck.

    In training a modality's features are mu + s e, e normal; mu is what the encoder gives, and s a
    layer over it that only training needs: predictions, attacks and bounds read mu. The bottleneck
    is the sum over modalities of KL(N(mu, s^2) || N(0, 1)), minus a bound on what the drawn
    features of two modalities say of each other, plus their symmetric KL; the last two are means
    over pairs. The bound is raised (the released code subtracts its negative, and so lowers it);
    the released surrogate of the first term is left out. Sums over D make `cib_beta` depend on the
    width: the default is for 64, the released 5e-4 for 768.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.beta = config.cib_beta
        self.width = fusion.encoder(fusion.names[0]).width
        self.deviations = nn.ModuleList(nn.Linear(self.width, self.width) for _ in fusion.names)
        self.pairs = list(combinations(range(len(fusion.names)), 2))
        self.critics = nn.ModuleList(_critic(self.width) for _ in self.pairs)
        self._fusion = [fusion]  # in a list: it is asked for logits, it is no part of this module

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,); in evaluation cross-entropy of the mean features."""
        if not self.training:
            return classification_loss(output.logits, labels)
        fusion, present = self._fusion[0], output.present
        means = [output.features[name].float() for name in fusion.names]
        spreads = [
            softplus(layer(mean)) + LEAST
            for layer, mean in zip(self.deviations, means, strict=True)
        ]
        there = present.unsqueeze(2).unbind(dim=1)  # (B, 1) each: what is absent is not drawn
        drawn = [
            m + p * s * torch.randn_like(s) for m, s, p in zip(means, spreads, there, strict=True)
        ]
        features = dict(zip(fusion.names, drawn, strict=True))
        rows = fusion.class_rows()
        scores = torch.stack([features[n] @ rows[n].T for n in fusion.names], dim=1)
        losses = classification_loss(fusion.joined(scores, features, present), labels)
        return losses + self.beta * self.bottleneck(means, spreads, drawn, present)

    def bottleneck(
        self, means: list[Tensor], spreads: list[Tensor], drawn: list[Tensor], present: Tensor
    ) -> Tensor:
        """Return the bottleneck of each row (B,), of the modalities that are there."""
        told = torch.zeros_like(means[0][:, 0])
        for at, (mean, spread) in enumerate(zip(means, spreads, strict=True)):
            told = told + present[:, at] * divergence_from_standard(mean, spread)
        for (a, b), critic in zip(self.pairs, self.critics, strict=True):
            both = present[:, a] * present[:, b] / len(self.pairs)
            alike = symmetric_divergence(means[a], spreads[a], means[b], spreads[b])
            told = told + both * alike
            if len(told) > 1:
                partners = both * present[:, a].roll(1)
                told = told - partners * shared_information(critic, drawn[a], drawn[b])
        return told


def divergence_from_standard(mean: Tensor, spread: Tensor) -> Tensor:
    """Return KL(N(mean, spread^2) || N(0, 1)) of each row (B,), summed over D, in nats.

    >>> divergence_from_standard(torch.zeros(1, 3), torch.ones(1, 3))
    tensor([0.])
    """
    return (0.5 * (mean.square() + spread.square() - 1) - spread.log()).sum(dim=1)


def symmetric_divergence(
    mean: Tensor, spread: Tensor, other_mean: Tensor, other_spread: Tensor
) -> Tensor:
    """Return (KL(p || q) + KL(q || p)) / 2 of each row's two normal distributions (B,), in nats."""
    gap = (mean - other_mean).square()
    one = (spread.square() + gap) / other_spread.square()
    other = (other_spread.square() + gap) / spread.square()
    return 0.25 * (one + other - 2).sum(dim=1)


def shared_information(critic: nn.Module, first: Tensor, second: Tensor) -> Tensor:
    """Return the Jensen-Shannon bound (B,) on what features of one row say of each other.

    `critic` tells features (B, 2 D) of one row from those of neighbours in the batch; the bound is
    at most 0 (arXiv 1606.00709).
    """
    paired = critic(torch.cat([first, second], dim=1))[:, 0]
    apart = critic(torch.cat([first.roll(1, dims=0), second], dim=1))[:, 0]
    return -softplus(-paired) - softplus(apart)


def _critic(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(2 * width, CRITIC), nn.ReLU(), nn.Linear(CRITIC, 1))
