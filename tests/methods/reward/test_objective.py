"""The objectives of reward models against numbers worked out by hand and slow references."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.methods.references import reward as reference
from tests.methods.references.reward import Scored
from textcentric.methods.reward.config import EPSILON
from textcentric.methods.reward.objective import (
    Rewards,
    bradley_terry,
    failure_coefficient,
    off_centre,
    shortcut_aware,
)


def rewards(chosen: list[float], rejected: list[float]) -> Rewards:
    return Rewards(torch.tensor(chosen), torch.tensor(rejected))


def test_bradley_terry_is_the_negative_log_probability_of_the_choice() -> None:
    found = bradley_terry(rewards([2.0, -1.0], [0.5, 1.0]))
    assert found.tolist() == pytest.approx([0.2014133, 2.1269280], abs=1e-6)


def test_the_margin_is_taken_from_the_difference() -> None:
    chosen, rejected, margins = [2.0, -1.0, 0.25], [0.5, 1.0, 0.0], [0.5, 0.0, 2.0]
    found = bradley_terry(rewards(chosen, rejected), torch.tensor(margins))
    slow = [reference.bradley_terry(*pair) for pair in zip(chosen, rejected, margins, strict=True)]
    assert found.tolist() == pytest.approx(slow, abs=1e-6)
    assert found.tolist() == pytest.approx([0.3132617, 2.1269280, 1.9102242], abs=1e-6)


def test_rewards_are_off_centre_by_the_square_of_their_sum() -> None:
    assert off_centre(rewards([2.0, 1.0], [0.5, -1.0])).tolist() == [6.25, 0.0]


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


# Alike, the text failing, the text doing it, both sure, with and without a margin.
SCORED = [
    Scored(0.3, 0.1, 0.3, 0.1),
    Scored(1.5, -0.2, -0.8, 0.4),
    Scored(-0.1, 0.6, 2.0, -1.0),
    Scored(9.0, -3.0, 8.0, -4.0),
    Scored(1.5, -0.2, -0.8, 0.4, margin=2.0),
    Scored(-0.1, 0.6, 2.0, -1.0, margin=0.5),
]


def objective(scored: Tensor, margins: Tensor, centering: float) -> Tensor:
    """Return J (B,) of rewards (B, 4) as training puts it together."""
    main, proxy = (Rewards(*scored[:, at : at + 2].unbind(dim=1)) for at in (0, 2))
    losses, proxy_losses = bradley_terry(main, margins), bradley_terry(proxy, margins)
    weights = failure_coefficient(losses, proxy_losses)
    return shortcut_aware(weights, losses, proxy_losses) + centering * off_centre(main)


@pytest.mark.parametrize("centering", [0.0, 0.3])
def test_objective_and_gradients_are_those_of_the_slow_reference(centering: float) -> None:
    scored = torch.tensor([pair[:4] for pair in SCORED], dtype=torch.float64, requires_grad=True)
    margins = torch.tensor([pair.margin for pair in SCORED], dtype=torch.float64)
    found = objective(scored, margins, centering)
    found.sum().backward()
    assert found.tolist() == pytest.approx(reference.shortcut_aware(SCORED, centering), abs=1e-12)
    assert scored.grad is not None
    for told, expected in zip(
        scored.grad.tolist(), reference.derivatives(SCORED, centering), strict=True
    ):
        assert told == pytest.approx(list(expected), abs=1e-12)


def test_a_pair_that_both_branches_see_alike_weighs_half_whatever_its_margin() -> None:
    both = rewards([0.7, 0.7, 0.7], [0.2, 0.2, 0.2])
    losses = bradley_terry(both, torch.tensor([0.0, 1.0, 5.0]))
    assert failure_coefficient(losses, losses).tolist() == pytest.approx([0.5] * 3, abs=1e-6)


def test_nothing_flows_through_the_coefficient_or_between_the_branches() -> None:
    main = torch.tensor([0.7, -1.2], dtype=torch.float64, requires_grad=True)
    proxy = torch.tensor([-0.4, 2.0], dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(2, dtype=torch.float64)
    losses, proxy_losses = (bradley_terry(Rewards(d, zero)) for d in (main, proxy))
    weights = failure_coefficient(losses, proxy_losses)
    assert not weights.requires_grad
    (weights * losses).sum().backward()
    assert proxy.grad is None


def test_the_gradient_is_that_of_finite_differences_where_the_weight_is_fixed() -> None:
    proxy = torch.tensor([0.3, -0.8], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    weight = torch.tensor([0.6, 0.1], dtype=torch.float64)

    def told(main: Tensor, other: Tensor) -> Tensor:
        losses = [bradley_terry(Rewards(d, zero)) for d in (main, other)]
        return shortcut_aware(weight, *losses) + 0.01 * off_centre(Rewards(main, zero))

    main = torch.tensor([1.5, -0.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(told, (main, proxy.requires_grad_()))
