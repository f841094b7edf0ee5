"""UmURL's regularisation against loops, its gradient, and collapse without its variances."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.methods.references import umurl as reference
from tests.support.small_clips import clips
from tests.support.small_fusion import made, rows_of, trained
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.encoders import Mlp
from textcentric.methods.fusion.model import FusionModel
from textcentric.methods.fusion.rivals import umurl
from textcentric.methods.fusion.rivals.umurl import Umurl, from_centre, spread_out

ROWS, WIDTH = 7, 4


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def objective() -> Umurl:
    torch.manual_seed(0)
    encoders = {name: Mlp(WIDTH, WIDTH) for name in ("image", "table")}
    fusion = FusionModel(encoders, 3, orthogonality="none", weights_start=None)
    config = CrmtConfig.of({"variant": "umurl", "width": WIDTH, "umurl_width": 6})
    return Umurl(fusion, config).double()


def test_variance_and_covariance_are_those_of_the_loops() -> None:
    projected = drawn(9, 5)
    expected = reference.variance_and_covariance(projected.tolist())
    assert float(spread_out(projected)) == pytest.approx(expected, abs=1e-9)


def test_features_that_say_nothing_cost_most() -> None:
    assert float(spread_out(torch.ones(8, 3))) == pytest.approx(5 * (1 - 0.01), abs=1e-3)


def test_complete_rows_lose_what_the_loops_say() -> None:
    module, features = objective(), drawn(ROWS, 2, WIDTH)
    alone, together = [], []
    for at, projector in enumerate(module.projectors):
        alone.append(projector(module.body(features[:, at])).tolist())
        together.append(projector(module.body(features.mean(dim=1))).tolist())
    expected = reference.loss_of_complete_rows(alone, together)
    told = module.regularisation(features, torch.ones(ROWS, 2, dtype=torch.float64))
    assert told.tolist() == pytest.approx(expected, abs=1e-9)


def test_a_row_with_one_modality_is_its_own_centre() -> None:
    present = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    alone = {0: drawn(3, 5), 1: drawn(2, 5, seed=1)}
    told = from_centre(alone, present)
    assert told[1] == 0
    pair = alone[0][2], alone[1][1]
    assert float(told[2]) == pytest.approx(float(((pair[0] - pair[1]) / 2).square().mean() * 2))


def test_its_gradient_is_that_of_differences() -> None:
    module = objective()
    present = torch.tensor([[1.0, 1.0]] * 4 + [[1.0, 0.0]] * 2, dtype=torch.float64)
    features = drawn(6, 2, WIDTH).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: module.regularisation(one, present), (features,))


def test_without_the_variances_projections_collapse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The consistency alone is least where all rows say the same: its trap, and what cures it."""
    features, present = drawn(64, 2, WIDTH), torch.ones(64, 2, dtype=torch.float64)
    spread = {}
    for cured in (True, False):
        if not cured:
            monkeypatch.setattr(umurl, "spread_out", lambda projected: projected.sum() * 0)
        module = objective()
        optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
        for _ in range(60):
            loss = module.regularisation(features, present).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        projected = module.projectors[0](module.body(features[:, 0])).detach()
        spread[cured] = float(projected.std(dim=0).mean())
    assert spread[True] > 0.5 > 5 * spread[False]


def test_fewer_than_two_rows_of_a_modality_leave_it_out() -> None:
    module, features = objective(), drawn(3, 2, WIDTH)
    present = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    changed = features.clone()
    changed[2, 1] += 5  # the only sound: it counts in the mean of its row, and has no projection
    one, other = (module.regularisation(f, present).detach() for f in (features, changed))
    assert torch.isfinite(other).all()
    assert float(one[0]) != float(other[0])  # by the batch's variances of the fused features
    assert module.regularisation(features[:1], present[:1]).tolist() == [0.0]


def test_rows_without_a_class_are_learnt_from(tmp_path: Path) -> None:
    clips(tmp_path)
    method, rows = made(tmp_path, variant="umurl", umurl_width=8)
    known = [row for row in rows if int(row.id.removeprefix("train")) < 12]
    without = [replace(row, target=None) for row in rows if row not in known]
    method = type(method)(method.config, [*known, *without], tmp_path)
    before = {n: v.clone() for n, v in method.fusion.state_dict().items()}
    result = trained(method, [*known, *without], tmp_path / "m", num_train_epochs=1)
    assert result.step == 2
    moved = [n for n, v in method.fusion.state_dict().items() if not torch.equal(v, before[n])]
    assert any(name.startswith("encoders.audio") for name in moved)
    held = rows_of(tmp_path, "image", "audio", split="validation")
    assert method.evaluate(held, 24)["accuracy"] >= 0
