"""FuseMix and Align-VL against slow, obvious references."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from tests.methods.references import align_vl, fusemix
from tests.methods.references.fusemix import Matrix
from textcentric.errors import ConfigError
from textcentric.methods.align_vl.config import AlignConfig, Noise, OffDiagonal, Place
from textcentric.methods.align_vl.model import COLDEST, HOTTEST, Adapters, AlignModel
from textcentric.methods.align_vl.objective import (
    best_gap,
    contrastive_losses,
    halves,
    mixed,
    over_all,
    perturbed,
    smoothing_now,
    to_rows,
)
from textcentric.metrics.recall import ranks, recall, search_one_way

SIZES = {"image": 6, "text": 4}


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


TARGETS: dict[OffDiagonal, Callable[[int, float], list[list[float]]]] = {
    "all": align_vl.target_over_all,
    "others": align_vl.target_over_others,
}


@pytest.mark.parametrize("convention", ["all", "others"])
@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5])
def test_the_loss_is_the_naive_double_loop(convention: OffDiagonal, alpha: float) -> None:
    logits = 3 * drawn(5, 5)
    found = float(contrastive_losses(logits, over_all(alpha, 5, convention)).mean())
    target = TARGETS[convention](5, alpha)
    assert found == pytest.approx(align_vl.smoothed_loss(logits.tolist(), target), abs=1e-6)
    if not alpha:
        assert found == pytest.approx(fusemix.info_nce(logits.tolist()), abs=1e-6)


def test_each_pair_has_its_own_alpha() -> None:
    logits, alphas = drawn(4, 4), [0.0, 0.1, 0.3, 0.9]
    found = contrastive_losses(logits, torch.tensor(alphas).double())
    target = [align_vl.target_over_all(4, alpha)[row] for row, alpha in enumerate(alphas)]
    expected = align_vl.smoothed_loss(logits.tolist(), target)
    assert float(found.mean()) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("convention", ["all", "others"])
def test_rows_of_the_target_sum_to_one(convention: OffDiagonal) -> None:
    target = torch.tensor(TARGETS[convention](7, 0.3))
    assert torch.allclose(target.sum(dim=1), torch.ones(7))
    # and the loss is linear in it: with logits of which log softmax is known, the weights show
    logits = torch.zeros(7, 7).double()
    losses = contrastive_losses(logits, over_all(0.3, 7, convention))
    assert torch.allclose(losses, torch.full((7,), math.log(7)).double())


def test_mixing_is_that_of_fusemix() -> None:
    latents = drawn(6, 4)
    expected = torch.tensor(fusemix.mixed(latents.tolist(), 0.3)).double()
    torch.testing.assert_close(mixed(latents, torch.tensor(0.3)), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
def test_noise_is_that_of_the_reference_with_the_same_draws(kind: Noise) -> None:
    latents = drawn(3, 4)
    torch.manual_seed(3)
    found = perturbed(latents, kind, 0.7)
    expected = noisy(latents.tolist(), kind, 0.7, torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, torch.tensor(expected).double(), atol=1e-6, rtol=0)


def noisy(latents: Matrix, kind: Noise, sigma: float, rng: torch.Generator) -> list[list[float]]:
    """Draw for the reference, in the order in which the model draws."""
    size = (len(latents), len(latents[0]))
    if kind == "gaussian":
        draws = torch.randn(*size, generator=rng, dtype=torch.float64).tolist()
        return align_vl.with_normal_noise(latents, sigma, draws)
    draws = torch.rand(*size, generator=rng, dtype=torch.float64).tolist()
    return align_vl.with_uniform_noise(latents, sigma, draws)


@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
@pytest.mark.parametrize("convention", ["all", "others"])
def test_a_whole_step_is_mixing_noise_adapters_and_the_smoothed_loss_in_this_order(
    kind: Noise, convention: OffDiagonal
) -> None:
    config = AlignConfig(
        noise=kind,
        noise_sigma=0.4,
        smoothing=0.2,
        smoothing_off_diagonal=convention,
        blocks=1,
        expansion=2,
        width=3,
        dropout=0,
    )
    torch.manual_seed(0)
    adapters = Adapters(SIZES, config).double()
    batch = {name: drawn(8, size) for name, size in SIZES.items()}
    model = AlignModel(adapters, config).train()
    torch.manual_seed(4)
    share = torch.tensor(0.3).double()
    found = model({**batch, "share": share, "epoch": torch.tensor(0.0)})

    rng = torch.Generator().manual_seed(4)
    places: dict[str, list[list[float]]] = {}
    for name in SIZES:
        latents = noisy(fusemix.mixed(batch[name].tolist(), 0.3), kind, 0.4, rng)
        places[name] = [adapted(adapters, name, one) for one in latents]
    logits = fusemix.scores(places["image"], places["text"], adapters.temperature.item())
    expected = align_vl.smoothed_loss(logits, TARGETS[convention](4, 0.2))
    assert found[:4].mean().item() == pytest.approx(expected, abs=1e-6)
    assert found[4:].tolist() == found[:4].tolist()


def adapted(adapters: Adapters, name: str, latent: Sequence[float]) -> list[float]:
    """Send one latent through the layers of an adapter with one block, by loops."""
    weights = {key: one.tolist() for key, one in adapters.of(name).body.state_dict().items()}
    layers = [weights[f"0.body.{at}.{kind}"] for at in (1, 4) for kind in ("weight", "bias")]
    seen = fusemix.normed(fusemix.block(latent, *layers))
    return fusemix.linear(seen, weights["2.weight"], weights["2.bias"])


def test_one_alpha_for_all_pairs_and_the_same_of_each_agree() -> None:
    logits = drawn(6, 6)
    each = torch.full((6,), 0.2, dtype=torch.float64)
    assert torch.allclose(contrastive_losses(logits, 0.2), contrastive_losses(logits, each))


@pytest.mark.parametrize("convention", ["all", "others"])
@pytest.mark.parametrize(("count", "alpha"), [(4, 0.1), (9, 0.5)])
def test_the_loss_is_least_at_the_best_gap(
    convention: OffDiagonal, count: int, alpha: float
) -> None:
    smoothing = over_all(alpha, count, convention)
    gap = best_gap(count, alpha, convention)

    def loss(size: float) -> float:
        return float(contrastive_losses(size * torch.eye(count).double(), smoothing).mean())

    assert loss(gap) < min(loss(gap - 0.01), loss(gap + 0.01))


def test_the_known_gaps_of_large_batches() -> None:
    known = {0.1: 12.1, 0.2: 11.3, 0.5: 9.9, 0.8: 8.5}
    assert {alpha: round(best_gap(20480, alpha), 1) for alpha in known} == known


def test_smoothing_over_the_others_is_refused_where_the_positive_would_get_less() -> None:
    with pytest.raises(ConfigError, match=r"at most 0\.5"):
        over_all(0.6, 2, "others")


def test_the_gradient_is_right() -> None:
    logits = drawn(4, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: contrastive_losses(x, 0.2).sum(), logits)
    alphas = torch.tensor([0.0, 0.1, 0.2, 0.3]).double()
    assert torch.autograd.gradcheck(lambda x: contrastive_losses(x, alphas).sum(), logits)


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_gradient_of_the_whole_model_is_right(place: Place) -> None:
    config = AlignConfig(width=3, blocks=1, dropout=0, noise_place=place, mixing=False)
    torch.manual_seed(0)
    adapters = Adapters(SIZES, config).double()
    batch = {name: drawn(4, size) for name, size in SIZES.items()}
    parameters = list(adapters.parameters())

    def loss(*values: Tensor) -> Tensor:
        torch.manual_seed(1)  # the same noise each time
        model = AlignModel(adapters, config).train()
        losses: Tensor = model({**batch, "epoch": torch.tensor(0.0)})
        return losses.sum()

    assert torch.autograd.gradcheck(loss, tuple(parameters), atol=1e-4, fast_mode=True)


def test_schedules_of_smoothing() -> None:
    cosines = torch.tensor([1.0, 0.5, -1.0])
    assert smoothing_now(0.4, "constant", 3, 10, cosines) == 0.4
    assert smoothing_now(0.4, "linear", 5, 10, cosines) == pytest.approx(0.2)
    assert smoothing_now(0.4, "cosine", 5, 10, cosines) == pytest.approx(0.2)
    assert smoothing_now(0.4, "linear", 20, 10, cosines) == 0
    each = smoothing_now(0.4, "per-pair", 0, 10, cosines.requires_grad_())
    assert isinstance(each, Tensor)
    assert not each.requires_grad
    assert torch.allclose(each, torch.tensor([0.0, 0.2, 0.4]))


# FuseMix, written down as in Algorithm 1 of the paper.


def fusemix_step(adapters: Adapters, image: Tensor, text: Tensor, share: Tensor) -> Tensor:
    count = len(image) // 2
    mixed_image = share * image[:count] + (1 - share) * image[count:]
    mixed_text = share * text[:count] + (1 - share) * text[count:]
    u = normalize(adapters.of("image")(mixed_image), dim=1)
    v = normalize(adapters.of("text")(mixed_text), dim=1)
    adapters.temperature.data.clamp_(COLDEST, HOTTEST)
    logits = u @ v.T / adapters.temperature
    places = torch.arange(count)
    return (cross_entropy(logits, places) + cross_entropy(logits.T, places)) / 2


def test_without_noise_and_smoothing_it_is_fusemix_bit_for_bit() -> None:
    config = AlignConfig.of({"width": 3, "noise_sigma": 0, "smoothing": 0, "dropout": 0.3})

    def trained(ours: bool) -> list[Tensor]:
        torch.manual_seed(5)
        adapters = Adapters(SIZES, config)
        model = AlignModel(adapters, config).train()
        optimizer = torch.optim.AdamW(adapters.parameters(), lr=1e-2)
        for step in range(8):
            batch = {name: drawn(6, size, seed=step).float() for name, size in SIZES.items()}
            share = torch.tensor(0.1 + 0.1 * step)
            if ours:
                told = model({**batch, "share": share, "epoch": torch.tensor(float(step))})
                assert told.shape == (6,)
                loss = told[:3].mean()
            else:
                loss = fusemix_step(adapters, batch["image"], batch["text"], share)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [one.detach() for one in adapters.parameters()]

    for ours, theirs in zip(trained(True), trained(False), strict=True):
        assert torch.equal(ours, theirs)


def test_noise_of_sigma_zero_draws_nothing() -> None:
    config = AlignConfig.of({"noise_sigma": 0, "smoothing": 0, "dropout": 0})
    model = AlignModel(Adapters(SIZES, config), config).train()
    batch = {name: drawn(4, size).float() for name, size in SIZES.items()}
    before = torch.get_rng_state()
    model({**batch, "epoch": torch.tensor(0.0)})
    assert torch.equal(before, torch.get_rng_state())


def test_mixing_of_an_odd_batch_gives_every_row_a_loss() -> None:
    latents = torch.arange(5.0)[:, None]
    assert mixed(latents, torch.tensor(1.0)).flatten().tolist() == [0, 1, 2]
    assert mixed(latents, torch.tensor(0.0)).flatten().tolist() == [2, 3, 4]
    assert halves(5) == 3
    assert to_rows(torch.tensor([7.0, 8.0, 9.0]), 5).tolist() == [7, 8, 9, 8, 9]
    assert to_rows(torch.tensor([7.0, 8.0]), 4).tolist() == [7, 8, 7, 8]
    assert mixed(latents[:1], torch.tensor(0.3)).tolist() == [[0.0]]


@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
def test_both_noises_have_the_variance_that_was_asked_for(kind: Noise) -> None:
    torch.manual_seed(0)
    noise = perturbed(torch.zeros(200_000, 1), kind, 0.3)
    assert float(noise.std()) == pytest.approx(0.3, rel=0.01)
    assert float(noise.mean()) == pytest.approx(0, abs=0.01)
    if kind == "uniform":
        assert float(noise.abs().max()) <= 0.3 * math.sqrt(3)


def test_relative_noise_follows_the_spread_of_each_dimension() -> None:
    config = AlignConfig(noise_sigma=0.5, noise_relative=True)
    model = AlignModel(Adapters(SIZES, config), config)
    values = torch.tensor([[0.0, 0.0], [2.0, 20.0]])
    assert torch.allclose(torch.as_tensor(model._sigma(values)), torch.tensor([0.5, 5.0]))


def test_evaluation_neither_perturbs_nor_drops() -> None:
    config = AlignConfig(noise_sigma=10, dropout=0.5)
    adapters = Adapters(SIZES, config).eval()
    latents = drawn(3, 6).float()
    assert torch.equal(adapters.embed("image", latents), adapters.embed("image", latents))


def test_the_temperature_stays_within_its_bounds() -> None:
    adapters = Adapters(SIZES, AlignConfig())
    nn.init.constant_(adapters.temperature, 9.0)
    assert adapters.clamped_temperature().item() == HOTTEST
    nn.init.constant_(adapters.temperature, -1.0)
    assert adapters.clamped_temperature().item() == pytest.approx(COLDEST)
    assert not Adapters(SIZES, AlignConfig(learn_temperature=False)).temperature.requires_grad


def test_ranks_are_those_of_sorting() -> None:
    queries, items = normalize(drawn(40, 5), dim=1), normalize(drawn(30, 5, seed=1), dim=1)
    right = [[at % 30, (7 * at) % 30] for at in range(40)]
    expected = []
    for row, places in zip((queries @ items.T).numpy(), right, strict=True):
        order = np.argsort(-row).tolist()
        best = min(places, key=order.index)
        expected.append(sum(1 for one in order[: order.index(best)] if one not in places))
    assert ranks(queries, items, right).tolist() == expected


@pytest.mark.parametrize("k", [1, 5, 10])
def test_recall_is_that_of_sorting_by_loops(k: int) -> None:
    queries, items = normalize(drawn(12, 5), dim=1), normalize(drawn(36, 5, seed=1), dim=1)
    pairs = [(at % 12, at) for at in range(36)]
    for there, back, ways in (
        (queries, items, pairs),
        (items, queries, [(item, query) for query, item in pairs]),
    ):
        found = recall(search_one_way(there, back, np.array(ways)).ranks)[k]
        expected = fusemix.recall_at(k, there.tolist(), back.tolist(), ways)
        assert found == pytest.approx(expected, abs=1e-6)
        assert 0 < expected < 1


def test_chance_knows_that_a_picture_has_several_captions() -> None:
    pairs = np.array([[0, 0], [0, 1], [0, 2], [1, 3], [1, 4]])
    found = search_one_way(torch.eye(2, 5), torch.eye(5), pairs)
    assert found.partners.tolist() == [3, 2]
    # of 5 captions 3 are right for one picture and 2 for the other
    assert found.chance(1) == pytest.approx((3 / 5 + 2 / 5) / 2)
    assert found.chance(2) == pytest.approx(1 - ((2 * 1) / (5 * 4) + (3 * 2) / (5 * 4)) / 2)
    assert found.chance(10) == 1


def test_a_space_of_one_point_has_no_recall() -> None:
    same = normalize(torch.ones(20, 3), dim=1)
    found = ranks(same, same, [[at] for at in range(20)])
    assert recall(found, at=(1, 5)) == {1: 0.0, 5: 0.0}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"smoothing": 1.0}, "smoothing"),
        ({"smoothing": -0.1}, "smoothing"),
        ({"noise_sigma": -1}, "noise_sigma"),
        ({"noise_sigma": float("nan")}, "noise_sigma"),
        ({"noise": "salt"}, "noise"),
        ({"temperature": 0}, "temperature"),
        ({"noise_sigm": 1}, "noise_sigma"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        AlignConfig.of(values)
