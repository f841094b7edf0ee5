"""CRMT's formulas against slow and obvious ones, and what they promise against attacks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product

import pytest
import torch
from torch import Tensor

from tests.methods.references import crmt
from textcentric.errors import ConfigError
from textcentric.methods.fusion.crmt.objective import hinge_loss, margin_loss, mixed
from textcentric.methods.fusion.crmt.orthogonal import own, rownorm
from textcentric.methods.fusion.crmt.radius import (
    Head,
    gradient_norms,
    lipschitz,
    radii,
    radius,
    released_lipschitz,
)
from textcentric.methods.fusion.crmt.step_two import Cached, step_two
from textcentric.methods.fusion.rivals.mcr import divergence, importance

ROWS, MODALITIES, CLASSES = 40, 3, 5


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(rows: int = ROWS, classes: int = CLASSES) -> Tensor:
    return torch.arange(rows) % classes


def head(seed: int = 1) -> Head:
    return Head(drawn(MODALITIES, CLASSES, seed=seed), drawn(CLASSES, seed=seed + 1))


def test_own_gives_orthonormal_rows_that_sum_to_zero() -> None:
    rows = own(drawn(5, 9))
    torch.testing.assert_close(rows @ rows.T, torch.eye(5, dtype=torch.float64))
    torch.testing.assert_close(rows.sum(dim=1), torch.zeros(5, dtype=torch.float64))


def test_own_is_the_inverse_root_of_the_gram_matrix_times_the_centred_rows() -> None:
    rows = drawn(4, 7)
    slow = torch.tensor(crmt.orthogonal(rows.tolist()), dtype=torch.float64)
    torch.testing.assert_close(own(rows), slow, atol=1e-6, rtol=0)


def test_own_has_a_gradient_where_eigenvalues_repeat() -> None:
    start = own(drawn(3, 6)).requires_grad_()
    assert torch.autograd.gradcheck(own, (start,))
    assert torch.autograd.gradcheck(own, (drawn(3, 6, seed=3).requires_grad_(),))


def test_rownorm_gives_centred_rows_of_unit_length_that_are_not_orthogonal() -> None:
    rows = rownorm(drawn(4, 6))
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(rows.sum(dim=1), torch.zeros(4, dtype=torch.float64))
    assert (rows @ rows.T - torch.eye(4)).abs().max() > 0.05


def test_more_classes_than_orthogonal_rows_can_be_are_refused() -> None:
    assert own(drawn(5, 6)).shape == (5, 6)
    with pytest.raises(
        ConfigError, match="6 classes do not fit into features of width 6, which hold 5"
    ):
        own(drawn(6, 6))


def test_equal_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="two classes have the same weights"):
        own(torch.ones(2, 5))


@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.3])
def test_margin_loss_is_the_sum_written_out_and_lies_in_its_bracket(eps: float) -> None:
    scores, known = drawn(ROWS, MODALITIES, CLASSES), labels()
    told = margin_loss(scores, known, eps)
    for row, label in enumerate(known.tolist()):
        slow = crmt.margin_loss(scores[row].tolist(), label, eps)
        assert float(told[row]) == pytest.approx(slow, abs=1e-6)
        gaps = scores[row] - scores[row, :, label, None]
        gaps[:, label] = -math.inf
        low = float(gaps.max())
        high = low + math.log(MODALITIES * (CLASSES - 1))
        if eps:
            low, high = (
                float(torch.logaddexp(torch.tensor(x), torch.tensor(math.log(eps))))
                for x in (low, high)
            )
        assert low - 1e-6 <= float(told[row]) <= high + 1e-6


def test_margin_loss_saturates_at_the_logarithm_of_eps() -> None:
    scores = torch.zeros(1, 2, 3)
    scores[..., 0] = 80.0
    assert float(margin_loss(scores, torch.tensor([0]), 1e-5)) == pytest.approx(math.log(1e-5))
    assert float(margin_loss(scores, torch.tensor([0]), 0.0)) == pytest.approx(-80 + math.log(4))


def test_losses_have_the_gradients_of_their_formulas() -> None:
    scores, known = drawn(6, 2, 4).requires_grad_(), labels(6, 4)
    assert torch.autograd.gradcheck(lambda s: margin_loss(s, known), (scores,))
    assert torch.autograd.gradcheck(lambda s: hinge_loss(s, known), (scores,))


def test_hinge_loss_is_the_sum_over_modalities_written_out() -> None:
    scores = torch.tensor([[[2.0, 0.5, 1.5], [0.0, 1.0, -1.0]]])
    assert hinge_loss(scores, torch.tensor([0])).tolist() == [0.5 + 2.0]
    many, known = drawn(ROWS, MODALITIES, CLASSES), labels()
    slow = [crmt.hinge_loss(*one) for one in zip(many.tolist(), known.tolist(), strict=True)]
    assert hinge_loss(many, known).tolist() == pytest.approx(slow, abs=1e-6)


def test_mixed_losses_weigh_both_labels_and_hold_for_two_classes() -> None:
    scores, share = drawn(4, 2, 2), torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64)
    first, second = torch.tensor([0, 0, 1, 1]), torch.tensor([1, 1, 0, 1])
    told = mixed(margin_loss(scores, first), margin_loss(scores, second), share)
    assert torch.isfinite(told).all()
    assert float(told[0]) == float(margin_loss(scores, second)[0])
    assert float(told[3]) == float(margin_loss(scores, first)[3])


def test_the_radius_is_its_formula_written_out() -> None:
    scores, known, made, tau = (
        drawn(ROWS, MODALITIES, CLASSES),
        labels(),
        head(),
        drawn(MODALITIES, CLASSES, seed=5).abs(),
    )
    told, towards = radius(scores, made, tau, known), radii(scores, made, tau, known)
    single = radius(scores, made, tau, known, modality=1)
    weights, bias = (one.tolist() for one in made)
    for row, y in enumerate(known.tolist()):
        given = scores[row].tolist(), weights, bias, tau.tolist(), y
        assert float(told[row]) == pytest.approx(crmt.bound(*given, None), abs=1e-6)
        assert float(single[row]) == pytest.approx(crmt.bound(*given, 1), abs=1e-6)
        assert float(towards[row].min()) == pytest.approx(float(told[row]))


def test_the_radius_towards_the_runner_up_is_never_smaller_than_the_minimum() -> None:
    scores, known, made, tau = (
        drawn(ROWS, MODALITIES, CLASSES),
        labels(),
        head(),
        drawn(MODALITIES, CLASSES, seed=5).abs(),
    )
    least, second = (radius(scores, made, tau, known, over=o) for o in ("minimum", "runner-up"))
    assert (second >= least - 1e-12).all()
    assert (second > least + 1e-6).any()


def test_the_radius_is_positive_exactly_where_the_prediction_is_right() -> None:
    scores, known, made = drawn(ROWS, MODALITIES, CLASSES), labels(), head()
    right = made.logits(scores).argmax(dim=1) == known
    told = radius(scores, made, torch.ones(MODALITIES, CLASSES, dtype=torch.float64), known)
    assert right.any()
    assert not right.all()
    assert torch.equal(told > 0, right)


def test_the_radius_has_the_gradient_of_its_formula() -> None:
    scores, known, tau = (
        drawn(7, MODALITIES, CLASSES),
        labels(7),
        drawn(MODALITIES, CLASSES, seed=5).abs(),
    )
    weights, bias = (one.requires_grad_() for one in head())
    assert torch.autograd.gradcheck(
        lambda w, b: radius(scores, Head(w, b), tau, known), (weights, bias)
    )


def test_negative_weights_do_not_break_the_bound() -> None:
    """With signed weights in the denominator the two terms would cancel to nothing."""
    made = Head(torch.tensor([[1.0, -1.0]]), torch.zeros(2))
    told = radius(torch.tensor([[[1.0, 0.5]]]), made, torch.ones(1, 2), torch.tensor([0]))
    assert told.tolist() == [0.75]


def test_a_radius_without_slope_is_infinite_or_0_and_never_nan() -> None:
    """Logits that no change of the attacked modality moves stay as they are: rows 0 to 2."""
    made = Head(torch.ones(2, 2), torch.zeros(2))
    scores = torch.zeros(4, 2, 2)
    scores[:, 0] = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    tau, known = torch.tensor([[2.0, 1.0], [0.0, 0.0]]), torch.zeros(4, dtype=torch.long)
    told = radius(scores, made, tau, known, modality=1)
    assert told.tolist() == [math.inf, 0.0, -math.inf, math.inf]
    last = torch.ones(4, dtype=torch.long)
    assert radius(scores, made, tau, last, modality=1).tolist() == [-one for one in told.tolist()]
    assert radius(scores, made, tau, known).tolist() == pytest.approx([1 / 3, 0, -1 / 3, 1 / 3])
    one_moves = torch.tensor([[2.0, 1.0], [0.0, 0.5]])
    assert radius(scores, made, one_moves, known, modality=1).tolist() == [2.0, 0.0, -2.0, 2.0]


def test_a_radius_without_slope_has_no_nan_in_its_gradient() -> None:
    scores, known = drawn(5, 2, 3), labels(5, 3)
    weights = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    made = Head(weights, torch.zeros(3, dtype=torch.float64))
    tau = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]], dtype=torch.float64)
    told = radius(scores, made, tau, known)
    finite = told[told.isfinite()]
    assert 0 < len(finite) < 5
    (gradient,) = torch.autograd.grad(finite.sum(), weights)
    assert bool(gradient.isfinite().all())
    assert gradient.abs().sum() > 0


def test_the_second_step_changes_nothing_where_nothing_moves_the_logits() -> None:
    rows, made, tau = step_two_rows()
    found = step_two(rows, made, torch.zeros_like(tau), steps=3)
    assert torch.equal(found.weights, made.weights)
    assert (found.steps, found.before, found.after) == (0, math.inf, math.inf)
    some = tau.clone()
    some[:, :3] = 0
    moved = step_two(rows, made, some, steps=20)
    assert math.inf > moved.after > moved.before
    assert bool(moved.weights.isfinite().all())


class Linear:
    """Linear encoders: tau is exact, so the radius is a certificate."""

    def __init__(self, widths: tuple[int, ...] = (4, 6), classes: int = CLASSES):
        self.names = tuple(f"m{at}" for at in range(len(widths)))
        self.rows = [drawn(classes, width, seed=10 + at) for at, width in enumerate(widths)]

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([batch[n] @ r.T for n, r in zip(self.names, self.rows, strict=True)], 1)

    def batch(self, rows: int, seed: int = 0) -> dict[str, Tensor]:
        return {
            n: drawn(rows, r.shape[1], seed=seed + 20 + at)
            for at, (n, r) in enumerate(zip(self.names, self.rows, strict=True))
        }


def test_tau_of_linear_encoders_is_the_length_of_their_rows() -> None:
    model = Linear()
    tau = lipschitz(model, [model.batch(3), model.batch(2, seed=1)], model.names)
    torch.testing.assert_close(tau, torch.stack([rows.norm(dim=1) for rows in model.rows]))


def test_gradients_of_each_row_class_and_modality_are_those_taken_one_by_one() -> None:
    def scores(batch: Mapping[str, Tensor]) -> Tensor:
        return torch.stack(
            [torch.tanh(batch["a"]) @ drawn(3, 2), (batch["b"] ** 2) @ drawn(4, 2)], 1
        )

    batch = {"a": drawn(5, 3, seed=4), "b": drawn(5, 4, seed=5)}
    norms = gradient_norms(scores, batch, ("a", "b"))
    for row, m, k in product(range(5), range(2), range(2)):
        inputs = {n: v[row : row + 1].clone().requires_grad_() for n, v in batch.items()}
        (gradient,) = torch.autograd.grad(scores(inputs)[0, m, k], inputs["ab"[m]])
        assert float(norms[row, m, k]) == pytest.approx(float(gradient.norm()))


def test_tau_is_the_largest_gradient_of_any_row_by_differences() -> None:
    names, widths = ("a", "b"), (3, 4)
    maps = [drawn(CLASSES, width, seed=at) for at, width in enumerate(widths)]

    def scores(batch: Mapping[str, Tensor]) -> Tensor:
        return torch.stack(
            [torch.tanh(batch[n] @ w.T) for n, w in zip(names, maps, strict=True)], 1
        )

    batches = [
        {n: drawn(rows, w, seed=7 + rows) for n, w in zip(names, widths, strict=True)}
        for rows in (3, 2)
    ]
    told = lipschitz(scores, batches, names)
    for at, name in enumerate(names):

        def alone(x: list[float], w: Tensor = maps[at]) -> list[float]:
            found: list[float] = torch.tanh(w @ torch.tensor(x, dtype=torch.float64)).tolist()
            return found

        slow = crmt.lipschitz(alone, torch.cat([one[name] for one in batches]).tolist())
        assert told[at].tolist() == pytest.approx(slow, abs=1e-6)


def test_one_backward_a_class_serves_all_modalities() -> None:
    model, backwards = Linear((3, 3, 3)), []

    def scores(batch: Mapping[str, Tensor]) -> Tensor:
        told = model(batch)
        told.register_hook(lambda gradient: backwards.append(1))
        return told

    lipschitz(scores, [model.batch(4)], model.names)
    assert len(backwards) == CLASSES


def test_the_released_tau_is_of_logits_zero_for_the_first_modality_and_runs_over_classes() -> None:
    model = Linear()
    made = Head(drawn(2, CLASSES, seed=7), torch.zeros(CLASSES, dtype=torch.float64))
    tau = released_lipschitz(model, made, [model.batch(3)], model.names)
    assert tau[0].tolist() == [0.0] * CLASSES
    running = (made.weights[1][:, None] * model.rows[1]).cumsum(dim=0)
    torch.testing.assert_close(tau[1], running.norm(dim=1))


@pytest.mark.parametrize("modality", [None, 0, 1])
def test_no_change_within_the_radius_flips_a_row_and_the_worst_one_needs_no_more_than_twice(
    modality: int | None,
) -> None:
    """The worst change of a linear model is known: towards class k along the rows' difference."""
    model, rows = Linear(), 300
    batch, known = model.batch(rows), labels(rows)
    made = Head(drawn(2, CLASSES, seed=3).abs(), 0.1 * drawn(CLASSES, seed=4))
    tau = lipschitz(model, [batch], model.names)
    logits = made.logits(model(batch))
    told = radius(model(batch), made, tau, known, modality=modality)
    right = logits.argmax(dim=1) == known
    flipped_below = 0
    for k in range(CLASSES):
        ways = [
            made.weights[m, k] * model.rows[m][k]
            - made.weights[m, known][:, None] * model.rows[m][known]
            for m in range(2)
        ]
        if modality is not None:
            ways = [way if m == modality else torch.zeros_like(way) for m, way in enumerate(ways)]
        length = torch.cat(ways, dim=1).norm(dim=1).clamp(min=1e-12)
        for share in (0.99, 3.0):
            moved = {
                n: batch[n] + way * (share * told.clamp(min=0) / length)[:, None]
                for n, way in zip(model.names, ways, strict=True)
            }
            after = made.logits(model(moved)).argmax(dim=1)
            if share < 1:
                assert (after[right] == known[right]).all()
            else:
                flipped_below += int((after[right] != known[right]).sum())
    assert flipped_below > 0


def step_two_rows() -> tuple[Cached, Head, Tensor]:
    known = labels(200)
    scores = 0.5 * drawn(200, 2, CLASSES)
    scores[torch.arange(200), :, known] += torch.tensor([2.0, 1.0], dtype=torch.float64)
    made = Head(
        torch.full((2, CLASSES), 0.1, dtype=torch.float64),
        torch.zeros(CLASSES, dtype=torch.float64),
    )
    return (
        Cached(scores, known),
        made,
        torch.stack([torch.full((CLASSES,), 3.0), torch.full((CLASSES,), 0.5)]).double(),
    )


def test_the_second_step_raises_the_mean_radius_and_shifts_weight_to_the_steadier_modality() -> (
    None
):
    rows, made, tau = step_two_rows()
    before = made.weights.clone()
    found = step_two(rows, made, tau, held_out=rows, steps=100)
    assert found.before == pytest.approx(float(radius(rows.scores, made, tau, rows.labels).mean()))
    now = Head(found.weights, made.bias)
    assert found.after == pytest.approx(float(radius(rows.scores, now, tau, rows.labels).mean()))
    assert found.after > found.before
    assert (found.weights[1] / found.weights[0]).mean() > 1.5
    assert torch.equal(made.weights, before)


def test_the_second_step_is_adam_up_the_mean_bound() -> None:
    rows, made, tau = step_two_rows()
    few = Cached(rows.scores[:6], rows.labels[:6])
    weights, bias = (one.tolist() for one in made)
    told = step_two(few, made, tau, steps=3, learning_rate=0.05)
    slow, mean = crmt.second_step(
        few.scores.tolist(), few.labels.tolist(), weights, bias, tau.tolist(), 3, 0.05
    )
    assert told.steps == 3
    assert told.after == pytest.approx(mean, abs=1e-6)
    for one, other in zip(told.weights.tolist(), slow, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_the_second_step_never_loses_a_point_of_held_out_accuracy() -> None:
    rows, made, tau = step_two_rows()
    held_out = Cached(rows.scores * torch.tensor([1.0, -1.0])[None, :, None], rows.labels)

    def right(weights: Tensor) -> float:
        logits = Head(weights, made.bias).logits(held_out.scores)
        return float((logits.argmax(dim=1) == rows.labels).double().mean())

    free = step_two(rows, made, tau, steps=100)
    guarded = step_two(rows, made, tau, held_out=held_out, steps=100)
    assert right(free.weights) < right(made.weights) - 0.01
    assert right(guarded.weights) > right(made.weights) - 0.01
    assert guarded.before <= guarded.after < free.after


def test_divergence_is_that_of_jensen_and_shannon() -> None:
    one, other = torch.tensor([0.9, 0.1]), torch.tensor([0.2, 0.8])
    middle = (one + other) / 2
    slow = 0.5 * (one * (one / middle).log()).sum() + 0.5 * (other * (other / middle).log()).sum()
    assert float(divergence(one.log(), other.log())) == pytest.approx(float(slow))


def test_a_modality_that_says_nothing_has_no_importance() -> None:
    scores = [torch.zeros(4, 3), drawn(4, 3).float()]
    orders = torch.stack([torch.tensor([1, 2, 3, 0])])
    bias = torch.zeros(3)
    assert importance(scores, 0, bias, orders).abs().max() < 1e-6
    assert importance(scores, 1, bias, orders).min() > 0
