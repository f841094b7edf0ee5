"""`open_experts`: names to experts, and clear words for wrong names."""

import subprocess
import sys
from typing import Any

import pytest

from textcentric.engines import Message, Request, Sampling, ScriptedEngine
from textcentric.errors import ConfigError
from textcentric.experts import open_experts
from textcentric.experts.labels import LabelsExpert
from textcentric.experts.vlm import CaptionExpert


def test_the_default_experts_are_the_packaged_ones() -> None:
    experts = open_experts()
    assert {modality: expert.name for modality, expert in experts.items()} == {
        "table": "table",
        "text": "text",
        "image": "efficientnet-lite0",
        "audio": "openai/whisper-tiny.en",
    }
    assert all(expert.modality == modality for modality, expert in experts.items())
    assert all(expert.version for expert in experts.values())


def test_none_leaves_a_modality_out() -> None:
    assert list(open_experts(["table", "image", "audio"], image="none", audio="none")) == ["table"]


def test_labels_and_pixels_need_no_model() -> None:
    labels = open_experts(["image"], image="labels")["image"]
    assert isinstance(labels, LabelsExpert)
    assert labels.reads == "image_labels"
    assert open_experts(["image"], image="pixels")["image"].name == "pixels"
    assert open_experts(["audio"], audio="sound")["audio"].name == "sound"


def ask(path: str, digest: str) -> Request:
    return Request((Message("user", "Describe it.", (path,), (digest,)),), "eye", Sampling())


def test_a_configured_vision_model_comes_first_and_only_where_asked() -> None:
    vlm = CaptionExpert(ScriptedEngine(), ask)
    assert open_experts(["image"], vlm=vlm)["image"] is vlm
    assert open_experts(["image"], image="vlm", vlm=vlm)["image"] is vlm
    assert open_experts(["image"], image="packaged", vlm=vlm)["image"] is not vlm
    with pytest.raises(ConfigError, match="needs an engine with a vision-language model"):
        open_experts(["image"], image="vlm")


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"image": "packged"}, "unknown image expert 'packged'; did you mean 'packaged'"),
        ({"audio": "packge"}, "unknown audio expert 'packge'; did you mean 'packaged'"),
        ({"missing": "nam"}, "did you mean 'name'"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        open_experts(**options)


def test_an_unknown_modality_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'image'"):
        open_experts(["imag"])


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textcentric.experts.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'textcentric\[experts\]'"):
        open_experts(["audio"])


def test_importing_the_experts_imports_nothing_heavy() -> None:
    code = (
        "import sys, textcentric.experts;"
        "print([m for m in ('torch', 'transformers', 'PIL', 'numpy') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
