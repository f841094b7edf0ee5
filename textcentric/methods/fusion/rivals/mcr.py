"""Multimodal competition regularizer (MCR, NeurIPS 2025): modalities as players of a game.

An encoder wants its own modality to matter, which is how much the prediction changes where its
features are another row's (Jensen-Shannon divergence), and, in the greedy game (k = -1), the
others to matter less; a supervised contrastive loss over all modalities asks for what they share.
Features are asked to be readable from the prediction where `mcr_reconstruction` is above 0; by
the paper's own account that hurts encoders without pretraining. Total, as in the released code
(kkontras/MCR): CE + single * sum_m CE_m + weight * game + contrast * NT-Xent + reconstruction *
MSE.

Two things differ from the released code, both in the game. Class rows and bias are constants there
(the code lets the head learn from it), and of both predictions that are compared only what the
player's encoder says has a gradient (the code does not detach the prediction that is not shuffled,
so every term moves both encoders).
Legend: B rows, P permutations, M modalities, C classes, D features of a modality.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing


class Mcr(Balancing):
    """Cross-entropy, that of each modality's scores alone, the game, contrast, reconstruction."""

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        self.weight, self.game = config.mcr_weight, config.mcr_game
        self.permutations, self.single = config.mcr_permutations, config.mcr_single
        self.contrast, self.temperature = config.mcr_contrast, config.mcr_temperature
        self.reconstruction = config.mcr_reconstruction
        if self.reconstruction:
            classes, width = fusion.rows[fusion.names[0]].shape
            self.reader = reader(classes, width, len(fusion.names))
        self._fusion = [fusion]  # in a list: its rows are read, it is no part of this module

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,); a batch of one plays no game and has no contrast."""
        features, present = list(output.features.values()), output.present
        losses = classification_loss(output.logits, labels)
        for at in range(len(features)):
            alone = classification_loss(output.scores[:, at], labels)
            losses = losses + self.single * alone * present[:, at]
        if not self.training:
            return losses
        if self.reconstruction:
            read = self.reader(output.logits.detach())
            losses = losses + self.reconstruction * reconstruction(read, features, present)
        if len(labels) > 1:
            losses = losses + self.weight * self._game(output)
            found = contrast(features, labels, self.temperature, present)
            losses = losses + self.contrast * found
        return losses

    def _game(self, output: Output) -> Tensor:
        """Return what all players minimise (B,)."""
        rows = {name: one.detach() for name, one in self._fusion[0].class_rows().items()}
        scores = [output.features[name].float() @ rows[name].T for name in rows]  # (B, C) each
        bias = self._fusion[0].bias.detach()
        batch = len(scores[0])
        orders = torch.stack(
            [torch.randperm(batch, device=bias.device) for _ in range(self.permutations)]
        )
        return game(scores, bias, orders, self.game, output.present)


def game(
    scores: list[Tensor], bias: Tensor, orders: Tensor, k: int, present: Tensor | None = None
) -> Tensor:
    """Return what all players minimise (B,): for each, -(its importance + k * the others').

    `scores` are (B, C) by modality; those of the other players are constants to each. Rows play
    with the modalities that are `present` (B, M), all where it is not given.
    """
    total = torch.zeros_like(scores[0][:, 0])
    for player in range(len(scores)):
        mine = [s if at == player else s.detach() for at, s in enumerate(scores)]
        for at in range(len(scores)):
            sign = 1.0 if at == player else float(k)
            if sign:
                told = importance(mine, at, bias, orders)
                both = 1.0 if present is None else present[:, at] * present[:, player]
                total = total - sign * told * both
    return total


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


def contrast(
    features: list[Tensor], labels: Tensor, temperature: float, present: Tensor | None = None
) -> Tensor:
    """Return a supervised contrastive loss (B,), the mean over the modalities that a row has.

    The features (B, D) of all modalities are MB anchors, but those that are not `present` (B, M).
    Positives of an anchor are the others of its class, of any modality. The loss is the mean over
    them of -log(exp(s_ij / T) / sum_{k != i} exp(s_ik / T)), s the cosine (arXiv 2004.11362), and 0
    for an anchor without one.
    """
    rows, count = len(labels), len(features)
    there = torch.ones(rows, count) if present is None else present
    kept = there.T.flatten().nonzero()[:, 0].to(labels.device)  # modality by modality
    unit = normalize(torch.cat([one.float() for one in features]), dim=1)[kept]
    classes = labels.repeat(count)[kept]
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    chances = (unit @ unit.T / temperature).masked_fill(itself, -torch.inf).log_softmax(dim=1)
    positive = (classes[:, None] == classes[None]) & ~itself
    losses = -chances.masked_fill(~positive, 0).sum(dim=1) / positive.sum(dim=1).clamp(min=1)
    total = losses.new_zeros(rows).index_add(0, kept % rows, losses)
    return total / there.sum(dim=1).to(total).clamp(min=1)


def reader(classes: int, width: int, modalities: int) -> nn.Module:
    """Return what reads the features of all modalities (B, M D) from logits (B, C)."""
    return nn.Sequential(
        nn.Linear(classes, width, bias=False),
        nn.ReLU(),
        nn.Linear(width, modalities * width, bias=False),
    )


def reconstruction(read: Tensor, features: list[Tensor], present: Tensor | None = None) -> Tensor:
    """Return the mean square error of each row (B,) of features (B, D) as `read` (B, M D).

    Features of a modality that is not `present` (B, M) have no error.
    """
    errors = (read - torch.cat(features, dim=1)).square()
    if present is not None:
        errors = errors * present.repeat_interleave(features[0].shape[1], dim=1)
    return errors.mean(dim=1)
