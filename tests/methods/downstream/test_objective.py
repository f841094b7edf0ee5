"""The objective against a slow, obvious reference, exact small values, and its gradients."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.methods.downstream.decision import Decision, learn_decision
from textcentric.methods.downstream.objective import (
    cumulative_log_probabilities,
    divergence,
    log_probabilities,
    objective,
    row_losses,
)
from textcentric.rows import Example

# Four rows with 2, 0, 1 and 3 variants; texts 4.. are the variants.
PLACE = torch.tensor([[4, 5, -1], [-1, -1, -1], [6, -1, -1], [7, 8, 9]])
SETTINGS: list[dict[str, Any]] = [
    {"task": "classification"},
    {"task": "classification", "class_weights": "balanced"},
    {"task": "ordinal", "ordinal": "rank"},
    {"task": "ordinal", "ordinal": "cumulative"},
    {"task": "regression"},
]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"variant_weight": 0.5},
    {"objective": "worst"},
    {"objective": "worst", "consistency": 0.3},
    {"consistency": 2.0, "variant_weight": 0.0},
]


def decision_of(settings: dict[str, Any]) -> Decision:
    rows = [Example(str(n), {}, n % 3) for n in (0, 1, 2, 1, 1, 2)]
    return learn_decision(DownstreamConfig.of(settings), rows)


def outputs_of(decision: Decision, count: int = 10) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    values = torch.randn(count, decision.width, generator=generator, dtype=torch.float64)
    return values.cumsum(dim=1).sort(dim=1).values if decision.kind == "cumulative" else values


def slow_loss(decision: Decision, output: list[float], target: float) -> float:
    """Return the loss of one text, written out."""
    if decision.kind == "regression":
        return (output[0] - target) ** 2
    weight = decision.weights[int(target)] if decision.weights else 1.0
    if decision.kind == "rank":
        return weight * (output[0] - (target - decision.mean) / decision.spread) ** 2
    return -weight * math.log(slow_probabilities(decision, output)[int(target)])


def slow_probabilities(decision: Decision, output: list[float]) -> list[float]:
    if decision.kind == "classification":
        total = sum(math.exp(value) for value in output)
        return [math.exp(value) / total for value in output]
    below = [0.0, *(1 / (1 + math.exp(-value)) for value in output), 1.0]
    return [high - low for low, high in pairwise(below)]


def slow_divergence(decision: Decision, one: list[float], other: list[float]) -> float:
    if decision.kind in ("regression", "rank"):
        return (one[0] - other[0]) ** 2
    p, q = slow_probabilities(decision, one), slow_probabilities(decision, other)
    forth = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    back = sum(b * math.log(b / a) for a, b in zip(p, q, strict=True))
    return (forth + back) / 2


def slow_objective(
    config: dict[str, Any], decision: Decision, outputs: list[list[float]], targets: list[float]
) -> list[float]:
    """Return the objective of each row by loops over rows and variants."""
    settings = DownstreamConfig.of(config)
    losses = []
    for row, target in enumerate(targets):
        loss = slow_loss(decision, outputs[row], target)
        variants = [outputs[at] for at in PLACE[row].tolist() if at >= 0]
        if variants:
            theirs = [slow_loss(decision, variant, target) for variant in variants]
            apart = [slow_divergence(decision, outputs[row], variant) for variant in variants]
            mean = sum(theirs) / len(theirs)
            loss += settings.variant_weight * (
                max(theirs) if settings.objective == "worst" else mean
            )
            loss += settings.consistency * sum(apart) / len(apart)
        losses.append(loss)
    return losses


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_objective_equals_its_slow_reference(
    settings: dict[str, Any], options: dict[str, Any]
) -> None:
    config, decision = {**settings, **options}, decision_of(settings)
    outputs, targets = outputs_of(decision), torch.tensor([0.0, 1.0, 2.0, 1.0])
    fast = objective(DownstreamConfig.of(config), decision, outputs, targets, PLACE)
    slow = slow_objective(config, decision, outputs.tolist(), targets.tolist())
    assert fast.tolist() == pytest.approx(slow, rel=1e-4)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_its_gradient_equals_the_one_of_small_differences(
    settings: dict[str, Any], options: dict[str, Any]
) -> None:
    config, decision = {**settings, **options}, decision_of(settings)
    outputs, targets = outputs_of(decision), torch.tensor([0.0, 1.0, 2.0, 1.0])
    outputs = outputs.float().requires_grad_()
    objective(DownstreamConfig.of(config), decision, outputs, targets, PLACE).sum().backward()
    assert outputs.grad is not None
    direction = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1)).double()
    step = 1e-5 * direction
    base = outputs.detach().double()
    up = sum(slow_objective(config, decision, (base + step).tolist(), targets.tolist()))
    down = sum(slow_objective(config, decision, (base - step).tolist(), targets.tolist()))
    assert float((outputs.grad * direction).sum()) == pytest.approx((up - down) / 2e-5, rel=1e-3)


def test_clean_plus_the_mean_of_the_variants_by_hand() -> None:
    decision = Decision("regression")
    outputs = torch.tensor([[1.0], [3.0], [2.0], [4.0]])  # two rows, two variants of the first
    place = torch.tensor([[2, 3], [-1, -1]])
    config = DownstreamConfig.of({"variant_weight": 0.5})
    losses = objective(config, decision, outputs, torch.tensor([0.0, 1.0]), place)
    assert losses.tolist() == [1 + 0.5 * (4 + 16) / 2, 4]
    worst = config.model_copy(update={"objective": "worst", "consistency": 1.0})
    losses = objective(worst, decision, outputs, torch.tensor([0.0, 1.0]), place)
    assert losses.tolist() == [1 + 0.5 * 16 + (1 + 9) / 2, 4]


def test_the_worst_of_k_alone_gets_a_gradient() -> None:
    outputs = torch.tensor([[1.0], [2.0], [4.0]], requires_grad=True)
    config = DownstreamConfig.of({"objective": "worst"})
    place = torch.tensor([[1, 2]])
    objective(config, Decision("regression"), outputs, torch.tensor([0.0]), place).sum().backward()
    assert outputs.grad is not None
    assert outputs.grad[:, 0].tolist() == [2.0, 0.0, 8.0]


def test_rows_without_any_variant_count_clean_only() -> None:
    outputs, place = torch.tensor([[1.0], [3.0]]), torch.zeros(2, 0, dtype=torch.long)
    config = DownstreamConfig.of({"consistency": 1.0})
    losses = objective(config, Decision("regression"), outputs, torch.zeros(2), place)
    assert losses.tolist() == [1, 9]


def test_the_loss_of_a_row_does_not_depend_on_its_neighbours() -> None:
    decision, config = decision_of({"task": "classification"}), DownstreamConfig.of({})
    outputs, targets = outputs_of(decision), torch.tensor([0.0, 1.0, 2.0, 1.0])
    together = objective(config, decision, outputs, targets, PLACE)
    alone = objective(
        config, decision, outputs[[3, 7, 8, 9]], targets[3:], torch.tensor([[1, 2, 3]])
    )
    assert alone[0] == together[3]


def test_cumulative_probabilities_keep_their_digits_far_out() -> None:
    logs = cumulative_log_probabilities(torch.tensor([[60.0, 61.0], [-61.0, -60.0], [0.0, 1e-6]]))
    assert torch.isfinite(logs).all()
    assert logs[0, 1].item() == pytest.approx(math.log(1 - math.exp(-1)) - 60, rel=1e-5)
    assert logs.exp().sum(dim=1).tolist() == pytest.approx([1, 1, 1], abs=1e-6)


def test_two_equal_predictions_do_not_diverge() -> None:
    decision = decision_of({"task": "classification"})
    outputs = outputs_of(decision)
    assert divergence(decision, outputs, outputs).tolist() == [0.0] * 10
    assert log_probabilities(decision, outputs).exp().sum(dim=1).tolist() == pytest.approx([1] * 10)


def test_the_loss_of_two_equal_chances_is_the_logarithm_of_two() -> None:
    decision = learn_decision(
        DownstreamConfig.of({}), [Example("0", {}, "a"), Example("1", {}, "b")]
    )
    loss = row_losses(decision, torch.zeros(1, 2), torch.zeros(1))
    assert loss.tolist() == pytest.approx([math.log(2)])
