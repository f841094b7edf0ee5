"""The consistency of UmURL (Sun et al., ACM MM 2023, arXiv 2311.03106) beside cross-entropy.

What all modalities say together is tied to what each says alone, and kept from collapsing; that
needs no label, so rows without a class are learnt from too. The paper pretrains one body on views
of skeletons; here it is a regulariser of late fusion, and views of one modality are left out.
Legend: B rows, M modalities, D features of a modality, P projected features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing

CONSISTENCY, VARIANCE = 5.0, 5.0  # weights in the paper
SMALL = 1e-4  # under the root of a variance


class Umurl(Balancing):
    """Cross-entropy, plus `umurl_weight` times consistency, variance and covariance.

    A body that all modalities share reads each modality's features and their mean; each modality
    has a projector for both. Statistics are of a process's own micro-batch, and a modality that
    fewer than two of its rows have is left out.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.weight = config.umurl_weight
        width, projected = fusion.encoder(fusion.names[0]).width, config.umurl_width
        self.body = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.projectors = nn.ModuleList(_projector(width, projected) for _ in fusion.names)

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,); in evaluation cross-entropy alone."""
        losses = classification_loss(output.logits, labels)
        if not self.training:
            return losses
        features = torch.stack([one.float() for one in output.features.values()], dim=1)
        return losses + self.weight * self.regularisation(features, output.present)

    def regularisation(self, features: Tensor, present: Tensor) -> Tensor:
        """Return the term of each row (B,) of features (B, M, D).

        What is of the whole batch goes to every row alike.
        """
        there = present[:, :, None]  # (B, M, 1)
        mean = (features * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)  # (B, D)
        fused = self.body(mean)
        alone: dict[int, Tensor] = {}  # z_m (rows with m, P)
        losses = torch.zeros_like(present[:, 0])
        for at, projector in enumerate(self.projectors):
            has = present[:, at] > 0
            if int(has.sum()) < 2:
                continue
            alone[at] = projector(self.body(features[has, at]))
            together = projector(fused[has])
            apart = (alone[at] - together).square().mean(dim=1)
            losses = losses.index_put((has,), CONSISTENCY * apart, accumulate=True)
            losses = losses + spread_out(alone[at]) + spread_out(together)
        return losses + CONSISTENCY * from_centre(alone, present)


def from_centre(alone: dict[int, Tensor], present: Tensor) -> Tensor:
    """Return sum_m mean_P (z_m - c)^2 of each row (B,), c the mean of its z_m.

    `alone` holds, by the place of a modality, z_m (rows that have it, P).
    """
    if not alone:
        return torch.zeros_like(present[:, 0])
    width = next(iter(alone.values())).shape[1]
    places, rows = list(alone), len(present)
    held = torch.stack(
        [
            present.new_zeros(rows, width).index_put((present[:, at] > 0,), alone[at])
            for at in places
        ],
        dim=1,
    )  # (B, M, P)
    there = present[:, places, None]
    centre = held.sum(dim=1) / there.sum(dim=1).clamp(min=1)  # (B, P)
    return (there * (held - centre[:, None]).square()).mean(dim=2).sum(dim=1)


def spread_out(projected: Tensor) -> Tensor:
    """Return what keeps features (B, P) apart: 5 mean relu(1 - deviation), and their covariances.

    The sum of squared covariances of different features, over P; both from B - 1 (VICReg, arXiv
    2105.04906).

    >>> spread_out(torch.zeros(4, 3))
    tensor(4.9500)
    """
    deviation = (projected.var(dim=0) + SMALL).sqrt()
    centred = projected - projected.mean(dim=0)
    covariance = centred.T @ centred / (len(projected) - 1)  # (P, P)
    different = covariance.square().sum() - covariance.diagonal().square().sum()
    return VARIANCE * (1 - deviation).relu().mean() + different / projected.shape[1]


def _projector(width: int, projected: int) -> nn.Module:
    layers: list[nn.Module] = []
    for size in (width, projected):
        layers += [nn.Linear(size, projected), nn.BatchNorm1d(projected), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(projected, projected))
