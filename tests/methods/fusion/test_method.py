"""Fusion models on the training loop: every variant, kept and found again, and attacked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.support.small_fusion import SMALL, made, rows_of, trained
from tests.support.tiny_models import tiny_model
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.evaluation.fusion import nine_metrics, right_under, robustness
from textcentric.methods.fusion import Crmt, CrmtConfig


def test_a_training_that_was_stopped_ends_with_the_same_weights(
    folder: Path, tmp_path: Path
) -> None:
    def weights(method: Crmt) -> list[Tensor]:
        return [one.clone() for one in method.fusion.state_dict().values()]

    method, rows = made(folder, variant="crmt-mix")
    trained(method, rows, tmp_path / "whole")
    part, _ = made(folder, variant="crmt-mix")
    stops: dict[str, Any] = {"save_strategy": "steps", "save_steps": 3}

    class Stop(Exception):
        pass

    steps = iter(range(7))
    inner = part.loss

    def loss(model: torch.nn.Module, batch: Any) -> Tensor:
        if next(steps) == 5:
            raise Stop
        return inner(model, batch)

    part.loss = loss  # type: ignore[method-assign]
    with pytest.raises(Stop):
        trained(part, rows, tmp_path / "part", **stops)
    resumed, _ = made(folder, variant="crmt-mix")
    trained(resumed, rows, tmp_path / "part", **stops)
    for one, other in zip(weights(method), weights(resumed), strict=True):
        assert torch.equal(one, other)


def test_the_second_step_changes_the_weights_a_and_nothing_else(
    folder: Path, tmp_path: Path
) -> None:
    first, rows = made(folder, variant="crmt-step-1")
    second, _ = made(folder, variant="crmt-jt")
    held = rows_of(folder, "image", "audio", split="validation")
    trained(first, rows, tmp_path / "one", held)
    told = trained(second, rows, tmp_path / "two", held).metrics
    one, two = first.fusion.state_dict(), second.fusion.state_dict()
    moved = [name for name in one if not torch.equal(one[name], two[name])]
    assert moved == ["weights"]
    assert told["radius_after"] >= told["radius_before"]
    assert second.evaluate(held, 24)["accuracy"] >= first.evaluate(held, 24)["accuracy"] - 0.01


def test_all_four_modalities_at_once(folder: Path, tmp_path: Path) -> None:
    text = tiny_model(tmp_path / "bert")
    encoders = {**SMALL["encoders"], "text": text}
    method, rows = made(folder, "image", "audio", "text", "table", encoders=encoders)
    assert method.names == ("image", "audio", "text", "table")
    trained(method, rows, tmp_path / "m", num_train_epochs=1)
    test = rows_of(folder, "image", "audio", "text", "table", split="test")
    again = Crmt.load(tmp_path / "m", folder)
    torch.testing.assert_close(again.logits(test), method.logits(test))
    found = robustness(again, test[:3], [0.5], checks=False)
    assert list(found["threats"]) == ["image", "audio", "text", "table", "joint", "split even"]
    assert len(nine_metrics(found)) == 3 + 3 * 4


def test_text_and_table_alone(folder: Path, tmp_path: Path) -> None:
    encoders = {"text": tiny_model(tmp_path / "bert")}
    method, rows = made(folder, "text", "table", encoders=encoders)
    assert method.names == ("text", "table")
    trained(method, rows, tmp_path / "m")
    test = rows_of(folder, "text", "table", split="test")
    assert method.evaluate(test, 24)["accuracy"] > 0.9
    found = robustness(method, test[:6], [0.2], only=["text"], checks=False)
    assert found["threats"]["text"]["accuracy"][0] <= found["clean"]["value"]


@pytest.mark.slow
def test_resnet_18_reads_pictures_and_sounds(folder: Path, tmp_path: Path) -> None:
    encoders = {"image": "resnet18", "audio": "resnet18"}
    method, rows = made(folder, encoders=encoders, image_side=32)
    assert [method.fusion.encoder(name).width for name in method.names] == [512, 512]
    trained(method, rows, tmp_path / "m", max_steps=2)
    again = Crmt.load(tmp_path / "m", folder)
    torch.testing.assert_close(again.logits(rows[:4]), method.logits(rows[:4]))


def test_what_attacks_leave_never_rises_and_never_beats_the_swap(
    folder: Path, tmp_path: Path
) -> None:
    method, rows = made(folder)
    trained(method, rows, tmp_path / "m")
    test = rows_of(folder, "image", "audio", split="test")
    found = robustness(method, test[:12], [0.5, 8.0])
    assert json.loads(json.dumps(found)) == found
    for name in ("image", "audio", "joint", "split 45"):
        told = found["threats"][name]
        curve = [found["clean"]["value"], *told["accuracy"]]
        assert curve == sorted(curve, reverse=True)
        assert all(low <= value <= high for value, (low, high) in _pairs(told["estimates"]))
        for kind in ("fgm", "pgd"):
            both = zip(told["paper"][kind], told["accuracy"], strict=True)
            assert all(paper >= suite for paper, suite in both)
    assert found["sanity"]["accuracy_under_a_huge_attack"] == 0
    assert set(found["sanity"]["flipped_by_swapping_alone"].values()) == {0}
    assert "heuristic" in found["certified"]["means"]
    for name in ("image", "audio", "joint"):
        of = found["certified"][name]
        radii = sorted(radius for radius in of["certified"] if radius > 0)
        assert of["share"] == len(radii) / 12 == pytest.approx(found["clean"]["value"])
        assert of["median_right"] == pytest.approx(radii[(len(radii) - 1) // 2], abs=1e-5)
        assert of["median"] >= 0
    nine = nine_metrics(found)
    assert list(nine) == [
        *("clean", "FGM", "PGD", "FGM #image", "PGD #image", "FGM #audio", "PGD #audio"),
        *("missing image", "missing audio"),
    ]
    right = right_under(method, test[:12], 0.5)
    assert {name: pytest.approx(sum(of) / len(of)) for name, of in right.items()} == {
        **nine,
        **{
            f"worst{mark}": found["threats"][name]["accuracy"][0]
            for name, mark in (("joint", ""), ("image", " #image"), ("audio", " #audio"))
        },
    }


def _pairs(estimates: list[dict[str, Any]]) -> list[tuple[float, list[float]]]:
    return [(one["value"], one["interval"]) for one in estimates]


def test_a_modality_that_a_whole_batch_lacks(folder: Path, tmp_path: Path) -> None:
    method, rows = made(folder)
    silent = [replace(row, inputs={"image": row.inputs["image"]}) for row in rows[:12]]
    mixed = [*silent, *rows[12:]]
    held = rows_of(folder, "image", "audio", split="validation")
    quiet = [replace(row, inputs={"image": row.inputs["image"]}) for row in held]
    for variant in ("crmt-jt", "crmt-at", "mcr", "pmr", "ogm-ge", "gradient-blending"):
        method = Crmt(
            CrmtConfig.of({**SMALL, "variant": variant, "attack_steps": 2}), mixed, folder
        )
        batch = method.collate(silent, 0)
        assert batch["present"][:, 1].sum() == 0
        assert bool(torch.isfinite(method.loss(method.model.train(), batch)).all())
        trained(method, mixed, tmp_path / variant, num_train_epochs=1)
        assert bool(torch.isfinite(method.logits(quiet)).all())
    found = robustness(method, quiet, [1.0], checks=False)
    assert found["threats"]["audio"]["accuracy"] == [found["clean"]["value"]]


def test_a_row_is_read_as_it_is_now_also_where_one_of_its_id_was_read_before(folder: Path) -> None:
    method, rows = made(folder)
    first, other = rows[0], next(row for row in rows if row.target != rows[0].target)
    whole = method.senses.batch([first])
    lacking = replace(first, inputs={"image": first.inputs["image"]})
    assert method.senses.batch([lacking])["present"].tolist() == [[1.0, 0.0]]
    changed = replace(first, inputs={**first.inputs, "audio": other.inputs["audio"]})
    told = method.senses.batch([changed])
    assert torch.equal(told["image"], whole["image"])
    assert torch.equal(told["audio"], method.senses.batch([other])["audio"])
    assert torch.equal(method.senses.batch([first])["audio"], whole["audio"])


def test_a_class_with_one_sample_and_a_table_with_one_class(folder: Path, tmp_path: Path) -> None:
    _, rows = made(folder)
    lonely = [row for row in rows if row.target != "high"] + [
        next(row for row in rows if row.target == "high")
    ]
    method = Crmt(CrmtConfig.of(SMALL), lonely, folder)
    trained(method, lonely, tmp_path / "m", num_train_epochs=1)
    assert method.tau is not None
    assert bool(torch.isfinite(method.tau).all())
    same = [row for row in rows if row.target == "low"]
    with pytest.raises(DataError, match="class"):
        Crmt(CrmtConfig.of(SMALL), same, folder)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"variant": "crmt-jtt"}, "crmt-jt"),
        ({"encoders": {"image": "resnet81"}}, "resnet18"),
        ({"encoders": {"smell": "conv"}}, "modality"),
        ({"modalities": ["image", "smell"]}, "smell"),
        ({"rho": -1}, "rho"),
        ({"attack_radius": 0}, "attack_radius"),
        ({"widht": 3}, "width"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    folder: Path, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        made(folder, **values)


def test_more_classes_than_own_can_hold_are_refused_with_a_way_out(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"3 classes.*rownorm"):
        made(folder, width=3)
    made(folder, width=3, orthogonality="rownorm")


def test_broken_files_are_named_with_their_row(folder: Path, tmp_path: Path) -> None:
    _, rows = made(folder)
    bad = folder / "files" / "broken.png"
    bad.write_bytes(b"no picture")
    wrong = replace(rows[0], inputs={**rows[0].inputs, "image": (str(bad),)})
    with pytest.raises(DataError, match=rf"row '{rows[0].id}'.*broken\.png"):
        Crmt(CrmtConfig.of(SMALL), [wrong, *rows[1:]], folder)
    outside = tmp_path / "outside.png"
    outside.write_bytes((folder / "files" / "train0.png").read_bytes())
    away = replace(rows[0], inputs={**rows[0].inputs, "image": (str(outside),)})
    with pytest.raises(DataError, match="outside"):
        Crmt(CrmtConfig.of(SMALL), [away, *rows[1:]], folder)


def test_a_folder_that_is_no_fusion_model_is_told_apart(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no fusion model"):
        Crmt.load(tmp_path, folder)
    method, _ = made(folder)
    method.save(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(RunError, match="cannot be loaded"):
        Crmt.load(tmp_path / "m", folder)
    metadata = json.loads((tmp_path / "m" / "crmt.json").read_text())
    (tmp_path / "m" / "crmt.json").write_text(json.dumps(metadata | {"format": 9}))
    with pytest.raises(RunError, match="format"):
        Crmt.load(tmp_path / "m", folder)
    with pytest.raises(ConfigError, match="tau"):
        method.radius(rows_of(folder, "image", "audio"))
