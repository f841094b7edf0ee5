"""Attacks against models whose worst case is known, and against one that hides its gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module

import pytest
import torch
from torch import Tensor

from textcentric.errors import ConfigError, DataError
from textcentric.evaluation.fusion_attacks import (
    Target,
    Threat,
    attack,
    by_swapping,
    by_temperature,
    flips_within,
    smallest_radius,
    threats,
    under_a_huge_attack,
    with_one_missing,
)
from textcentric.evaluation.fusion_attacks.losses import scaled_cross_entropy, untargeted
from textcentric.evaluation.fusion_attacks.paper import fgm, paper_pgd
from textcentric.evaluation.fusion_attacks.pgd import pgd
from textcentric.evaluation.fusion_attacks.threats import lengths

CLASSES, ROWS = 4, 60
Attacked = Callable[[Target, Threat, float], Tensor]
WIDTHS = {"image": 6, "audio": 3}


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Linear:
    """Logits linear in every modality: the flip radius is |margin| over a length of rows."""

    def __init__(self, widths: Mapping[str, int] = WIDTHS):
        self.rows = {n: drawn(CLASSES, w, seed=at) for at, (n, w) in enumerate(widths.items())}

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([batch[name] @ rows.T for name, rows in self.rows.items()]).sum(dim=0)

    def target(self, rows: int = ROWS) -> Target:
        batch = {
            n: drawn(rows, r.shape[1], seed=10 + at) for at, (n, r) in enumerate(self.rows.items())
        }
        return Target(
            self,
            batch,
            self(batch).argmax(dim=1).roll(rows // 6) if rows > 6 else self(batch).argmax(dim=1),
        )

    def flip_radius(self, target: Target, names: tuple[str, ...]) -> Tensor:
        logits, y = self(target.batch), target.labels
        least = torch.full((len(y),), math.inf, dtype=torch.float64)
        for k in range(CLASSES):
            ways = torch.cat([self.rows[n][y] - self.rows[n][k] for n in names], dim=1)
            gap = logits.gather(1, y[:, None])[:, 0] - logits[:, k]
            least = torch.where(
                y == k, least, torch.minimum(least, gap / ways.norm(dim=1).clamp(min=1e-12))
            )
        return least


def right_rows(model: Linear) -> Target:
    target = model.target()
    return replace(target, labels=model(target.batch).argmax(dim=1))


def numbered(target: Target) -> Target:
    """Return the target with the number of each row in the batch."""
    return replace(target, batch={**target.batch, "at": torch.arange(len(target))})


JOINT = Threat("joint", dict.fromkeys(WIDTHS, 1.0), joint=True)
AUDIO = Threat("audio", {"audio": 1.0})


@pytest.mark.parametrize("threat", [AUDIO, JOINT], ids=lambda one: one.name)
def test_a_linear_model_is_flipped_exactly_at_its_flip_radius(threat: Threat) -> None:
    model = Linear()
    target = right_rows(model)
    known = model.flip_radius(target, tuple(threat.shares))
    radii = torch.linspace(0.1, 3.0, 8).tolist()
    curve = attack(target, threat, radii)
    for at, radius in enumerate(radii):
        sure = (known - radius).abs() > 0.02 * radius
        assert torch.equal(curve.survived[at][sure], (known > radius)[sure])
    assert curve.warnings == ()


def test_no_row_is_lost_below_the_radius_that_is_certified_and_a_false_one_is_found_out() -> None:
    model = Linear()
    target = right_rows(model)
    known = model.flip_radius(target, ("audio",))
    curve = attack(target, AUDIO, torch.linspace(0.1, 3.0, 6).tolist())
    assert flips_within(curve, known) == 0
    assert flips_within(curve, 2 * known) > 0


def test_robust_accuracy_never_rises_and_begins_with_the_rows_that_are_right() -> None:
    model = Linear()
    target = model.target()
    curve = attack(target, AUDIO, [0.2, 0.5, 1.0, 2.0])
    clean = float((model(target.batch).argmax(dim=1) == target.labels).double().mean())
    assert 0 < clean < 1
    assert float(curve.clean.double().mean()) == clean
    assert curve.accuracy == sorted(curve.accuracy, reverse=True)
    assert curve.accuracy[0] <= clean
    lost = smallest_radius(curve)
    assert torch.equal(lost == 0, ~curve.clean)
    for at, radius in enumerate(curve.radii):
        assert torch.equal(lost > radius, curve.survived[at])


def test_rows_that_are_lost_early_change_nothing_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = right_rows(Linear())
    whole = attack(target, JOINT, [0.3, 0.9])
    module = import_module(
        "textcentric.evaluation.fusion_attacks.threats"
    )  # the package has a function so called
    monkeypatch.setattr(module, "MOST_VALUES", 7 * sum(WIDTHS.values()))
    assert torch.equal(attack(target, JOINT, [0.3, 0.9]).survived, whole.survived)
    alone = attack(target.rows(torch.arange(5)), JOINT, [0.9])
    assert torch.equal(alone.survived[0], whole.survived[1][:5])


@pytest.mark.parametrize("threat", threats(list(WIDTHS), splits=2), ids=lambda one: one.name)
def test_changes_stay_in_the_ball_and_in_the_box(threat: Threat) -> None:
    model, seen = Linear(), []
    target = right_rows(model)

    def logits(batch: Mapping[str, Tensor]) -> Tensor:
        at = batch["at"]  # rows that are lost are no longer asked
        deltas = {n: batch[n].detach() - target.batch[n][at] for n in WIDTHS}
        seen.append({**deltas, "moved": batch["image"].detach()})
        return model(batch)

    low, high = target.batch["image"].min() - 0.1, target.batch["image"].max() + 0.1
    boxed = replace(numbered(target), logits=logits, boxes={"image": (low, high)})
    noise = {name: torch.randn_like(target.batch[name]) for name in threat.shares}
    pgd(boxed, threat, 0.7, untargeted, noise=noise)
    assert len(seen) == 21
    for deltas in seen:
        moved = deltas.pop("moved")
        assert moved.min() >= low - 1e-9
        assert moved.max() <= high + 1e-9
        assert lengths(deltas).max() <= 0.7 + 1e-9
        for name, delta in deltas.items():
            assert delta.norm(dim=1).max() <= 0.7 * threat.shares.get(name, 0.0) + 1e-9


def test_fgm_goes_the_whole_radius_along_the_gradient() -> None:
    rows = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    target = Target(
        lambda b: b["x"] @ rows.T,
        {"x": torch.tensor([[1.0, 0.0], [1.0, 0.0]])},
        torch.tensor([0, 0]),
    )
    # the gradient of cross-entropy is along (-3, 4) / 5, and the margin is 3 x - 4 y = 3
    whole = Threat("x", {"x": 1.0})
    assert fgm(target, whole, 0.59).tolist() == [True, True]
    assert fgm(target, whole, 0.61).tolist() == [False, False]
    assert paper_pgd(target, whole, 0.59).tolist() == [True, True]
    assert paper_pgd(target, whole, 0.61).tolist() == [False, False]


def test_a_modality_without_gradient_gives_no_nan_and_is_counted() -> None:
    model = Linear()
    target = right_rows(model)
    deaf = replace(
        target,
        logits=lambda b: model(
            {**b, "audio": b["audio"] * 0 + target.batch["audio"][: len(b["audio"])]}
        ),
    )
    curve = attack(deaf, AUDIO, [1.0])
    assert curve.accuracy == [1.0]
    assert curve.signs["no gradient"] == 1.0
    even = Threat("split", {"image": 0.7, "audio": 0.7})
    assert attack(deaf, even, [5.0]).accuracy[0] < 0.2
    assert fgm(deaf, even, 5.0).double().mean() < 0.5


class Masked(Linear):
    """Logits so large that float32 softmax is exactly one-hot, and cross-entropy flat."""

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        return (super().__call__(batch) * 1e4).float()


def test_masked_gradients_fool_the_paper_s_attack_and_not_the_suite() -> None:
    model = Masked()
    target = model.target()
    target = replace(target, labels=model(target.batch).argmax(dim=1))
    curve = attack(target, JOINT, [3.0])
    assert _mean(curve.paper["pgd"]) > 0.95
    assert curve.accuracy == [0.0]
    assert curve.signs["p = 1 in float32"] > 0.9
    by = by_temperature(target, JOINT, 3.0)
    assert max(by.values()) - min(by.values()) > 0.01


def _mean(rows: Tensor) -> float:
    return float(rows.double().mean())


def test_the_scaled_loss_has_a_gradient_where_the_plain_one_is_flat() -> None:
    logits = torch.tensor([[500.0, 0.0, -5.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(scaled_cross_entropy(logits, torch.tensor([0])).sum(), logits)
    assert gradient.abs().max() > 1e-4


def test_padding_and_missing_modalities_are_not_touched() -> None:
    model = Linear()
    target = right_rows(model)
    mask = torch.ones_like(target.batch["image"])
    mask[:, 3:] = 0
    seen = []

    def logits(batch: Mapping[str, Tensor]) -> Tensor:
        seen.append(batch["image"].detach() - target.batch["image"][batch["at"]])
        return model(batch)

    masked = replace(numbered(target), logits=logits, masks={"image": mask})
    noise = {"image": torch.randn_like(mask)}
    pgd(masked, Threat("image", {"image": 1.0}), 1.0, untargeted, noise=noise)
    assert max(float(one[:, 3:].abs().max()) for one in seen) == 0
    assert max(float(one[:, :3].abs().max()) for one in seen) > 0.1


def without_audio(target: Target, rows: int) -> Target:
    """Return the target with the audio of its first `rows` rows missing: zeros, and no change."""
    present = torch.ones(len(target), 1, dtype=torch.float64)
    present[:rows] = 0
    mask = present.expand_as(target.batch["audio"])
    batch = {**target.batch, "audio": target.batch["audio"] * present}
    return replace(target, batch=batch, masks={"audio": mask})


@pytest.mark.parametrize("attacked", [fgm, paper_pgd])
def test_a_joint_attack_spends_no_length_on_a_modality_that_is_missing(attacked: Attacked) -> None:
    """What is left is an attack on the picture alone, which has the whole radius."""
    model = Linear()
    target = without_audio(right_rows(model), ROWS)
    target = replace(target, labels=model(target.batch).argmax(dim=1))
    alone = Threat("image", {"image": 1.0})
    for radius in (0.3, 0.6, 1.0):
        assert torch.equal(attacked(target, JOINT, radius), attacked(target, alone, radius))
        found = [pgd(target, threat, radius, untargeted) for threat in (JOINT, alone)]
        assert torch.equal(found[0].lost, found[1].lost)
        torch.testing.assert_close(found[0].length, found[1].length)


def test_rows_that_lack_the_attacked_modality_are_not_counted_as_without_a_gradient() -> None:
    model = Linear()
    target = without_audio(right_rows(model), 20)
    curve = attack(target, AUDIO, [1.0])
    assert curve.signs["no gradient"] == 0
    assert torch.equal(curve.survived[0][:20], curve.clean[:20])
    even = Threat("split", {"image": 0.7, "audio": 0.7})
    assert attack(target, even, [1.0]).signs["no gradient"] == 0


def test_swapping_leaves_a_modality_that_is_missing_alone() -> None:
    model = Linear()
    target = without_audio(right_rows(model), 20)
    right = model(target.batch).argmax(dim=1) == target.labels
    assert torch.equal(by_swapping(target, "audio", 50.0)[:20], right[:20])
    assert not torch.equal(by_swapping(target, "audio", 50.0)[20:], right[20:])


def test_logits_that_are_not_finite_stop_the_suite() -> None:
    target = right_rows(Linear())
    broken = replace(target, logits=lambda b: Linear()(b) / (b["audio"][:, :1] * 0))
    with pytest.raises(DataError, match="not finite for 60 of 60"):
        attack(broken, AUDIO, [1.0])


@pytest.mark.parametrize("radii", [[], [0.0, 1.0], [-1.0]])
def test_radii_that_are_none_are_refused(radii: list[float]) -> None:
    with pytest.raises(ConfigError, match="expected at least one, all above 0"):
        attack(right_rows(Linear()), AUDIO, radii)


def test_a_huge_attack_leaves_nothing_and_swapping_never_beats_the_suite() -> None:
    model = Linear()
    target = right_rows(model)
    assert under_a_huge_attack(target, list(WIDTHS)) == 0
    swapped = by_swapping(target, "audio", 1.0)
    survived = attack(target, AUDIO, [1.0]).survived[0]
    assert not (survived & ~swapped).any()
    assert (swapped & ~survived).any()


def test_three_modalities_are_attacked_as_two_are() -> None:
    model = Linear({"image": 4, "audio": 3, "text": 5})
    target = model.target(12)
    target = replace(target, labels=model(target.batch).argmax(dim=1))
    names = [one.name for one in threats(list(model.rows))]
    assert names == ["image", "audio", "text", "joint", "split even"]
    for threat in threats(list(model.rows)):
        assert attack(target, threat, [20.0]).accuracy[0] < 0.5


def test_a_missing_modality_is_zeros_or_the_mean_row() -> None:
    model = Linear()
    target = right_rows(model)
    told = with_one_missing(target, "audio")
    logits = model({**target.batch, "audio": torch.zeros_like(target.batch["audio"])})
    assert torch.equal(told, logits.argmax(dim=1) == target.labels)
    mean = target.batch["audio"].mean(dim=0, keepdim=True).expand(ROWS, -1)
    filled = model({**target.batch, "audio": mean}).argmax(dim=1) == target.labels
    assert torch.equal(with_one_missing(target, "audio", "mean"), filled)
