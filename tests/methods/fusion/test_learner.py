"""What training inputs are: attacked by the loss that was chosen, where something is there."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.methods.references import mixup
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.crmt.objective import classification_loss
from textcentric.methods.fusion.encoders import Mlp
from textcentric.methods.fusion.learner import Learner, Objective
from textcentric.methods.fusion.model import FusionModel

CLASSES, ROWS = 3, 6
SIZES = {"image": 4, "audio": 5}


def learner(**values: Any) -> Learner:
    torch.manual_seed(0)
    config = CrmtConfig.of({"variant": "crmt-at", "attack_radius": 0.5, **values})
    model = FusionModel({name: Mlp(size, 8) for name, size in SIZES.items()}, CLASSES)
    return Learner(model, Objective(config), config, {}).train()


def batch(present: Tensor | None = None) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    found = {n: torch.randn(ROWS, size, generator=generator) for n, size in SIZES.items()}
    found["present"] = torch.ones(ROWS, 2) if present is None else present
    return found | {"labels": torch.arange(ROWS) % CLASSES}


def moves(made: Learner, rows: dict[str, Tensor]) -> dict[str, Tensor]:
    opened = made.fusion.opened(rows)
    attacked = made._attacked(opened, rows["labels"])
    return {name: (attacked[name] - opened[name]).detach() for name in SIZES}


def climbed_in_loops(made: Learner, rows: dict[str, Tensor]) -> list[list[Tensor]]:
    """Return, row by row, five steps of a fifth of the radius along the joint gradient of CE."""
    told = []
    for row in range(ROWS):
        one = {name: value[row : row + 1] for name, value in rows.items()}
        deltas = [torch.zeros_like(one[name]) for name in SIZES]
        for _ in range(5):
            moved = [(one[n] + d).requires_grad_() for n, d in zip(SIZES, deltas, strict=True)]
            logits = made.fusion({**one, **dict(zip(SIZES, moved, strict=True))}).logits
            found = torch.autograd.grad(classification_loss(logits, one["labels"]).sum(), moved)
            length = torch.cat([g.flatten() for g in found]).norm()
            deltas = [d + 0.1 * g / length for d, g in zip(deltas, found, strict=True)]
        told.append(deltas)
    return told


def test_mixed_inputs_have_the_loss_of_mixup_written_out() -> None:
    made, rows = learner(variant="mixup"), batch()
    rows["labels"] = torch.tensor([0, 1, 2, 1, 2, 0])
    share = torch.tensor([0.0, 0.3, 0.9])
    told = made({**rows, "share": share}).detach()

    def logits(row: mixup.Row) -> list[float]:
        one = {name: torch.tensor([values]) for name, values in row.items()}
        found: list[float] = made.fusion({**one, "present": torch.ones(1, 2)}).logits[0].tolist()
        return found

    for at, part in enumerate(share.tolist()):
        pair = [{n: rows[n][place].tolist() for n in SIZES} for place in (at, at + 3)]
        known = int(rows["labels"][at]), int(rows["labels"][at + 3])
        slow = mixup.loss(logits, pair[0], pair[1], known, part)
        assert float(told[at]) == pytest.approx(slow, abs=1e-6)


def test_training_attacks_climb_cross_entropy_alone_as_the_released_trainer_does() -> None:
    made, rows = learner(), batch()
    found = moves(made, rows)
    for row, deltas in enumerate(climbed_in_loops(made, rows)):
        for name, delta in zip(SIZES, deltas, strict=True):
            torch.testing.assert_close(found[name][row : row + 1], delta, atol=1e-6, rtol=1e-5)
    lengths = torch.cat([one.flatten(1) for one in found.values()], dim=1).norm(dim=1)
    assert lengths.max() <= 0.5 + 1e-6


def test_training_attacks_can_climb_the_whole_objective() -> None:
    rows = batch()
    alone, whole = (moves(learner(attack_loss=of), rows) for of in ("cross-entropy", "objective"))
    assert (alone["image"] - whole["image"]).abs().max() > 1e-3
    plain = {"rho": 0.0}
    alone, whole = (
        moves(learner(attack_loss=of, **plain), rows) for of in ("cross-entropy", "objective")
    )
    torch.testing.assert_close(alone, whole)


@pytest.mark.parametrize("boxed", [False, True])
def test_training_attacks_leave_a_modality_that_is_not_there_alone(boxed: bool) -> None:
    present = torch.ones(ROWS, 2)
    present[:3, 1] = 0
    made, rows = learner(), batch(present)
    if boxed:  # of which zeros, in the place of the absent, are outside
        made.boxes = {"audio": (torch.tensor(1.0), torch.tensor(2.0))}
    found = moves(made, rows)
    assert found["audio"][:3].abs().max() == 0
    lengths = found["image"][:3].norm(dim=1)
    assert (lengths > 0.4).all(), "the whole radius goes into what is there"
    assert (found["audio"][3:].abs().amax(dim=1) > 0).all()
