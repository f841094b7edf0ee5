"""A name inside a folder reaches no hub, whatever key holds it; a name that a person gives does."""

from __future__ import annotations

import json
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from tests.support.before import FOLDER
from tests.support.hostile import BACKBONE, MODULES, PROCESSOR
from tests.support.tiny_models import tiny_model
from textcentric.errors import ConfigError, RunError, TrustError
from textcentric.methods.downstream.method import Downstream
from textcentric.models.hub import lacking, reached
from textcentric.models.loading import found
from textcentric.models.sentence_encoder import sentence_transformer
from textcentric.security.trust import trust


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return who was called: the hub is in reach, but nobody answers."""
    calls: list[object] = []

    def call(*address: object, **options: object) -> None:
        calls.append(address)
        raise OSError(101, "no network in this test")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket.socket, "connect", call)
    monkeypatch.setattr(socket, "getaddrinfo", call)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries
    return calls


def test_the_hub_is_off_inside_a_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("owner/name").mkdir(parents=True)
    with reached("owner/name") as place:
        assert place == str(tmp_path / "owner/name")
        assert constants.is_offline_mode()
        with reached("owner/other") as place:
            assert (place, constants.is_offline_mode()) == ("owner/other", True)
    assert not constants.is_offline_mode()
    with suppress(KeyError), reached("owner/name"):
        raise KeyError
    assert not constants.is_offline_mode()
    with reached("owner/other"):
        assert not constants.is_offline_mode()
        with reached("owner/name"):
            assert constants.is_offline_mode()
        assert not constants.is_offline_mode()


def test_a_load_from_the_hub_waits_for_one_from_a_folder(tmp_path: Path) -> None:
    seen: list[bool] = []

    def load() -> None:
        with reached("owner/name"):
            seen.append(constants.is_offline_mode())

    thread = Thread(target=load)
    with reached(str(tmp_path)):
        thread.start()
        thread.join(0.05)
        assert seen == []
    thread.join()
    assert seen == [False]


def test_a_name_that_a_person_gives_reaches_the_hub(called: list[object]) -> None:
    from transformers import AutoConfig

    with pytest.raises(ConfigError, match="reachable or in the cache"):
        found(AutoConfig, "owner/name-of-a-model", "owner/name-of-a-model")
    assert called != []


def test_a_backbone_that_a_folder_names_is_not_fetched(
    tmp_path: Path, called: list[object]
) -> None:
    from transformers import AutoModel

    (tmp_path / "config.json").write_text(json.dumps(BACKBONE))
    save_file({"weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="download it first"):
        found(AutoModel, str(tmp_path), "received")
    assert called == []


def test_a_part_of_a_processor_that_a_folder_names_is_not_fetched(
    tmp_path: Path, called: list[object]
) -> None:
    from transformers import AutoProcessor

    folder = tiny_model(tmp_path / "model")
    for name, values in PROCESSOR.items():
        (tmp_path / "model" / name).write_text(json.dumps(values))
    with pytest.raises(ConfigError, match="download it first"):
        found(AutoProcessor, folder, "received")
    assert called == []


def test_a_folder_is_no_name_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: list[object]
) -> None:
    pytest.importorskip("sentence_transformers")
    monkeypatch.chdir(tmp_path)
    tiny_model(Path("owner/encoder/0_Transformer"))
    Path("owner/encoder/modules.json").write_text(json.dumps(MODULES))
    encoder: Any = sentence_transformer("owner/encoder", "the encoder")
    assert encoder.encode(["a good day"], output_value="token_embeddings")[0].ndim == 2
    assert called == []


def test_the_base_of_a_trusted_adapter_is_asked_for_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: list[object]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = Path(shutil.copytree(FOLDER / "models/adapters", tmp_path / "adapter"))
    said = json.loads((folder / "downstream.json").read_text())
    said["config"]["model"] = "owner/base-of-ours"
    (folder / "downstream.json").write_text(json.dumps(said))
    with pytest.raises(TrustError, match="owner/base-of-ours"):
        Downstream.load(folder)
    assert called == []
    trust(folder)
    with pytest.raises(RunError, match="'owner/base-of-ours' cannot be loaded"):
        Downstream.load(folder)
    assert called != []


def test_what_a_folder_lacks_is_told_of_the_hub_alone(tmp_path: Path) -> None:
    assert lacking(str(tmp_path), ValueError("cut short")) == ""
    assert lacking("owner/name", None) == ""
