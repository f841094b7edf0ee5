"""Encoders and decoders by folder, how they are pooled, adapters, and what cannot be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.tiny_models import tiny_model, tiny_tokenizer
from textcentric.errors import ConfigError, RunError
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.methods.downstream.decision import Decision
from textcentric.methods.downstream.model import (
    CumulativeHead,
    build_model,
    first_token,
    last_token,
    load_model,
    mean_tokens,
    merge_adapter,
    save_model,
)
from textcentric.models.loading import longest_text

CLASSES = Decision("classification", classes=("a", "b", "c"), counts=(1, 1, 1))
CUMULATIVE = Decision("ordinal", "cumulative", (0, 1, 2, 3), (1, 2, 1, 4))
# What transformers' DeBERTa sets off while it is imported.
SCRIPTED = "ignore:`torch.jit.script` is deprecated:DeprecationWarning"
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
TEXTS = {"input_ids": IDS, "attention_mask": MASK}


def config_of(folder: Path, kind: str = "bert", **values: Any) -> DownstreamConfig:
    name = tiny_model(folder / kind, kind)
    return DownstreamConfig.of({"model": name, "max_length": 64, **values})


def test_pooling_never_reads_padding() -> None:
    hidden = torch.arange(12.0).reshape(2, 3, 2)
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    assert mean_tokens(hidden, mask).tolist() == [[2, 3], [7, 8]]
    assert first_token(hidden, mask).tolist() == [[0, 1], [6, 7]]
    assert last_token(hidden, mask).tolist() == [[4, 5], [8, 9]]


@pytest.mark.filterwarnings(SCRIPTED)
@pytest.mark.parametrize(
    ("kind", "pooling"),
    [("bert", "mean"), ("gpt2", "last"), ("longformer", "mean"), ("deberta-v2", "mean")],
)
def test_padding_changes_no_output(tmp_path: Path, kind: str, pooling: str) -> None:
    model = build_model(config_of(tmp_path, kind), CLASSES).eval()
    assert model.pooling == pooling
    together, alone = model(IDS, MASK), model(IDS[1:, :3], MASK[1:, :3])
    assert together.shape == (2, 3)
    assert together[1].tolist() == pytest.approx(alone[0].tolist(), abs=1e-5)


def test_every_token_of_a_longformer_sees_the_first_one(tmp_path: Path) -> None:
    config = config_of(tmp_path, "longformer", pooling="last")
    model = build_model(config, CLASSES).eval()
    ids = torch.full((1, 40), 5)  # far longer than the window of 8, two layers deep
    other = ids.clone()
    other[0, 0] = 9
    mask = torch.ones_like(ids)
    assert not torch.equal(model(ids, mask), model(other, mask))
    model.global_first = False
    assert torch.allclose(model(ids, mask), model(other, mask), atol=1e-7)


@pytest.mark.parametrize("decision", [CLASSES, CUMULATIVE], ids=["classes", "cumulative"])
@pytest.mark.parametrize("kind", ["bert", "gpt2", "longformer"])
def test_every_parameter_gets_a_gradient(tmp_path: Path, kind: str, decision: Decision) -> None:
    model = build_model(config_of(tmp_path, kind), decision)
    model(IDS, MASK).square().sum().backward()
    lacking = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # A key's bias moves all weights of a softmax alike, so its gradient is rounding, if any.
    assert [name for name in lacking if not name.endswith(("key.bias", "key_global.bias"))] == []


def test_the_head_follows_from_the_seed_and_leaves_the_generator_alone(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = build_model(config, CLASSES)
    assert torch.equal(torch.rand(1), expected)
    again = build_model(config, CLASSES)
    other = build_model(config.model_copy(update={"seed": 1}), CLASSES)
    drawn, same, changed = (model.head.get_parameter("1.weight") for model in (first, again, other))
    assert torch.equal(drawn, same)
    assert not torch.equal(drawn, changed)


def test_ordered_cuts_begin_at_the_class_shares() -> None:
    head = CumulativeHead(2, CUMULATIVE.shares)
    torch.nn.init.zeros_(head.score.weight)
    below = torch.sigmoid(head(torch.ones(1, 2)))
    assert below[0].tolist() == pytest.approx([1 / 8, 3 / 8, 1 / 2], abs=1e-5)
    torch.nn.init.constant_(head.steps, -30.0)
    logits = head(torch.ones(1, 2))[0]
    assert (logits.diff() >= 0).all()


def test_a_class_without_rows_still_gets_a_finite_cut() -> None:
    head = CumulativeHead(2, np.array([0.0, 0.5, 0.0, 0.5]))
    assert torch.isfinite(head(torch.ones(1, 2))).all()


@pytest.mark.parametrize("rank", [None, 2], ids=["whole", "adapter"])
def test_a_saved_model_gives_the_same_outputs(tmp_path: Path, rank: int | None) -> None:
    config = config_of(tmp_path, lora_r=rank)
    model = trained(build_model(config, CUMULATIVE))
    save_model(model, config, CUMULATIVE, TEXTS, tmp_path / "saved")
    again = load_model(config, CUMULATIVE, tmp_path / "saved").eval()
    assert torch.equal(model(IDS, MASK), again(IDS, MASK))
    names = {path.name for path in (tmp_path / "saved").iterdir()}
    whole = {"config.json", "head.safetensors", "model.safetensors"}
    adapter = {"adapter_config.json", "adapter_model.safetensors", "head.safetensors"}
    assert names == (adapter if rank else whole)


def test_an_adapter_trains_itself_and_the_head_alone(tmp_path: Path) -> None:
    model = build_model(config_of(tmp_path, lora_r=2), CLASSES)
    moving = {name for name, one in model.named_parameters() if one.requires_grad}
    assert moving
    assert all("lora_" in name or name.startswith("head.") for name in moving)


def test_a_merged_adapter_gives_the_same_outputs(tmp_path: Path) -> None:
    model = trained(build_model(config_of(tmp_path, lora_r=2), CLASSES))
    before = model(IDS, MASK)
    merge_adapter(model)
    assert not any("lora_" in name for name, _ in model.named_parameters())
    assert model(IDS, MASK).tolist() == [pytest.approx(row, abs=1e-5) for row in before.tolist()]


def test_layers_that_no_adapter_fits_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lora_target_modules=\('nothing',\)"):
        build_model(config_of(tmp_path, lora_r=2, lora_target_modules=["nothing"]), CLASSES)


def test_only_the_first_layers_are_kept_where_so_many_are_asked_for(tmp_path: Path) -> None:
    whole = build_model(config_of(tmp_path), CLASSES).eval()
    config = config_of(tmp_path, layers=1)
    cut = build_model(config, CLASSES).eval()
    assert len(cut.encoder.encoder.layer) == 1
    first = whole.encoder.encoder.layer[0].state_dict()
    kept = cut.encoder.encoder.layer[0].state_dict()
    assert all(torch.equal(first[name], kept[name]) for name in first)
    save_model(cut, config, CLASSES, TEXTS, tmp_path / "saved")
    loaded = load_model(config, CLASSES, tmp_path / "saved").eval()
    assert torch.equal(loaded(IDS, MASK), cut(IDS, MASK))


def test_more_layers_than_the_model_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"layers=3: model .* has 2"):
        build_model(config_of(tmp_path, layers=3), CLASSES)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "longformer"])
def test_without_dropout_training_gives_the_same_outputs_twice(tmp_path: Path, kind: str) -> None:
    config = config_of(tmp_path, kind, encoder_dropout=0.0, head_dropout=0.0)
    model = build_model(config, CLASSES).train()
    assert torch.equal(model(IDS, MASK), model(IDS, MASK))
    usual = build_model(config_of(tmp_path, kind, head_dropout=0.0), CLASSES).train()
    assert not torch.equal(usual(IDS, MASK), usual(IDS, MASK))


def test_bfloat16_weights_keep_a_head_of_full_precision(tmp_path: Path) -> None:
    model = build_model(config_of(tmp_path, dtype="bfloat16"), CLASSES)
    assert {p.dtype for p in model.encoder.parameters()} == {torch.bfloat16}
    assert model(IDS, MASK).dtype == torch.float32


def test_a_model_with_encoder_and_decoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has an encoder and a decoder"):
        build_model(config_of(tmp_path, "t5"), CLASSES)


def test_a_model_that_is_nowhere_is_told_by_its_name(tmp_path: Path) -> None:
    config = DownstreamConfig.of({"model": str(tmp_path / "nothing")})
    with pytest.raises(ConfigError, match=r"model '.*nothing' cannot be loaded"):
        build_model(config, CLASSES)


@pytest.mark.parametrize("name", ["model.safetensors", "head.safetensors"])
@pytest.mark.parametrize("keep", [0, 100])
def test_a_truncated_or_missing_file_is_told(tmp_path: Path, name: str, keep: int) -> None:
    config = config_of(tmp_path)
    save_model(build_model(config, CLASSES), config, CLASSES, TEXTS, tmp_path / "saved")
    path = tmp_path / "saved" / name
    path.write_bytes(path.read_bytes()[:keep]) if keep else path.unlink()
    with pytest.raises(RunError, match="missing, cut short or of another model"):
        load_model(config, CLASSES, tmp_path / "saved")


def test_a_head_of_another_task_is_told(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    save_model(build_model(config, CLASSES), config, CLASSES, TEXTS, tmp_path / "saved")
    with pytest.raises(RunError, match="of another model"):
        load_model(config, CUMULATIVE, tmp_path / "saved")


def test_the_longest_text_is_what_tokenizer_and_positions_allow(tmp_path: Path) -> None:
    encoder = build_model(config_of(tmp_path), CLASSES).encoder
    assert longest_text(encoder, tiny_tokenizer()) == 64
    longformer = build_model(config_of(tmp_path, "longformer"), CLASSES).encoder
    assert longest_text(longformer, tiny_tokenizer("gpt2")) == 65


def trained(model: Any) -> Any:
    """Return the model with all its trainable weights moved, dropout off."""
    with torch.no_grad():
        generator = torch.Generator().manual_seed(3)
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model.eval()
