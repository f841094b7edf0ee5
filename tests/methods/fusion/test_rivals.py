"""Rivals against slow ones written from their papers, and what they must not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.methods.references import gradient_blending, mcr, ogm_ge, pmr
from tests.support import small_fusion as small
from tests.support.small_clips import clips, schema
from textcentric.errors import ConfigError
from textcentric.methods.fusion.config import VARIANTS, CrmtConfig, CrmtTraining
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.encoders import Encoder, Mlp, SmallConv
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals import RIVALS
from textcentric.methods.fusion.rivals.balancing import Balancing
from textcentric.methods.fusion.rivals.experts import ExpertFusion
from textcentric.methods.fusion.rivals.gradient_blending import GradientBlending, blend
from textcentric.methods.fusion.rivals.mcr import Mcr, contrast, game, importance, reconstruction
from textcentric.methods.fusion.rivals.ogm_ge import modulated, modulation
from textcentric.methods.fusion.rivals.pmr import Pmr
from textcentric.methods.fusion.training import prepared

CLASSES, WIDTH = 4, 6


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(rows: int) -> Tensor:
    return torch.arange(rows) % CLASSES


def fusion(*names: str) -> FusionModel:
    torch.manual_seed(0)
    encoders: dict[str, Encoder] = {name: Mlp(5, WIDTH) for name in names or ("image", "audio")}
    return FusionModel(encoders, CLASSES, orthogonality="none", weights_start=None)


def expert_fusion(*names: str) -> ExpertFusion:
    torch.manual_seed(0)
    encoders: dict[str, Encoder] = {name: Mlp(5, WIDTH) for name in names or ("image", "audio")}
    return ExpertFusion(encoders, CLASSES, top=2)


def made(rival: str, *names: str, **values: Any) -> tuple[FusionModel, Balancing]:
    model = (expert_fusion if rival == "experts" else fusion)(*names)
    config = CrmtConfig.of({"variant": rival, "mcr_permutations": 3, **values})
    return model, RIVALS[rival](model, config).train()


def read(model: FusionModel, rows: int, seed: int = 0) -> Output:
    there = torch.ones(rows, len(model.names))
    inputs = {n: drawn(rows, 5, seed=seed + at).float() for at, n in enumerate(model.names)}
    found: Output = model({**inputs, "present": there})
    return found


def output(model: FusionModel, features: list[Tensor]) -> Output:
    """Return what a model of class rows alone says of features (B, D)."""
    of = dict(zip(model.names, features, strict=True))
    rows = model.class_rows()
    scores = torch.stack([of[n] @ rows[n].to(of[n]).T for n in of], dim=1)
    return Output(scores.sum(dim=1) + model.bias, scores, of, torch.ones(scores.shape[:2]))


@pytest.mark.parametrize("temperature", [0.5, 1.0])
@pytest.mark.parametrize("modalities", [2, 3])
def test_mcr_s_contrast_is_the_sum_over_pairs(modalities: int, temperature: float) -> None:
    features = [drawn(5, 3, seed=at) for at in range(modalities)]
    known = torch.tensor([0, 0, 1, 2, 1])
    slow = mcr.contrast([one.tolist() for one in features], known.tolist(), temperature)
    told = contrast([one.requires_grad_() for one in features], known, temperature)
    assert told.tolist() == pytest.approx(slow, abs=1e-6)
    first = features[0].double()

    def of_first(one: Tensor) -> Tensor:
        return contrast([one, *features[1:]], known, temperature)

    assert torch.isfinite(torch.autograd.grad(of_first(first).sum(), first)[0]).all()


def test_the_contrast_s_positives_are_of_both_modalities() -> None:
    """Two rows of one class, each modality constant: only pairs within a modality are alike."""
    up, right = torch.tensor([[0.0, 1.0]] * 2), torch.tensor([[1.0, 0.0]] * 2)
    (one, other) = contrast([up, right], torch.tensor([0, 0]), 1.0).tolist()
    bottom = torch.tensor([1.0, 0.0, 0.0]).logsumexp(0)
    assert one == other == pytest.approx(float(bottom) - 1 / 3)


@pytest.mark.parametrize("k", [-1, 0, 1])
def test_mcr_s_game_is_the_sum_over_players_and_permutations(k: int) -> None:
    scores, bias = [drawn(4, 3, seed=at) for at in range(2)], drawn(3, seed=9)
    orders = torch.stack([torch.randperm(4) for _ in range(3)])
    slow = mcr.game([one.tolist() for one in scores], bias.tolist(), orders.tolist(), k)
    assert game(scores, bias, orders, k).tolist() == pytest.approx(slow, abs=1e-6)


def test_in_the_greedy_game_each_encoder_climbs_its_own_importance_and_descends_the_other() -> None:
    scores, bias = [drawn(4, 3, seed=at).requires_grad_() for at in range(2)], drawn(3, seed=9)
    orders = torch.stack([torch.randperm(4) for _ in range(3)])
    apart = [one.detach() for one in scores]
    found = torch.autograd.grad(game(scores, bias, orders, -1).sum(), scores)
    for player in range(2):
        mine = [s if at == player else apart[at] for at, s in enumerate(scores)]
        wants = importance(mine, player, bias, orders) - importance(mine, 1 - player, bias, orders)
        (wanted,) = torch.autograd.grad(-wants.sum(), scores[player])
        torch.testing.assert_close(found[player], wanted)


def test_mcr_s_total_weighs_each_term_by_its_own_weight_alone() -> None:
    """The contrast is not multiplied by the weight of the game."""
    known = labels(8)
    parts = {"mcr_weight": 0.0, "mcr_contrast": 0.0, "mcr_single": 0.0}
    model, plain = made("mcr", **parts)
    told = read(model, 8)
    features = list(told.features.values())
    bare = plain(told, known)
    torch.testing.assert_close(bare, classification_loss(told.logits, known))
    _, contrasted = made("mcr", **{**parts, "mcr_contrast": 0.7})
    wanted = bare + 0.7 * contrast(features, known, 0.5)
    torch.testing.assert_close(contrasted(told, known), wanted)
    assert CrmtConfig().mcr_contrast == 1.0
    assert CrmtConfig().mcr_temperature == 0.5


def test_mcr_s_reconstruction_is_of_detached_predictions() -> None:
    model, rival = made("mcr", mcr_reconstruction=0.5, mcr_weight=0.0, mcr_contrast=0.0)
    assert isinstance(rival, Mcr)
    rival.single = 0.0
    told = read(model, 6)
    known, features = labels(6), list(told.features.values())
    said = rival.reader(told.logits)
    slow = mcr.reconstruction(said.tolist(), [one.tolist() for one in features])
    assert reconstruction(said, features).tolist() == pytest.approx(slow, abs=1e-6)
    added = rival(told, known) - classification_loss(told.logits, known)
    assert added.tolist() == pytest.approx([0.5 * one for one in slow], abs=1e-6)
    grads = torch.autograd.grad(added.sum(), told.features["image"], retain_graph=True)
    gap = (torch.cat(features, dim=1) - said)[:, :WIDTH]
    torch.testing.assert_close(grads[0], gap * 2 / (2 * WIDTH) * 0.5)
    _, without = made("mcr")
    assert not list(without.parameters())


def test_ogm_s_coefficients_are_the_paper_s() -> None:
    scores, bias, known = drawn(7, 2, CLASSES), drawn(CLASSES, seed=3), labels(7)
    of = [scores[:, at].tolist() for at in range(2)]
    slow = ogm_ge.coefficients(of, bias.tolist(), known.tolist(), 0.3)
    told = modulation(scores + bias / 2, known, 0.3)
    assert told.tolist() == pytest.approx(slow, abs=1e-6)
    assert min(slow) < 1 == max(slow)


def test_ogm_s_noise_has_the_spread_of_the_gradient_before_it_is_scaled() -> None:
    torch.manual_seed(0)
    gradient = 3 * torch.randn(200, 200)
    noise = modulated(gradient, torch.tensor(0.1)) - 0.1 * gradient
    assert float(noise.std()) == pytest.approx(3, rel=0.02)
    assert float((noise * gradient).mean()) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("epoch", "changes"), [(0, False), (1, True), (2, True), (3, False)])
def test_ogm_modulates_between_its_first_and_last_epoch(epoch: int, changes: bool) -> None:
    model, rival = made("ogm-ge", ogm_first_epoch=1, ogm_last_epoch=2)
    rival.epoch = epoch
    known = labels(8)
    plain = fusion()
    classification_loss(read(plain, 8).logits, known).mean().backward()
    rival(read(model, 8), known).mean().backward()
    for (name, one), other in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert one.grad is not None or not one.requires_grad
        if one.grad is not None and other.grad is not None:
            matrix = name.startswith("encoders") and one.ndim > 1
            same = torch.equal(one.grad, other.grad)
            assert same == (not (changes and matrix)), name


def test_what_ogm_changes_are_the_kernels_of_convolutions_and_no_normalisation() -> None:
    torch.manual_seed(0)
    encoders: dict[str, Encoder] = {name: SmallConv(1, 8) for name in ("image", "audio")}
    model = FusionModel(encoders, CLASSES, orthogonality="none", weights_start=None)
    rival = RIVALS["ogm-ge"](model, CrmtConfig.of({"variant": "ogm-ge"})).train()
    batch = {name: drawn(4, 1, 8, 8).float() for name in model.names}
    batch["present"] = torch.ones(4, 2)
    plain = dict(model.named_parameters())
    losses = classification_loss(model(batch).logits, labels(4)).sum()
    learning = {name: one for name, one in plain.items() if one.requires_grad}
    wanted = torch.autograd.grad(losses, list(learning.values()))
    rival(model(batch), labels(4)).sum().backward()
    found = [one.grad for one in learning.values()]
    pairs = zip(learning, wanted, found, strict=True)
    changed = {
        name for name, one, other in pairs if other is not None and not torch.equal(one, other)
    }
    kernels = {f"encoders.{m}.body.{at}.weight" for m in model.names for at in (0, 3, 6)}
    assert changed == kernels


def pmr_reference(features: list[Tensor], known: Tensor, alpha: float, mu: float) -> list[float]:
    of = [one.tolist() for one in features]
    centres = [pmr.prototypes(one, known.tolist(), CLASSES) for one in of]
    return pmr.balance(of, centres, known.tolist(), alpha, mu)


@pytest.mark.parametrize(("epoch", "mu"), [(0, 0.01), (4, 0.01), (5, 0.0)])
@pytest.mark.parametrize("stronger", [0, 1])
def test_pmr_adds_what_the_paper_adds(epoch: int, mu: float, stronger: int) -> None:
    model, rival = made("pmr", pmr_weight=0.6)
    known = labels(8)
    features = [drawn(8, WIDTH, seed=at).float() for at in range(2)]
    features[stronger] += 3 * nn.functional.one_hot(known, WIDTH)
    told = output(model, features)
    rival(told, known)  # the first epoch's prototypes are these means
    rival.epoch = epoch
    added = rival(told, known) - classification_loss(told.logits, known)
    assert added.tolist() == pytest.approx(pmr_reference(features, known, 0.6, mu), abs=1e-5)
    assert added.abs().max() > 0.1


def test_pmr_s_prototypes_move_once_an_epoch_with_momentum() -> None:
    model, rival = made("pmr", pmr_momentum=0.25)
    assert isinstance(rival, Pmr)
    known = torch.tensor([0, 0, 1])
    features = [drawn(3, WIDTH, seed=at).float() for at in range(2)]

    def step(epoch: int, factor: float) -> Tensor:
        rival.epoch = epoch
        rival(output(model, [factor * one for one in features]), known)
        return rival.prototypes(0)[0].clone()

    mean = features[0][:2].mean(dim=0)
    torch.testing.assert_close(step(0, 1.0), mean)
    torch.testing.assert_close(step(0, 2.0), 1.5 * mean)  # of both batches
    torch.testing.assert_close(step(1, 4.0), 1.5 * mean)
    torch.testing.assert_close(step(1, 6.0), 1.5 * mean)
    torch.testing.assert_close(step(2, 9.0), (0.25 * 1.5 + 0.75 * 5) * mean)
    assert rival.prototypes(0)[2].abs().sum() == 0
    assert rival.seen.tolist() == [[True, True, False, False]] * 2


def test_pmr_leaves_rows_of_classes_without_a_prototype_to_cross_entropy() -> None:
    model, rival = made("pmr")
    rival(read(model, 4), torch.tensor([0, 0, 1, 1]))
    rival.eval()
    told, known = read(model, 4, seed=5), torch.tensor([0, 1, 2, 3])
    added = rival(told, known) - classification_loss(told.logits, known)
    assert added[2:].tolist() == [0, 0]
    assert (added[:2] != 0).all()
    added.sum().backward()
    assert all(
        bool(one.grad.isfinite().all()) for one in model.parameters() if one.grad is not None
    )


def test_blending_weighs_branches_by_gain_over_squared_overfitting() -> None:
    before = ([2.0, 2.2, 1.9], [2.1, 2.3, 2.0])
    now = ([1.0, 1.5, 0.4], [1.4, 1.8, 1.3])
    told = blend(*(torch.tensor(one, dtype=torch.float64) for one in (before, now)))
    assert told.tolist() == pytest.approx(gradient_blending.weights(before, now), abs=1e-6)


def test_blending_learns_its_weights_from_one_evaluation_to_the_next() -> None:
    model, rival = made("gradient-blending")
    assert isinstance(rival, GradientBlending)
    known = labels(6)
    means = []
    for seed, held_out in ((0, [2.0, 2.0, 2.0]), (1, [1.9, 1.5, 1.7])):
        told = read(model, 6, seed=seed)
        rival(told, known)
        means.append((rival.branches(told, known).mean(dim=0).tolist(), held_out))
        rival.update(4 * torch.tensor(held_out), torch.full((3,), 4.0))
    wanted = gradient_blending.weights(means[0], means[1])
    assert rival.branch_weights.tolist() == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("rival", RIVALS)
def test_a_batch_of_one_has_a_finite_loss_and_gradient(rival: str) -> None:
    model, objective = made(rival)
    for epoch in (0, 1):
        objective.epoch = epoch
        objective(read(model, 1, seed=epoch), torch.tensor([2])).sum().backward()
    for name, one in model.named_parameters():
        assert one.grad is None or bool(torch.isfinite(one.grad).all()), name
    assert any(one.grad is not None and one.grad.abs().sum() > 0 for one in model.parameters())


@pytest.mark.parametrize("rival", RIVALS)
def test_three_modalities_are_balanced_as_two_are(rival: str) -> None:
    model, objective = made(rival, "image", "audio", "table")
    losses = objective(read(model, 8), labels(8))
    losses.sum().backward()
    assert losses.shape == (8,)
    assert bool(torch.isfinite(losses).all())


@pytest.mark.parametrize("variant", VARIANTS)
def test_trainings_of_variants_that_changed_are_others_and_those_that_did_not_are_the_same(
    variant: str,
) -> None:
    now = CrmtConfig.of({"variant": variant}).identity_values()
    changed = {name.split("_")[0] for name in now.keys() & CrmtConfig.added}
    wanted = {"crmt-at": {"attack"}, "ogm-ge": {"ogm"}, "pmr": {"pmr"}, "mcr": {"mcr"}}
    assert changed == wanted.get(variant, set())


@pytest.mark.parametrize("rival", [one for one in RIVALS if one != "cib"])  # it makes logits anew
def test_what_an_absent_modality_would_say_counts_for_nothing(rival: str) -> None:
    """An encoder says something of zeros: put another thing there, and nothing changes."""
    losses, state = [], []
    for filler in (1.0, 50.0):
        model, objective = made(rival, mcr_reconstruction=0.3)
        told, known = read(model, 8), labels(8)
        present = torch.ones(8, 2)
        present[[0, 3, 5], 1] = 0
        absent = (present[:, 1] == 0)[:, None]
        features = {n: one.detach().clone() for n, one in told.features.items()}
        features["audio"] = torch.where(absent, filler, features["audio"])
        scores = told.scores.detach().clone()
        scores[absent[:, 0], 1] = filler * torch.arange(CLASSES).float()
        torch.manual_seed(3)
        objective(Output(told.logits, scores, features, present), known)
        losses.append(objective(Output(told.logits, scores, features, present), known).tolist())
        state.append([*objective.buffers(), getattr(objective, "_factors", torch.ones(2))])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    for one, other in zip(*state, strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)


def test_blending_weighs_anew_at_every_evaluation_of_a_training(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("clips")
    clips(folder)
    method, rows = small.made(folder, variant="gradient-blending")
    held = small.rows_of(folder, "image", "audio", split="validation")
    objective = method.model.objective
    assert isinstance(objective, GradientBlending)
    seen = []
    update = objective.update

    def noted(losses: Tensor, counts: Tensor) -> None:
        before = objective.last.clone()
        update(losses, counts)
        seen.append((before, objective.last.clone(), objective.branch_weights.clone()))

    objective.update = noted  # type: ignore[method-assign, assignment]
    small.trained(method, rows, tmp_path / "m", held, eval_strategy="epoch", num_train_epochs=3)
    assert len(seen) >= 3
    for before, now, weights in seen[1:3]:
        wanted = gradient_blending.weights(
            *[(one[0].tolist(), one[1].tolist()) for one in (before, now)]
        )
        clipped = blend(before, now).tolist()
        assert weights.tolist() == pytest.approx(clipped)
        if min(wanted) > 0:
            assert clipped == pytest.approx(wanted, abs=1e-4)


def test_blending_without_an_evaluation_is_refused(tmp_path: Path) -> None:
    clips(tmp_path)
    values = {
        "dataset": str(tmp_path / "clips.csv"),
        "data_dir": str(tmp_path),
        "table_schema": schema("image", "audio"),
        "crmt": {**small.SMALL, "variant": "gradient-blending"},
        "output_dir": str(tmp_path / "m"),
        "train": {"eval_strategy": "no"},
    }
    with pytest.raises(ConfigError, match=r"held-out losses.*split validation.*eval_strategy"):
        prepared(CrmtTraining.of(values), print)
