"""Training rows read without some of their modalities: which, when, and as if they had none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor

from tests.support.small_fusion import made
from tests.support.tiny_models import tiny_model
from textcentric.errors import ConfigError
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.inputs import left_out
from textcentric.rows import Record

NAMES = ("image", "audio", "text")


def collated(method: Crmt, rows: list[Record], epoch: int = 0) -> dict[str, Tensor]:
    method.model.train()
    return method.collate(rows, epoch)


def test_never_all_of_a_row_and_each_with_the_chance_given() -> None:
    rng = Random(0)
    assert left_out(NAMES, 0.0, rng) == set()
    assert left_out((), 1.0, rng) == left_out(("image",), 1.0, rng) == set()
    assert {len(left_out(NAMES, 1.0, rng)) for _ in range(50)} == {2}
    drawn = [left_out(("image", "audio"), 0.4, rng) for _ in range(20_000)]
    share = sum("audio" in one for one in drawn) / len(drawn)
    assert share == pytest.approx(0.4 - 0.4**2 / 2, abs=0.01)  # of both gone one is kept


def test_it_is_as_if_the_row_had_no_such_modality(folder: Path, tmp_path: Path) -> None:
    encoders = {"image": "conv", "audio": "conv", "text": tiny_model(tmp_path / "bert")}
    method, rows = made(folder, *NAMES, variant="jt", encoders=encoders, modality_dropout=0.5)
    batch = collated(method, rows)
    there = [{n for n, one in zip(NAMES, row, strict=True) if one} for row in batch["present"]]
    assert {len(one) for one in there} == {1, 2, 3}
    lacking = [
        replace(row, inputs={name: row.inputs[name] for name in NAMES if name in one})
        for row, one in zip(rows, there, strict=True)
    ]
    plain, _ = made(folder, *NAMES, variant="jt", encoders=encoders)
    wanted = collated(plain, lacking)
    assert batch.keys() == wanted.keys()
    assert all(torch.equal(batch[name], wanted[name]) for name in batch)
    assert batch["audio"][batch["present"][:, 1] == 0].abs().sum() == 0


def test_it_depends_on_seed_epoch_and_row_alone(folder: Path) -> None:
    method, rows = made(folder, variant="jt", modality_dropout=0.5)
    whole = collated(method, rows)["present"]
    parts = [collated(method, [row])["present"] for row in reversed(rows)]
    assert torch.equal(torch.cat(parts[::-1]), whole)
    assert not torch.equal(collated(method, rows, epoch=1)["present"], whole)
    other, _ = made(folder, variant="jt", modality_dropout=0.5, seed=1)
    assert not torch.equal(collated(other, rows)["present"], whole)


def test_mixed_rows_and_their_partners_lack_some(folder: Path) -> None:
    method, rows = made(folder, variant="mixup", modality_dropout=1.0)
    batch = collated(method, rows)
    assert len(batch["present"]) == 2 * len(rows)
    assert batch["present"].sum(dim=1).tolist() == [1.0] * len(batch["present"])
    assert bool(method.loss(method.model, batch).isfinite().all())


def test_nothing_is_left_out_of_rows_that_are_not_trained_on(folder: Path) -> None:
    method, rows = made(folder, variant="jt", modality_dropout=1.0)
    plain, _ = made(folder, variant="jt")
    assert torch.equal(method.logits(rows), plain.logits(rows))
    method.model.eval()
    assert bool(method.collate(rows, 0)["present"].all())


def test_where_there_is_one_modality_it_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"modality_dropout=0\.3 .* rows have image alone"):
        made(folder, "image", variant="jt", modality_dropout=0.3)
    with pytest.raises(ConfigError, match="modality_dropout"):
        made(folder, variant="jt", modality_dropout=1.5)


def test_trainings_made_before_are_the_same_ones(folder: Path) -> None:
    method, _ = made(folder, variant="jt")
    assert "modality_dropout" not in str(method.fingerprint())
    dropping, _ = made(folder, variant="jt", modality_dropout=0.3)
    assert dropping.fingerprint() != method.fingerprint()
