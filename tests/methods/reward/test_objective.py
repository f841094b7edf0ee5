"""The objectives of reward models against numbers worked out by hand and slow references."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from textcentric.methods.reward.config import EPSILON
from textcentric.methods.reward.objective import (
    Rewards,
    bradley_terry,
    failure_coefficient,
    shortcut_aware,
)


def rewards(chosen: list[float], rejected: list[float]) -> Rewards:
    return Rewards(torch.tensor(chosen), torch.tensor(rejected))


def slow_bradley_terry(chosen: float, rejected: float, margin: float, centering: float) -> float:
    probability = 1 / (1 + math.exp(-(chosen - rejected - margin)))
    return -math.log(probability) + centering * (chosen + rejected) ** 2


def test_bradley_terry_is_the_negative_log_probability_of_the_choice() -> None:
    found = bradley_terry(rewards([2.0, -1.0], [0.5, 1.0]))
    assert found.tolist() == pytest.approx([0.2014133, 2.1269280], abs=1e-6)


def test_margin_and_centering_are_those_of_the_formula() -> None:
    chosen, rejected, margins = [2.0, -1.0, 0.25], [0.5, 1.0, 0.0], [0.5, 0.0, 2.0]
    found = bradley_terry(rewards(chosen, rejected), torch.tensor(margins), centering=0.01)
    expected = [
        slow_bradley_terry(*pair, centering=0.01)
        for pair in zip(chosen, rejected, margins, strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_the_coefficient_is_half_where_both_lose_alike() -> None:
    loss = torch.tensor([math.log(2)])
    assert failure_coefficient(loss, loss).item() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("difference", "expected"), [(16.0, 0.346), (20.0, 0.020), (100.0, 5e-8)])
def test_the_coefficient_vanishes_where_both_losses_do(difference: float, expected: float) -> None:
    loss = bradley_terry(rewards([difference], [0.0]))
    assert failure_coefficient(loss, loss).item() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("main", [-100.0, 0.0, 100.0, 1e4])
@pytest.mark.parametrize("proxy", [-100.0, 0.0, 100.0, 1e4])
def test_the_coefficient_is_finite_and_a_share(main: float, proxy: float) -> None:
    losses, proxy_losses = (bradley_terry(rewards([d], [0.0])) for d in (main, proxy))
    assert 0 <= failure_coefficient(losses, proxy_losses).item() <= 1 + EPSILON


def test_the_objective_is_what_the_formula_says() -> None:
    main, proxy = torch.tensor([0.2, 1.0]), torch.tensor([0.6, 0.25])
    coefficient = failure_coefficient(main, proxy)
    found = shortcut_aware(coefficient, main, proxy)
    assert coefficient.tolist() == pytest.approx([0.75, 0.2], abs=1e-6)
    assert found.tolist() == pytest.approx([0.75, 0.45], abs=1e-6)


def gradients(*, with_main: bool, with_proxy: bool) -> tuple[Tensor, Tensor]:
    """Return the gradients of the objective by main's and the proxy's differences, in float64."""
    main = torch.tensor([0.7, -1.2], dtype=torch.float64, requires_grad=True)
    proxy = torch.tensor([-0.4, 2.0], dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(2, dtype=torch.float64)
    losses, proxy_losses = (bradley_terry(Rewards(d, zero)) for d in (main, proxy))
    coefficient = failure_coefficient(losses, proxy_losses)
    total = (coefficient * losses).sum() * with_main + proxy_losses.sum() * with_proxy
    total.backward()
    assert main.grad is not None
    assert proxy.grad is not None
    return main.grad, proxy.grad


def test_nothing_flows_through_the_coefficient_or_between_the_branches() -> None:
    main, proxy = gradients(with_main=True, with_proxy=True)
    assert torch.equal(proxy, gradients(with_main=False, with_proxy=True)[1])
    assert torch.equal(main, gradients(with_main=True, with_proxy=False)[0])
    d, p = [0.7, -1.2], [-0.4, 2.0]
    loss = [math.log1p(math.exp(-x)) for x in d], [math.log1p(math.exp(-x)) for x in p]
    weights = [EPSILON / 2 + t / (EPSILON + m + t) for m, t in zip(*loss, strict=True)]
    expected = [-w / (1 + math.exp(x)) for w, x in zip(weights, d, strict=True)]
    assert main.tolist() == pytest.approx(expected, abs=1e-9)
    assert proxy.tolist() == pytest.approx([-1 / (1 + math.exp(x)) for x in p], abs=1e-9)


def test_the_objective_has_the_gradients_of_finite_differences() -> None:
    proxy = torch.tensor([0.3, -0.8], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    weight = torch.tensor([0.6, 0.1], dtype=torch.float64)

    def objective(main: Tensor, other: Tensor) -> Tensor:
        losses = [bradley_terry(Rewards(d, zero), centering=0.01) for d in (main, other)]
        return shortcut_aware(weight, *losses)

    main = torch.tensor([1.5, -0.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(objective, (main, proxy.requires_grad_()))
