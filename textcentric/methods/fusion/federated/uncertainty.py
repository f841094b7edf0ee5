"""How sure a client is of its weights: their variance under Langevin noise round a frozen copy.

Stochastic gradient Langevin dynamics (Welling & Teh 2011) of a temperature, held at the frozen copy
by a spring of strength 1: near a minimum of curvature h the variance is about temperature /
(h + 1), large where the data say little. The path of a training that still moves would measure its
speed instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

Loss = Callable[[], Tensor]  # of one batch, as the weights are


def uncertainty(
    weights: dict[str, Tensor],
    batches: Iterable[Loss],
    *,
    samples: int,
    temperature: float,
    learning_rate: float,
    generator: torch.Generator,
) -> dict[str, float]:
    """Return the mean over entries of the variance of each tensor; `weights` are as before.

    `batches` give at least 2 x `samples` losses, of which the first half moves away from the copy.
    """
    frozen = {name: weight.detach().clone() for name, weight in weights.items()}
    total = {name: torch.zeros_like(weight) for name, weight in frozen.items()}
    squares = {name: torch.zeros_like(weight) for name, weight in frozen.items()}
    noise = math.sqrt(2 * learning_rate * temperature)
    for step, loss in zip(range(2 * samples), batches, strict=False):
        gradients = torch.autograd.grad(loss(), list(weights.values()), allow_unused=True)
        with torch.no_grad():
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
                pull = weight - frozen[name] + (0 if gradient is None else gradient)
                drawn = torch.randn(weight.shape, generator=generator).to(weight)
                weight += noise * drawn - learning_rate * pull
                if step >= samples:
                    apart = weight - frozen[name]
                    total[name] += apart
                    squares[name] += apart.square()
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(frozen[name])
    return {
        name: float((squares[name] / samples - (total[name] / samples).square()).mean())
        for name in weights
    }
