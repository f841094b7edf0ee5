"""A model's folder that others filled: pickles, kernels and odd adapters are refused by name."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.before import FOLDER
from textcentric.errors import RunError, TrustError
from textcentric.models.received import (
    adapter_settings,
    check_base,
    check_model,
    code_allowed,
    code_of,
)
from textcentric.security import trust


@pytest.fixture(autouse=True)
def nothing_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER / "models/reward", tmp_path / "model"))


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER / "models/adapters", tmp_path / "adapter"))


def say(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_plain_model_passes(model: Path, adapter: Path) -> None:
    check_model(model)
    check_model(adapter)
    assert code_of(model) == []
    assert not code_allowed(model, True, False)


def test_weights_that_are_a_pickle_alone_are_refused(model: Path) -> None:
    (model / "pytorch_model.bin").write_bytes(pickle.dumps([1]))
    check_model(model)  # the safetensors are read
    (model / "model.safetensors").unlink()
    with pytest.raises(RunError, match=r"pytorch_model\.bin is a pickle"):
        check_model(model)


def test_a_kernel_of_the_hub_needs_a_word(model: Path) -> None:
    say(model / "config.json", text_config={"_attn_implementation": "owner/kernel"})
    with pytest.raises(TrustError, match="_attn_implementation: owner/kernel"):
        check_model(model)
    trust.trust(model)
    check_model(model)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("0_Transformer/config.json", {"text": [{"_attn_implementation": "owner/kernel"}]}),
        ("0/sentence_bert_config.json", {"model_args": {"attn_implementation": "owner/kernel"}}),
        ("sentence_roberta_config.json", {"model_args": {"use_kernels": True}}),
        ("config.4.0.0.json", {"experts_implementation": {"": "owner/kernel"}}),
    ],
)
def test_a_kernel_that_any_part_names_needs_a_word(
    model: Path, name: str, said: dict[str, Any]
) -> None:
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_text("{}")
    check_model(model)
    trust.trust(model)
    (model / name).write_text(json.dumps(said))
    with pytest.raises(TrustError, match=r"implementation\.?: .*owner/kernel|use_kernels: True"):
        check_model(model)


def test_code_runs_by_a_word_alone(model: Path) -> None:
    (model / "mine.py").write_text("import os\n")
    say(model / "config.json", auto_map={"AutoModel": "owner/other--theirs.M"})
    assert code_of(model) == ["mine.py", "owner/other--theirs.M"]
    assert not code_allowed(model, False, False)
    assert code_allowed(model, False, True)
    with pytest.raises(TrustError, match=r"code: mine\.py, owner/other--theirs\.M"):
        code_allowed(model, True, False)
    trust.trust(model)
    assert code_allowed(model, True, False)
    (model / "mine.py").write_text("import os  # changed\n")
    with pytest.raises(TrustError):
        code_allowed(model, True, False)


def test_an_adapter_is_read_as_trainings_write_it(adapter: Path) -> None:
    settings = adapter_settings(adapter)
    assert settings["r"] == 2
    assert "megatron_core" not in settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layer_replication", [[0, 2]]),
        ("target_modules", "(.*)*x"),
        ("layers_pattern", "(.*)*x"),
        ("rank_pattern", {"(.*)*x": 4}),
        ("megatron_config", {"a": 1}),
        ("r", 10**9),
        ("peft_type", "PROMPT_TUNING"),
        ("tokenizer_name_or_path", "owner/name"),
    ],
)
def test_an_adapter_of_another_kind_is_refused(adapter: Path, name: str, value: object) -> None:
    say(adapter / "adapter_config.json", **{name: value})
    with pytest.raises(RunError, match=f"says {name}: "):
        check_model(adapter)


def test_the_base_that_an_adapter_names_needs_a_word(adapter: Path) -> None:
    with pytest.raises(TrustError, match="base_model_name_or_path: bert"):
        check_base(adapter)


def test_links_are_refused_but_those_of_the_hubs_cache(model: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--owner--name/snapshots/0123abc"
    shutil.move(model, snapshot)
    blobs = tmp_path / "models--owner--name/blobs"
    blobs.mkdir()
    shutil.move(snapshot / "config.json", blobs / "4567")
    (snapshot / "config.json").symlink_to("../../blobs/4567")
    check_model(snapshot)
    (snapshot / "vocab.txt").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match=r"vocab\.txt is a link"):
        check_model(snapshot)
