"""Experts under a gate against slow ones; absent modalities, single experts, attacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.methods.references import experts
from tests.support.small_fusion import made, rows_of, trained
from textcentric.cli.evaluate_fusion import as_text
from textcentric.errors import ConfigError
from textcentric.evaluation.fusion import robustness
from textcentric.methods.fusion import Crmt, CrmtConfig
from textcentric.methods.fusion.encoders import Encoder, Mlp
from textcentric.methods.fusion.model import Output
from textcentric.methods.fusion.rivals.experts import (
    ExpertFusion,
    Experts,
    Mixture,
    imbalance,
    weighed,
)

CLASSES, ROWS = 4, 10
NAMES = ("image", "audio", "text")


def small(top: int, modalities: int = 2) -> ExpertFusion:
    torch.manual_seed(0)
    encoders: dict[str, Encoder] = {n: Mlp(5, 6 + at) for at, n in enumerate(NAMES[:modalities])}
    return ExpertFusion(encoders, CLASSES, top=top)


def read(model: ExpertFusion, present: Tensor) -> Output:
    generator = torch.Generator().manual_seed(1)
    inputs = {n: 2 * torch.randn(len(present), 5, generator=generator) for n in model.names}
    found: Output = model({**inputs, "present": present})
    return found


def lacking(modalities: int) -> Tensor:
    """Return which modalities rows have (B, M): the first all, the second none, then one less."""
    present = torch.ones(ROWS, modalities)
    present[1] = 0
    for row in range(2, ROWS):
        present[row, row % modalities] = row % 3 > 0
    return present


def as_lists(model: ExpertFusion, told: Output) -> tuple[list[list[list[float]]], list[list[Any]]]:
    """Return the experts' logits and the gate's, None for modalities that are absent."""
    present = told.present
    there = {n: told.features[n] * present[:, at : at + 1] for at, n in enumerate(model.names)}
    heads = [model.heads[name](one) for name, one in there.items()]
    over_all = sum(one @ model.rows[name].T for name, one in there.items()) + model.bias
    first, _, last = model.gate
    gate = last(first(torch.cat([*there.values(), present], dim=1)).clamp(min=0)).tolist()
    for row, has in enumerate(present.tolist()):
        gate[row] = [g if i == len(has) or has[i] else None for i, g in enumerate(gate[row])]
    return torch.stack([*heads, over_all], dim=1).tolist(), gate


@pytest.mark.parametrize(("modalities", "top"), [(2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 4)])
def test_logits_and_losses_are_those_of_loops(modalities: int, top: int) -> None:
    model = small(top, modalities)
    objective = Experts(model, CrmtConfig.of({"variant": "experts", "experts_top": top}))
    told, labels = read(model, lacking(modalities)), torch.arange(ROWS) % CLASSES
    heads, gate = as_lists(model, told)
    for row in range(ROWS):
        wanted = experts.logits(heads[row], gate[row], top)
        assert told.logits[row].tolist() == pytest.approx(wanted, abs=1e-5)
        for at in range(modalities):
            alone = experts.log_chances(heads[row][at])
            assert told.scores[row, at].tolist() == pytest.approx(alone, abs=1e-5)
    slow = experts.losses(heads, gate, labels.tolist(), top, 0.3, 0.01)
    assert objective(told, labels).tolist() == pytest.approx(slow, abs=1e-5)


@pytest.mark.parametrize("top", [1, 2, 3])
def test_an_absent_modality_weighs_exactly_nothing(top: int) -> None:
    model = small(top)
    present = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    told = read(model, present)
    mixture = model.mixture(told.features, told.present)
    for of in (mixture.weights, mixture.chances):
        assert of[0, 1] == of[1, 0] == of[2, 0] == of[2, 1] == 0
    assert mixture.weights[2].tolist() == [0.0, 0.0, 1.0], "what is left is the expert over all"
    other = {**told.features, "audio": told.features["audio"].clone()}
    other["audio"][0] = 7.0
    moved = model.mixture(other, told.present)
    assert torch.equal(moved.weights, mixture.weights), "nor does anything see what it holds"
    assert torch.equal(moved.logits, mixture.logits)


def test_one_expert_says_what_it_says_alone_only_less_surely() -> None:
    model = small(1)
    told = read(model, torch.ones(ROWS, 2))
    mixture = model.mixture(told.features, told.present)
    chosen = mixture.weights.argmax(dim=1)
    own = mixture.experts[torch.arange(ROWS), chosen]
    assert torch.equal(told.logits.argmax(dim=1), own.argmax(dim=1))
    weight = mixture.weights.amax(dim=1, keepdim=True)
    assert bool((weight < 1).all()), "its chance among all, or the gate would learn nothing"
    torch.testing.assert_close(told.logits / weight, own)
    gradients = torch.autograd.grad(told.logits.square().sum(), list(model.gate[0].parameters()))
    assert all(float(one.abs().max()) > 0 for one in gradients)


@pytest.mark.parametrize("top", [2, 3])
def test_several_experts_are_a_geometric_mean(top: int) -> None:
    """Their log-probabilities, weighed, sum in chances to 1 at most: where all agree, to 1."""
    model = small(top)
    told = read(model, torch.ones(ROWS, 2))
    mixture = model.mixture(told.features, told.present)
    torch.testing.assert_close(mixture.weights.sum(dim=1), torch.ones(ROWS))
    assert bool((told.logits.logsumexp(dim=1) < 0).all())
    agreeing = mixture._replace(experts=mixture.experts[:, :1].expand(-1, 3, -1))
    torch.testing.assert_close(agreeing.logits, mixture.experts[:, 0])
    if top == 3:
        torch.testing.assert_close(mixture.weights, mixture.chances)


def test_of_experts_that_are_level_the_first_is_chosen() -> None:
    level = torch.zeros(1, 4)
    for top in (1, 2, 3):
        chosen = (weighed(level, top) > 0)[0].tolist()
        assert chosen == [True] * top + [False] * (4 - top)


@pytest.mark.parametrize("top", [1, 2, 3])
def test_the_gate_s_gradient_is_that_of_finite_differences(top: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 3, generator=generator, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: weighed(one, top), logits)


def test_the_balance_is_one_where_rows_are_spread_and_more_where_they_are_not() -> None:
    even = torch.eye(3) * 1e-6  # each row another expert, by a hair
    heads = torch.zeros(3, 3, CLASSES)
    spread = Mixture(heads, even.softmax(dim=1), weighed(even, 1))
    assert float(imbalance(spread)) == pytest.approx(1)
    logits = torch.tensor([[2.0, 0.0, 0.0]] * 3, requires_grad=True)
    same = Mixture(heads, logits.softmax(dim=1), weighed(logits, 1))
    chance = float(logits.detach()[0].softmax(dim=0)[0])
    found = imbalance(same)
    assert float(found.detach()) == pytest.approx(3 * chance)
    (gradient,) = torch.autograd.grad(found, logits)
    wanted = 3 * chance * (torch.tensor([1.0, 0, 0]) - logits.detach()[0].softmax(dim=0)) / 3
    torch.testing.assert_close(gradient[0], wanted)  # of chances alone, none of the share


def test_more_experts_than_there_are_cannot_be_asked(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"experts_top=4, .* 3 experts: .*image, audio.*1 to 3"):
        made(folder, variant="experts", experts_top=4)
    with pytest.raises(ConfigError, match="experts_top"):
        made(folder, variant="experts", experts_top=0)
    with pytest.raises(ConfigError, match="needs 2 modalities"):
        made(folder, "image", variant="experts")


def test_a_gate_is_attacked_and_certifies_nothing(folder: Path, tmp_path: Path) -> None:
    method, rows = made(folder, variant="experts")
    told = trained(method, rows, tmp_path / "m")
    assert method.tau is None
    assert "tau_mean" not in told.metrics
    test = rows_of(folder, "image", "audio", split="test")[:12]
    again = Crmt.load(tmp_path / "m", folder)
    with pytest.raises(ConfigError, match=r"radius holds where .*variant 'experts' are not"):
        again.radius(test)
    found = robustness(again, test, [0.5, 8.0])
    assert found["certified"] == {
        "means": "none: the certified radius holds where logits are sums of scores by weights"
    }
    for one in found["threats"].values():
        curve = [found["clean"]["value"], *one["accuracy"]]
        assert curve == sorted(curve, reverse=True)
    assert found["sanity"]["accuracy_under_a_huge_attack"] == 0
    assert set(found["sanity"]["flipped_by_swapping_alone"].values()) == {0}
    assert "m: none: the certified radius" in as_text({"m": found})
    for name in ("image", "audio"):
        kept = [
            replace(row, inputs={k: v for k, v in row.inputs.items() if k != name}) for row in test
        ]
        right = again.logits(kept).argmax(dim=1) == again.labels(kept)
        assert found["missing"][name]["zero"]["value"] == pytest.approx(
            float(right.double().mean())
        )
