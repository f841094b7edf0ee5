"""MMLoRA: it begins as the sum of single models, trains adapters and heads, and merges them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tests.methods.references import mmlora
from tests.support.small_fusion import changes_of, made, rows_of, trained
from textcentric.errors import ConfigError
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.adapters import add_adapters, merge_adapters
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.methods.fusion.encoders import ResNet18, TextEncoder
from textcentric.training.checkpoints import checkpoint_folder

Kept = dict[str, Tensor]
OFTEN: dict[str, Any] = {
    "save_strategy": "steps",
    "save_steps": 2,
    "save_total_limit": None,
    "max_steps": 6,
}


@pytest.fixture(scope="module")
def run(
    folder: Path, starts: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Kept]:
    """Return the folder of a training that kept every second checkpoint, and what it began with."""
    place = tmp_path_factory.mktemp("run") / "model"
    method, rows = made(folder, **changes_of("mmlora", starts))
    before = {name: one.clone() for name, one in method.model.state_dict().items()}
    trained(method, rows, place, **OFTEN)
    return place, before


def test_the_first_logits_are_the_sum_of_those_of_the_single_models(
    folder: Path, starts: dict[str, str]
) -> None:
    method, rows = made(folder, **changes_of("mmlora", starts))
    singles = [Crmt.load(place, folder).logits(rows) for place in starts.values()]
    torch.testing.assert_close(method.logits(rows), sum(singles), atol=1e-6, rtol=1e-6)


def test_adapters_class_rows_and_bias_alone_change(run: tuple[Path, Kept]) -> None:
    place, before = run
    after = load_file(last(place) / "model.safetensors")
    moved = {name for name, one in before.items() if not torch.equal(one, after[name])}
    heads = {"fusion.bias", "fusion.rows.audio", "fusion.rows.image"}
    assert {name for name in moved if "lora_" not in name} == heads
    assert {name for name in before if "lora_" in name} <= moved
    assert sum("lora_A" in name for name in moved) == 6  # three convolutions of each encoder


def test_merged_weights_give_the_same_logits(
    run: tuple[Path, Kept], folder: Path, starts: dict[str, str]
) -> None:
    place, _ = run
    method, rows = made(folder, **changes_of("mmlora", starts))
    method.model.load_state_dict(load_file(last(place) / "model.safetensors"))
    kept = Crmt.load(place, folder)
    torch.testing.assert_close(kept.logits(rows), method.logits(rows), atol=1e-5, rtol=1e-5)
    plain = made(folder, variant="jt")[0].fusion.state_dict()
    assert kept.fusion.state_dict().keys() == plain.keys()


def last(place: Path) -> Path:
    return max(checkpoint_folder(place).iterdir())


def test_a_resumed_training_gives_the_same_folder_bit_for_bit(
    run: tuple[Path, Kept], folder: Path, starts: dict[str, str], tmp_path: Path
) -> None:
    place, _ = run
    again = tmp_path / "model"
    shutil.copytree(checkpoint_folder(place), checkpoint_folder(again))
    for step in (4, 6):
        shutil.rmtree(checkpoint_folder(again) / f"step-{step:08d}")
    method, rows = made(folder, **changes_of("mmlora", starts))
    assert trained(method, rows, again, **OFTEN).step == 6
    weights = "model.safetensors"
    assert (again / weights).read_bytes() == (place / weights).read_bytes()


def test_what_is_kept_needs_no_peft_and_training_asks_for_it(
    run: tuple[Path, Kept],
    folder: Path,
    starts: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.setattr("textcentric.machine.is_installed", lambda name: name != "peft")
    rows = rows_of(folder, "image", "audio")
    assert Crmt.load(run[0], folder).logits(rows[:2]).shape == (2, 3)
    with pytest.raises(ConfigError, match=r"a LoRA adapter needs peft: .*\[train\]"):
        made(folder, **changes_of("mmlora", starts))


def test_a_linear_layer_is_adapted_and_merged_as_in_the_paper() -> None:
    torch.manual_seed(0)
    given = nn.Linear(3, 4)
    layers = nn.Sequential(given)
    add_adapters(layers, 2)
    down, up = drawn(layers)
    x = torch.randn(3)
    weight = mmlora.adapted(given.weight.tolist(), down, up, alpha=2)
    told = torch.tensor(mmlora.linear(weight, given.bias.tolist(), x.tolist()))
    torch.testing.assert_close(layers(x), told)
    merge_adapters(layers)
    assert layers[0] is given
    torch.testing.assert_close(given.weight, torch.tensor(weight))


def test_a_convolution_is_adapted_and_merged_as_a_matrix_over_patches() -> None:
    torch.manual_seed(0)
    given = nn.Conv2d(2, 3, 3, stride=2, padding=1, bias=False)
    layers = nn.Sequential(given)
    add_adapters(layers, 2)
    down, up = drawn(layers)
    x = torch.randn(1, 2, 5, 4)
    weight = mmlora.adapted(given.weight.flatten(1).tolist(), down, up, alpha=2)
    told = torch.tensor(mmlora.convolved(weight, x[0].tolist(), side=3, stride=2, padding=1))
    torch.testing.assert_close(layers(x), told)
    merge_adapters(layers)
    assert layers[0] is given
    torch.testing.assert_close(given.weight.flatten(1), torch.tensor(weight))


def drawn(layers: nn.Module) -> tuple[list[list[float]], list[list[float]]]:
    """Return A, as it was drawn, and a B that is drawn here in place of its zeros."""
    named = dict(layers.named_parameters())
    (down,), (up,) = ([v for n, v in named.items() if part in n] for part in ("lora_A", "lora_B"))
    assert not up.any()
    with torch.no_grad():
        up.normal_()
    return down.flatten(1).tolist(), up.flatten(1).tolist()


@pytest.mark.parametrize("kind", ["resnet18", "text"])
def test_every_layer_of_a_large_encoder_is_adapted_and_nothing_else_learns(kind: str) -> None:
    torch.manual_seed(0)
    text = kind == "text"
    encoder = TextEncoder(CrmtConfig(layers=2), "packaged") if text else ResNet18(3)
    encoders = nn.ModuleDict({kind: encoder})
    names = {n for n, one in encoders.named_modules() if isinstance(one, (nn.Linear, nn.Conv2d))}
    before = {name: one.clone() for name, one in encoders.state_dict().items()}
    add_adapters(encoders, 4)
    learning = {name for name, one in encoders.named_parameters() if one.requires_grad}
    ends = (".lora_A.default.weight", ".lora_B.default.weight")
    assert learning == {name + end for name in names for end in ends}
    assert len(names) == {"resnet18": 20, "text": 12}[kind]
    merge_adapters(encoders)
    after = encoders.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(one, before[name]) for name, one in after.items())  # B is 0


def test_without_models_to_begin_from_it_says_how_to_make_them(folder: Path) -> None:
    with pytest.raises(ConfigError) as told:
        made(folder, variant="mmlora")
    for name in ("image", "audio"):
        assert f"train crmt --variant jt --modalities {name} ... -o models/{name}" in str(
            told.value
        )
    with pytest.raises(ConfigError, match=r"lora_r=0: Input should be greater than or equal to 1"):
        CrmtConfig.of({"variant": "mmlora", "lora_r": 0})
