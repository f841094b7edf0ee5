"""Multimodal competition regularizer (MCR, NeurIPS 2025): modalities as players of a game.

An encoder wants its own modality to matter, which is how much the prediction changes where its
features are another row's (Jensen-Shannon divergence), and, in the greedy game (k = -1), the
others to matter less; a supervised contrastive loss across modalities asks for what they share.
The paper's reconstruction term hurts encoders without pretraining, by its own account, and is left
out. Legend: B rows, P permutations, M modalities, C classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output


class Mcr(nn.Module):
    """Cross-entropy, the game, the contrast, and a loss of each modality's scores alone."""

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.weight, self.game = config.mcr_weight, config.mcr_game
        self.permutations, self.contrast = config.mcr_permutations, config.mcr_contrast
        self.single = config.mcr_single
        self._fusion = [fusion]  # in a list: its rows are read, it is no part of this module

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,)."""
        losses = classification_loss(output.logits, labels)
        for at in range(output.scores.shape[1]):
            losses = losses + self.single * classification_loss(output.scores[:, at], labels)
        if len(labels) > 1 and self.training:
            losses = losses + self.weight * self._game(output)
            losses = losses + self.weight * self.contrast * shared(
                list(output.features.values()), labels
            )
        return losses

    def _game(self, output: Output) -> Tensor:
        """Return what all players minimise (B,); class rows are fixed, the task trains them."""
        rows = {name: one.detach() for name, one in self._fusion[0].class_rows().items()}
        scores = [output.features[name] @ rows[name].T for name in rows]  # (B, C) each
        bias = self._fusion[0].bias.detach()
        told = torch.zeros(len(scores[0]), device=bias.device)
        orders = torch.stack(
            [torch.randperm(len(told), device=bias.device) for _ in range(self.permutations)]
        )
        for player in range(len(scores)):
            mine = [s if at == player else s.detach() for at, s in enumerate(scores)]
            for at in range(len(scores)):
                sign = 1.0 if at == player else float(self.game)
                if sign:
                    told = told - sign * importance(mine, at, bias, orders)
        return told


def importance(scores: list[Tensor], at: int, bias: Tensor, orders: Tensor) -> Tensor:
    """Return how much the prediction changes (B,) where modality `at` is another row's.

    The mean over `orders` (P, B) of the Jensen-Shannon divergence in nats, from 0 to log 2;
    `scores` are (B, C) by modality.
    """
    whole = torch.stack(scores).sum(dim=0) + bias
    swapped = whole - scores[at] + scores[at][orders]  # (P, B, C)
    return divergence(whole.log_softmax(dim=-1), swapped.log_softmax(dim=-1)).mean(dim=0)


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence (...) of log-probabilities (..., C)."""
    middle = torch.logaddexp(first, second) - math.log(2)
    sides = (first.exp() * (first - middle)).sum(-1), (second.exp() * (second - middle)).sum(-1)
    return 0.5 * (sides[0] + sides[1])


def shared(features: list[Tensor], labels: Tensor) -> Tensor:
    """Return a supervised contrastive loss (B,) across each two modalities (arXiv 2004.11362).

    Rows of one class are positives; similarity is the dot product of unit features (B, D).
    """
    unit = [normalize(one, dim=1) for one in features]
    same = (labels[:, None] == labels[None]).to(unit[0].dtype)  # (B, B)
    told = torch.zeros_like(unit[0][:, 0])
    pairs = [(a, b) for a in range(len(unit)) for b in range(len(unit)) if a != b]
    for a, b in pairs:
        chances = (unit[a] @ unit[b].T).log_softmax(dim=1)
        told = told - (same * chances).sum(dim=1) / same.sum(dim=1)
    return told / max(1, len(pairs))
