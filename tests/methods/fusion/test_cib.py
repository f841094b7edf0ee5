"""CIB's terms against slow ones and against samples, and the sign of its bound."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.methods.references import cib as reference
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.encoders import Mlp
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.cib import (
    Cib,
    divergence_from_standard,
    shared_information,
    symmetric_divergence,
)

ROWS, WIDTH, CLASSES = 6, 4, 3
LABELS = torch.arange(ROWS) % CLASSES


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def normals(seed: int) -> tuple[Tensor, Tensor]:
    return drawn(ROWS, WIDTH, seed=seed), drawn(ROWS, WIDTH, seed=seed + 1).exp()


def made(**values: Any) -> tuple[Cib, Output]:
    torch.manual_seed(0)
    config = CrmtConfig.of({"variant": "cib", "width": WIDTH, **values})
    fusion = FusionModel(
        {name: Mlp(WIDTH, WIDTH) for name in ("image", "table")},
        CLASSES,
        orthogonality="none",
        weights_start=None,
    )
    batch = {name: drawn(ROWS, WIDTH, seed=at).float() for at, name in enumerate(fusion.names)}
    return Cib(fusion, config), fusion.read({**batch, "present": torch.ones(ROWS, 2)})


def test_divergences_are_those_of_the_formula_row_by_row() -> None:
    (a, s), (b, t) = normals(0), normals(5)
    zeros, ones = [0.0] * WIDTH, [1.0] * WIDTH
    for row in range(ROWS):
        p, q = (a[row].tolist(), s[row].tolist()), (b[row].tolist(), t[row].tolist())
        alone = reference.divergence(*p, zeros, ones)
        assert float(divergence_from_standard(a, s)[row]) == pytest.approx(alone, abs=1e-9)
        both = (reference.divergence(*p, *q) + reference.divergence(*q, *p)) / 2
        assert float(symmetric_divergence(a, s, b, t)[row]) == pytest.approx(both, abs=1e-9)


def test_divergence_is_the_mean_of_a_million_log_ratios() -> None:
    mean, spread = torch.tensor([[0.7, -0.4]]), torch.tensor([[0.5, 1.3]])
    samples = mean + spread * torch.randn(1_000_000, 2, generator=torch.Generator().manual_seed(0))
    p = torch.distributions.Normal(mean, spread).log_prob(samples)
    q = torch.distributions.Normal(0.0, 1.0).log_prob(samples)
    by_samples = float((p - q).sum(dim=1).mean())
    assert float(divergence_from_standard(mean, spread)) == pytest.approx(by_samples, abs=1e-2)


def test_equal_normals_do_not_diverge() -> None:
    mean, spread = normals(3)
    assert symmetric_divergence(mean, spread, mean, spread).tolist() == pytest.approx([0.0] * ROWS)
    assert divergence_from_standard(torch.zeros(2, 5), torch.ones(2, 5)).tolist() == [0.0, 0.0]


def test_the_bound_is_that_of_the_formula_row_by_row() -> None:
    first, second = drawn(ROWS, WIDTH, seed=1), drawn(ROWS, WIDTH, seed=2)
    critic = nn.Linear(2 * WIDTH, 1, dtype=torch.float64)

    def slow(x: Any, y: Any) -> float:
        return float(critic(torch.tensor([*x, *y], dtype=torch.float64)).detach())

    expected = reference.shared_information(slow, first.tolist(), second.tolist())
    assert shared_information(critic, first, second).tolist() == pytest.approx(expected)


def test_a_critic_that_learns_alone_raises_the_bound_of_pairs_and_not_of_shuffled_ones() -> None:
    rows = 256
    first = drawn(rows, WIDTH, seed=1).float()
    raised = []
    for paired in (True, False):
        torch.manual_seed(0)
        critic = nn.Sequential(nn.Linear(2 * WIDTH, 64), nn.ReLU(), nn.Linear(64, 1))
        optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
        for _ in range(120):
            turned = torch.randperm(rows)
            second = first[turned if paired else torch.randperm(rows)] + 0.1
            loss = -shared_information(critic, first[turned], second).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        raised.append(-float(loss.detach()))
    nothing = -2 * torch.log(torch.tensor(2.0)).item()  # of a critic that tells nothing
    assert raised[0] > nothing + 0.7
    assert raised[1] < nothing + 0.2


def test_every_part_moves_the_right_way_under_the_loss() -> None:
    """The loss falls where the bound rises: its gradient is minus beta times the bound's."""
    objective, output = made(cib_beta=1.0)
    means = [output.features[name].detach() for name in ("image", "table")]
    spreads = [torch.full_like(mean, 0.3) for mean in means]
    weights = [*objective.critics.parameters()]
    loss = objective.bottleneck(means, spreads, means, output.present).sum()
    bound = shared_information(objective.critics[0], *means).sum()
    down, up = torch.autograd.grad(loss, weights), torch.autograd.grad(bound, weights)
    for one, other in zip(down, up, strict=True):
        torch.testing.assert_close(one, -other)


def test_without_weight_and_deviation_it_is_joint_training() -> None:
    objective, output = made(cib_beta=0.0)
    for layer in objective.deviations:
        assert isinstance(layer, nn.Linear)
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, -30.0)
    expected = classification_loss(output.logits, LABELS)
    torch.testing.assert_close(objective(output, LABELS), expected, atol=1e-5, rtol=1e-5)


def test_evaluation_reads_the_means() -> None:
    objective, output = made()
    objective.eval()
    assert torch.equal(objective(output, LABELS), classification_loss(output.logits, LABELS))


def test_absent_modalities_take_part_in_no_term() -> None:
    objective, _ = made()
    (a, s), (b, t) = normals(0), normals(5)
    means, spreads = [a.float(), b.float()], [s.float(), t.float()]
    alone = torch.tensor([[1.0, 0.0]] * ROWS)
    told = objective.bottleneck(means, spreads, means, alone)
    torch.testing.assert_close(told, divergence_from_standard(means[0], spreads[0]))
