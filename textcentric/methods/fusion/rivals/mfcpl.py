"""Cross-modal prototypes for rows that lack modalities (MFCPL, Le et al. 2024, arXiv 2401.13898).

After the abstract of the paper, which names three terms beside cross-entropy: a regularization
towards prototypes of complete rows, a contrast with them, and an alignment of modalities. Its body
could not be read, so their form and weights are ours, and no figure of the paper's is claimed.
Clients and server are in the paper; here it is one training on rows that may lack modalities.
Legend: B rows, M modalities, C classes, Q width of projections.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from textcentric.errors import ConfigError
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing


class Prototypes(NamedTuple):
    """A prototype of each class (C, Q), and which were `seen` in complete rows (C,)."""

    prototypes: Tensor
    seen: Tensor


class Mfcpl(Balancing):
    """Cross-entropy, and three terms on projections z_m = P_m phi_m of the modalities there are.

    Of a row of class y with the modalities m: `regularization` times the mean over m of
    mean_q (z_m - p_y)^2, `contrast` times the sum over m of the cross-entropy of cosines to
    prototypes over a temperature, and of complete rows `alignment` times the mean over pairs of
    mean_q (z_a - z_b)^2. Prototypes p are running means of mean_m z_m over complete rows, without
    gradient; under several processes those of the first. A class none of whose rows is complete
    has no prototype: other rows do not see it, and its own have cross-entropy alone.

    Prototypes lie in the space of their projections: those of two models may be averaged only
    where their projections are, too.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.regularization, self.contrast = config.mfcpl_regularization, config.mfcpl_contrast
        self.alignment, self.temperature = config.mfcpl_alignment, config.mfcpl_temperature
        self.momentum = config.mfcpl_momentum
        classes, width = len(fusion.bias), config.mfcpl_width
        widths = {name: fusion.rows[name].shape[1] for name in fusion.names}
        self.projections = nn.ModuleDict(
            {name: nn.Linear(size, width, bias=False) for name, size in widths.items()}
        )
        self.register_buffer("prototypes", torch.zeros(classes, width))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))
        self.prototypes: Tensor
        self.seen: Tensor

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,)."""
        losses = classification_loss(output.logits, labels)
        projected = self.projected(output)
        if self.training:
            self._update(projected.detach(), output.present, labels)
        known = Prototypes(self.prototypes, self.seen)
        if self.regularization:
            pulls = regularization(projected, output.present, labels, known)
            losses = losses + self.regularization * pulls
        if self.contrast:
            contrasts = contrast(projected, output.present, labels, known, self.temperature)
            losses = losses + self.contrast * contrasts
        if self.alignment:
            losses = losses + self.alignment * alignment(projected, output.present)
        return losses

    def projected(self, output: Output) -> Tensor:
        """Return z (B, M, Q), also of modalities that are absent."""
        told = [self.projections[name](one) for name, one in output.features.items()]
        return torch.stack(told, dim=1).float()

    def class_prototypes(self) -> Prototypes:
        """Return a copy of what is known so far."""
        return Prototypes(self.prototypes.clone(), self.seen.clone())

    @torch.no_grad()
    def set_prototypes(self, told: Prototypes) -> None:
        """Go on from `told`; raises ConfigError for other classes or another width."""
        for name, theirs in told._asdict().items():
            ours = getattr(self, name)
            if theirs.shape != ours.shape:
                raise ConfigError(
                    f"{name} are of shape {tuple(theirs.shape)}, and this model's of"
                    f" {tuple(ours.shape)} (classes, mfcpl_width); take them from a model of the"
                    " same classes and width"
                )
            ours.copy_(theirs)

    @torch.no_grad()
    def _update(self, projected: Tensor, present: Tensor, labels: Tensor) -> None:
        complete = present.bool().all(dim=1)
        for label in labels[complete].unique():
            mean = projected[complete & (labels == label)].mean(dim=(0, 1))  # (Q,)
            keep = self.momentum if bool(self.seen[label]) else 0.0
            self.prototypes[label] = keep * self.prototypes[label] + (1 - keep) * mean
            self.seen[label] = True


def regularization(projected: Tensor, present: Tensor, labels: Tensor, known: Prototypes) -> Tensor:
    """Return the mean over the modalities there are of mean_q (z_m - p_y)^2 (B,).

    0 where the class has no prototype. `projected` (B, M, Q), `present` (B, M).
    """
    distances = (projected - known.prototypes[labels][:, None]).square().mean(dim=2)  # (B, M)
    mean = (distances * present).sum(dim=1) / present.sum(dim=1).clamp(min=1)
    return mean * known.seen[labels]


def contrast(
    projected: Tensor, present: Tensor, labels: Tensor, known: Prototypes, temperature: float
) -> Tensor:
    """Return the sum over the modalities there are of -log softmax_c(cos(z_m, p_c) / t)_y (B,).

    The softmax is over classes that have a prototype; 0 where that of the row has none.
    """
    has = known.seen[labels]  # (B,)
    cosines = normalize(projected, dim=2) @ normalize(known.prototypes, dim=1).T  # (B, M, C)
    hidden = has[:, None] & ~known.seen  # (B, C); of a row that counts for nothing none
    chances = (cosines / temperature).masked_fill(hidden[:, None], -torch.inf).log_softmax(dim=2)
    own = chances.gather(2, labels[:, None, None].expand(-1, present.shape[1], 1))[:, :, 0]
    return -(own * present).sum(dim=1) * has


def alignment(projected: Tensor, present: Tensor) -> Tensor:
    """Return the mean over pairs of mean_q (z_a - z_b)^2 (B,), 0 where a modality is absent."""
    pairs = combinations(projected.unbind(dim=1), 2)
    distances = torch.stack([(one - other).square().mean(dim=1) for one, other in pairs])
    return distances.mean(dim=0) * present.bool().all(dim=1)
