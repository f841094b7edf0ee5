"""MFCPL against a slow one; what it learns from rows that lack modalities, and refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.methods.references import mfcpl
from tests.support.small_fusion import made, trained
from textcentric.errors import ConfigError, DataError
from textcentric.methods.fusion import Crmt, CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.encoders import Encoder, Mlp
from textcentric.methods.fusion.model import FusionModel, Output
from textcentric.methods.fusion.rivals.mfcpl import (
    Mfcpl,
    Prototypes,
    alignment,
    contrast,
    regularization,
)
from textcentric.rows import Record

CLASSES, WIDTH, ROWS = 4, 6, 12
NAMES = ("image", "audio", "text")
NONE = {"mfcpl_regularization": 0.0, "mfcpl_contrast": 0.0, "mfcpl_alignment": 0.0}


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def small(modalities: int = 2, **values: Any) -> tuple[FusionModel, Mfcpl]:
    torch.manual_seed(0)
    encoders: dict[str, Encoder] = {name: Mlp(5, WIDTH + at) for at, name in enumerate(NAMES)}
    used = dict(list(encoders.items())[:modalities])
    model = FusionModel(used, CLASSES, orthogonality="none", weights_start=None)
    config = CrmtConfig.of({"variant": "mfcpl", "mfcpl_width": 3, **values})
    objective = Mfcpl(model, config)
    objective.train()
    return model, objective


def read(model: FusionModel, present: Tensor, seed: int = 0) -> Output:
    inputs = {n: drawn(len(present), 5, seed=seed + at).float() for at, n in enumerate(model.names)}
    return model({**inputs, "present": present})  # type: ignore[no-any-return]


def lacking(modalities: int, seed: int) -> Tensor:
    """Return which modalities rows have (B, M): about a third have all."""
    generator = torch.Generator().manual_seed(seed)
    present = torch.ones(ROWS, modalities)
    gone = torch.randint(modalities, (ROWS,), generator=generator)
    some = torch.rand(ROWS, generator=generator) < 0.7
    present[some, gone[some]] = 0
    return present


def as_rows(objective: Mfcpl, told: Output) -> list[mfcpl.Row]:
    z = objective.projected(told).tolist()
    there = told.present.bool().tolist()
    names = list(told.features)
    return [
        {name: one[at] for at, name in enumerate(names) if has[at]}
        for one, has in zip(z, there, strict=True)
    ]


@pytest.mark.parametrize("modalities", [2, 3])
def test_losses_and_prototypes_are_those_of_loops(modalities: int) -> None:
    model, objective = small(modalities)
    prototypes: dict[int, list[float]] = {}
    for step in range(4):
        labels = torch.arange(ROWS) % (CLASSES - 1)  # the last class has no row at first
        labels[0] = CLASSES - 1 if step > 1 else 0
        present = lacking(modalities, seed=step)
        present[0] = 1
        present[0, 1] = 0  # and never a complete one
        told = read(model, present, seed=10 * step)
        losses = objective(told, labels).detach()
        rows = as_rows(objective, told)
        mfcpl.update(prototypes, rows, labels.tolist(), model.names, 0.9)
        plain = classification_loss(told.logits, labels).tolist()
        for place, (row, y) in enumerate(zip(rows, labels.tolist(), strict=True)):
            wanted = plain[place] + 0.1 * mfcpl.regularization(prototypes, row, y)
            wanted += 0.5 * mfcpl.contrast(prototypes, row, y, 0.5)
            wanted += 0.1 * mfcpl.alignment(row, model.names)
            assert float(losses[place]) == pytest.approx(wanted, abs=1e-5)
        assert objective.seen.nonzero()[:, 0].tolist() == sorted(prototypes)
        for y, prototype in prototypes.items():
            assert objective.prototypes[y].tolist() == pytest.approx(prototype, abs=1e-6)
    assert not bool(objective.seen[-1])


def test_exact_values_of_each_term() -> None:
    z = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])  # one row of two modalities
    known = Prototypes(torch.tensor([[2.0, 0.0], [0.0, 3.0]]), torch.tensor([True, True]))
    both, first, label = torch.ones(1, 2), torch.tensor([[1.0, 0.0]]), torch.tensor([0])
    assert regularization(z, both, label, known).tolist() == [(0.5 + 2.5) / 2]
    assert regularization(z, first, label, known).tolist() == [0.5]
    near, far = torch.tensor([2.0, 0.0]).log_softmax(0)  # cosines 1 and 0 over 0.5
    assert float(contrast(z, both, label, known, 0.5)) == pytest.approx(-float(near + far))
    assert float(contrast(z, first, label, known, 0.5)) == pytest.approx(-float(near))
    assert alignment(z, both).tolist() == [1.0]
    assert alignment(z, first).tolist() == [0.0]
    unseen = Prototypes(known.prototypes, torch.tensor([True, False]))
    assert contrast(z, both, label, unseen, 0.5).tolist() == [0.0]  # the only class there is
    for term in (
        regularization(z, both, 1 - label, unseen),
        contrast(z, both, 1 - label, unseen, 1),
    ):
        assert term.tolist() == [0.0]


def test_gradients_are_those_of_finite_differences_and_reach_no_absent_modality() -> None:
    z = drawn(5, 3, 4).requires_grad_()
    present = torch.ones(5, 3, dtype=torch.float64)
    present[0, 0] = present[1, 2] = 0
    labels = torch.tensor([0, 1, 2, 3, 0])
    known = Prototypes(drawn(4, 4, seed=1), torch.tensor([True, True, True, False]))

    def total(one: Tensor) -> Tensor:
        return (
            regularization(one, present, labels, known)
            + contrast(one, present, labels, known, 0.5)
            + alignment(one, present)
        )

    assert torch.autograd.gradcheck(total, z)
    (gradient,) = torch.autograd.grad(total(z).sum(), z)
    assert gradient[0, 0].tolist() == gradient[1, 2].tolist() == [0.0] * 4


def test_nothing_seen_or_nothing_there_gives_finite_gradients() -> None:
    for present in (torch.zeros(ROWS, 2), torch.tensor([[1.0, 0.0]] * ROWS)):
        model, objective = small()
        told = read(model, present)
        losses = objective(told, torch.arange(ROWS) % CLASSES)
        plain = classification_loss(told.logits, torch.arange(ROWS) % CLASSES)
        assert torch.equal(losses, plain)
        losses.sum().backward()
        assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in objective.parameters())


def test_prototypes_move_in_training_alone_and_are_given_from_one_model_to_another() -> None:
    model, objective = small()
    told, labels = read(model, torch.ones(ROWS, 2)), torch.arange(ROWS) % CLASSES
    objective.eval()
    objective(told, labels)
    assert not bool(objective.seen.any())
    objective.train()
    objective(told, labels)
    kept = objective.class_prototypes()
    objective(read(model, torch.ones(ROWS, 2), seed=5), labels)
    assert not torch.equal(kept.prototypes, objective.prototypes)
    model, other = small()
    part = read(model, torch.tensor([[1.0, 0.0]] * ROWS))
    alone = other(part, labels)
    other.set_prototypes(kept)
    assert torch.equal(other.prototypes, kept.prototypes)
    assert bool((other(part, labels) > alone).all()), "a client of one modality is pulled to them"
    assert torch.equal(other.prototypes, kept.prototypes), "and moves them nowhere"
    with pytest.raises(ConfigError, match=r"shape \(4, 3\).*this model's of \(4, 5\)"):
        small(mfcpl_width=5)[1].set_prototypes(kept)


def test_without_weights_it_is_joint_training_bit_for_bit(folder: Path, tmp_path: Path) -> None:
    plain, rows = made(folder, variant="jt")
    method, _ = made(folder, variant="mfcpl", **NONE)
    some = partial_rows(rows)
    trained(plain, some, tmp_path / "plain", num_train_epochs=2)
    trained(method, some, tmp_path / "prototypes", num_train_epochs=2)
    ours, theirs = method.fusion.state_dict(), plain.fusion.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert ours.keys() == theirs.keys(), "what is only trained with is not kept"


def partial_rows(rows: list[Record]) -> list[Record]:
    """Return the rows, of which every fourth lacks its sound, and of class low every one."""
    return [
        replace(row, inputs={"image": row.inputs["image"]})
        if at % 4 == 1 or row.target == "low"
        else row
        for at, row in enumerate(rows)
    ]


def test_a_class_without_complete_rows_is_learnt_all_the_same(folder: Path, tmp_path: Path) -> None:
    method, rows = made(folder, variant="mfcpl")
    some = partial_rows(rows)
    trained(method, some, tmp_path / "m")
    objective = method.model.objective
    assert isinstance(objective, Mfcpl)
    seen = dict(zip(method.classes, objective.seen.tolist(), strict=True))
    assert seen == {"high": True, "low": False, "middle": True}
    right = method.logits(some).argmax(dim=1) == method.labels(some)
    assert float(right.double().mean()) > 0.9


def test_where_no_row_is_complete_it_is_refused_with_what_there_is(folder: Path) -> None:
    method, rows = made(folder, variant="jt")
    kinds = ("image", "audio")
    halves = [
        replace(row, inputs={kinds[at % 2]: row.inputs[kinds[at % 2]]})
        for at, row in enumerate(rows)
    ]
    config = method.config.model_copy(update={"variant": "mfcpl"})
    with pytest.raises(DataError, match=r"none of 24 training rows .*image: 12, audio: 12\)"):
        Crmt(config, halves, folder)
    with pytest.raises(ConfigError, match="modality_dropout=1 leaves one of each row"):
        made(folder, variant="mfcpl", modality_dropout=1.0)
    with pytest.raises(ConfigError, match="needs 2 modalities"):
        made(folder, "image", variant="mfcpl")
