"""Gradient blending (Wang et al., CVPR 2020): weigh branches by generalisation over overfitting.

Legend: B rows, M modalities, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.balancing import Balancing


class GradientBlending(Balancing):
    """The weighted sum of the joint loss and one of each modality's own head.

    Weights are w ~ G / O^2 (online form): G how much the held-out loss of a branch fell since the
    last evaluation, O how much the gap to its training loss grew. They start equal, and are those
    of one process.
    """

    def __init__(self, fusion: FusionModel, config: CrmtConfig):
        super().__init__()
        classes = len(fusion.bias)
        widths = [fusion.rows[name].shape[1] for name in fusion.names]
        self.heads = nn.ModuleList(nn.Linear(width, classes) for width in widths)
        branches = len(widths) + 1
        self.register_buffer("branch_weights", torch.full((branches,), 1 / branches))
        self.register_buffer("sums", torch.zeros(branches))  # of training losses since then
        self.register_buffer("rows", torch.zeros(branches))
        self.register_buffer("last", torch.full((2, branches), torch.nan))  # training, held out
        self.branch_weights: Tensor
        self.sums: Tensor
        self.rows: Tensor
        self.last: Tensor

    def forward(self, output: Output, labels: Tensor) -> Tensor:
        """Return the loss of each row (B,)."""
        losses = self.branches(output, labels)  # (B, M + 1)
        if self.training:
            self.sums += losses.detach().sum(dim=0)
            self.rows += counted(output).sum(dim=0)
        return losses @ self.branch_weights * losses.shape[1]

    def branches(self, output: Output, labels: Tensor) -> Tensor:
        """Return the losses (B, M + 1) of each modality's head, and the joint one.

        That of a modality which a row lacks is 0.
        """
        of_each = zip(output.features.values(), self.heads, strict=True)
        alone = [
            classification_loss(head(features), labels) * output.present[:, at]
            for at, (features, head) in enumerate(of_each)
        ]
        return torch.stack([*alone, classification_loss(output.logits, labels)], dim=1)

    @torch.no_grad()
    def update(self, losses: Tensor, rows: Tensor) -> None:
        """Weigh the branches anew by their held-out losses (M + 1,), sums over `rows` (M + 1,)."""
        if not bool((self.rows * rows).all()):
            return
        now = torch.stack([self.sums / self.rows, (losses / rows).to(self.sums)])
        if not bool(self.last.isnan().any()):
            self.branch_weights.copy_(blend(self.last, now))
        self.last.copy_(now)
        self.sums.zero_()
        self.rows.zero_()


def counted(output: Output) -> Tensor:
    """Return 1 (B, M + 1) for each branch that reads something of a row: the joint one always."""
    return torch.cat([output.present, torch.ones_like(output.present[:, :1])], dim=1)


def blend(before: Tensor, now: Tensor) -> Tensor:
    """Return weights that sum to 1 from mean losses (2, branches): training, then held out.

    Branches that generalise nothing weigh nothing; where none does all weigh the same.

    >>> blend(torch.tensor([[2.0, 2.0], [2.0, 2.0]]), torch.tensor([[1.0, 0.5], [1.5, 1.5]]))
    tensor([0.8000, 0.2000])
    """
    gain = (before[1] - now[1]).clamp(min=0)
    overfit = ((now[1] - now[0]) - (before[1] - before[0])).abs().clamp(min=1e-3)
    told = gain / overfit.square()
    return told / told.sum() if float(told.sum()) > 0 else torch.full_like(told, 1 / len(told))
