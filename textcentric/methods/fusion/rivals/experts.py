"""Experts by modality under a gate, after the layer of Uni-MoE (Li et al. 2024, arXiv 2405.11273).

In the released layer a linear gate picks the k highest of its logits, and the softmax over those k
weighs the outputs of their experts. Here that is late fusion: experts are a head of each modality
and the linear fusion of all, and the gate reads all features. The language model that Uni-MoE puts
such layers into is no part of it. Its layer balances nothing; the balancing loss is that of Fedus
et al. 2021 (arXiv 2101.03961). Legend: B rows, M modalities, n = M + 1 experts, C classes, D_m
features of a modality.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from textcentric.errors import ConfigError
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.encoders import Encoder
from textcentric.methods.fusion.model import Batch, FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing

GATE_WIDTH = 32  # of its one hidden layer


class Mixture(NamedTuple):
    """Log-probabilities of experts (B, n, C), the one over all last, and what the gate says.

    `chances` (B, n) are its softmax over the experts of the modalities that there are, `weights`
    (B, n) what is left of them, 0 for experts that are not chosen.
    """

    experts: Tensor
    chances: Tensor
    weights: Tensor

    @property
    def logits(self) -> Tensor:
        """Return sum_i w_i l_i (B, C)."""
        return (self.weights[:, :, None] * self.experts).sum(dim=1)


class ExpertFusion(FusionModel):
    """A head for each modality, one linear over all, and the gate that weighs the `top` of them.

    Features of an absent modality are zeros to all of them.

    Class rows and bias are those of the expert over all; scores are the log-probabilities of the
    modalities' own experts. Raises ConfigError for more `top` than there are experts.
    """

    linear = False

    def __init__(self, encoders: Mapping[str, Encoder], classes: int, *, top: int):
        super().__init__(encoders, classes, orthogonality="none", weights_start=None)
        experts = len(encoders) + 1
        if top > experts:
            raise ConfigError(
                f"experts_top={top}, and there are {experts} experts: one of {', '.join(encoders)}"
                f" each, and one over all; give 1 to {experts}"
            )
        self.top = top
        widths = {name: one.width for name, one in encoders.items()}
        self.heads = nn.ModuleDict({n: nn.Linear(w, classes) for n, w in widths.items()})
        self.gate = nn.Sequential(
            nn.Linear(sum(widths.values()) + len(encoders), GATE_WIDTH),
            nn.ReLU(),
            nn.Linear(GATE_WIDTH, experts),
        )

    def read(self, opened: Batch, rows: Mapping[str, Tensor] | None = None) -> Output:
        """Return what the model says of an opened batch."""
        features, present = self.features(opened), opened["present"]
        mixture = self.mixture(features, present)
        return Output(mixture.logits, mixture.experts[:, :-1], features, present)

    def mixture(self, features: Mapping[str, Tensor], present: Tensor) -> Mixture:
        """Return what experts say of features (B, D_m), zeros where absent, and their weights."""
        there = {n: features[n] * present[:, [at]] for at, n in enumerate(self.names)}
        alone = [self.heads[name](one) for name, one in there.items()]
        over_all = self.head.logits(self.scored(there, self.class_rows()))
        experts = torch.stack([*alone, over_all], dim=1).float().log_softmax(dim=2)
        found = self.gate(torch.cat([*there.values(), present], dim=1)).float()  # (B, n)
        absent = torch.cat([present == 0, torch.zeros_like(present[:, :1], dtype=torch.bool)], 1)
        found = found.masked_fill(absent, -torch.inf)
        return Mixture(experts, found.softmax(dim=1), weighed(found, self.top))


class Experts(Balancing):
    """Cross-entropy of the mixture, of each expert alone, and a loss that balances the gate."""

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        assert isinstance(fusion, ExpertFusion)
        self._fusion = [fusion]  # in a list: its gate is read, it is no part of this module
        self.single, self.balance = config.experts_single, config.experts_balance

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,); experts of absent modalities have none."""
        mixture = self._fusion[0].mixture(output.features, output.present)
        losses = classification_loss(mixture.logits, labels)
        for at in range(mixture.experts.shape[1]):
            alone = classification_loss(mixture.experts[:, at], labels)
            there = output.present[:, at] if at < output.present.shape[1] else 1.0
            losses = losses + self.single * there * alone
        if len(labels) > 1:
            losses = losses + self.balance * imbalance(mixture)
        return losses


def weighed(logits: Tensor, top: int) -> Tensor:
    """Return the softmax over the `top` highest logits of each row (B, n), 0 elsewhere.

    Of logits that are level the first is chosen. The weight of a single one is its softmax over
    all, as a softmax over one is 1 whatever the gate says, and would teach it nothing.

    >>> weighed(torch.tensor([[0.0, 1.0, 1.0]]), 2)
    tensor([[0.0000, 0.5000, 0.5000]])
    >>> weighed(torch.tensor([[0.0, 1.0, 1.0]]), 1)
    tensor([[0.0000, 0.4223, 0.0000]])
    """
    order = logits.argsort(dim=1, descending=True, stable=True)[:, :top]
    chosen = torch.zeros_like(logits, dtype=torch.bool).scatter(1, order, True)
    if top == 1:
        return logits.softmax(dim=1) * chosen
    return logits.masked_fill(~chosen, -torch.inf).softmax(dim=1)


def imbalance(mixture: Mixture) -> Tensor:
    """Return n sum_i load_i p_i: the share of rows that chose i, times its mean chance.

    With one chosen it is 1, its least, where all are chosen alike. The share has no gradient. Rows
    are those of one process.
    """
    load = (mixture.weights > 0).to(mixture.chances.dtype).mean(dim=0)  # (n,)
    return len(load) * (load * mixture.chances.mean(dim=0)).sum()
