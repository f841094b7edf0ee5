"""Pairwise objectives of a reward model: Bradley-Terry, and the shortcut-aware one.

A pair is lost where the rejected response scores higher. The shortcut-aware objective (Li et al.
2025, PMLR 267:36281-36297) trains a proxy beside the model, which lacks a modality: pairs that the
proxy gets right without it teach the model little, and weigh little.
Legend: B pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from textcentric.methods.reward.config import EPSILON


@dataclass(frozen=True, slots=True)
class Rewards:
    """Rewards in float32 of the chosen and of the rejected responses, (B,) each."""

    chosen: Tensor
    rejected: Tensor

    @property
    def difference(self) -> Tensor:
        """Return by how much the chosen response is better (B,)."""
        return self.chosen - self.rejected


def bradley_terry(rewards: Rewards, margin: Tensor | None = None) -> Tensor:
    """Return -log sigmoid(chosen - rejected - margin) of each pair (B,).

    Bradley & Terry 1952; the margin is that of Llama 2 (arXiv 2307.09288, eq. 2). `margin` (B,) is
    in units of reward.

    >>> bradley_terry(Rewards(Tensor([0.0]), Tensor([0.0])))
    tensor([0.6931])
    """
    difference = rewards.difference if margin is None else rewards.difference - margin
    return softplus(-difference)


def off_centre(rewards: Rewards) -> Tensor:
    """Return (chosen + rejected)^2 of each pair (B,), which keeps rewards near 0.

    The centring term of arXiv 2312.09244, eq. 4. It says nothing of which response is better, so
    the shortcut-aware objective neither weighs it nor takes it into a weight.
    """
    return (rewards.chosen + rewards.rejected) ** 2


def failure_coefficient(
    main_losses: Tensor, proxy_losses: Tensor, epsilon: float = EPSILON
) -> Tensor:
    """Return how far the proxy fails where the model does not: proxy / (main + proxy), (B,).

    As the paper's code has it: epsilon / 2 + proxy / (epsilon + main + proxy), which stays finite
    where both losses underflow. Nothing flows back through it. Both losses are those of the pair
    alone; where it has a margin both have it, so that a pair of which both branches think alike
    weighs 1/2 whatever its margin.

    >>> failure_coefficient(Tensor([0.1]), Tensor([0.3]))
    tensor([0.7500])
    """
    main, proxy = main_losses.detach(), proxy_losses.detach()
    return epsilon / 2 + proxy / (epsilon + main + proxy)


def shortcut_aware(coefficient: Tensor, main_losses: Tensor, proxy_losses: Tensor) -> Tensor:
    """Return coefficient x main + proxy of each pair (B,), the proxy's own loss with weight 1.

    Model and proxy share no weights, so neither term touches the other's.
    """
    return coefficient.detach() * main_losses + proxy_losses
