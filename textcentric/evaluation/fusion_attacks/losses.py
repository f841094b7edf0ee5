"""What an attack climbs, a sum over rows so that one does not weaken another's gradient.

Plain cross-entropy of a confident model has no gradient left to follow; margins always have one.
Legend: B rows, C classes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

Loss = Callable[[Tensor, Tensor], Tensor]  # logits (B, C), labels (B,) -> (B,)
LEAST = 1e-3  # of the margin that logits are divided by


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return h_y - max_{j != y} h_j (B,): positive where the prediction is right."""
    own = logits.gather(1, labels[:, None])[:, 0]
    return own - logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)


def untargeted(logits: Tensor, labels: Tensor) -> Tensor:
    """Return max_{j != y} h_j - h_y (B,)."""
    return -margins(logits, labels)


def towards(targets: Tensor) -> Loss:
    """Return the loss h_t - h_y (B,) for a target class t of each row (B,)."""

    def targeted(logits: Tensor, labels: Tensor) -> Tensor:
        return (logits.gather(1, targets[:, None]) - logits.gather(1, labels[:, None]))[:, 0]

    return targeted


def scaled_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return cross-entropy (B,) in double precision of logits over their own margin.

    The scale, a constant to the gradient, keeps it from vanishing however confident the model is.
    """
    scale = margins(logits, labels).detach().abs().clamp(min=LEAST).double()
    return cross_entropy(logits.double() / scale[:, None], labels, reduction="none")


def plain_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return cross-entropy (B,) as it is: what the paper of CRMT attacks with."""
    return cross_entropy(logits, labels, reduction="none")


def tempered(temperature: float) -> Loss:
    """Return the loss of plain cross-entropy (B,) of logits over a temperature."""
    return lambda logits, labels: plain_cross_entropy(logits / temperature, labels)
