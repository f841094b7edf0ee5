"""Settings: described once in fields, read from file, environment, `--set` and flags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from textcentric.augmentation.config import AugmentConfig
from textcentric.errors import ConfigError
from textcentric.evaluation.comparison.config import CompareConfig
from textcentric.evaluation.config import (
    EvaluateConfig,
    EvaluateFusionConfig,
    EvaluateRewardConfig,
    PredictConfig,
    ScoreConfig,
)
from textcentric.methods.align_vl.config import RetrieveConfig
from textcentric.methods.align_vl.latents.config import LatentsConfig
from textcentric.methods.downstream.config import DownstreamConfig, Training
from textcentric.methods.fusion.config import CrmtTraining
from textcentric.settings import Settings, read, read_pair, with_current_names

MODELS: list[type[Settings]] = [
    AugmentConfig,
    CompareConfig,
    CrmtTraining,
    EvaluateConfig,
    EvaluateFusionConfig,
    EvaluateRewardConfig,
    LatentsConfig,
    PredictConfig,
    RetrieveConfig,
    ScoreConfig,
    Training,
]


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_says_what_it_is(model: type[Settings]) -> None:
    for part in (model, *model.sections.values()):
        silent = [name for name, field in part.model_fields.items() if not field.description]
        assert silent == []


def test_engine_settings_are_yaml_values() -> None:
    pairs = ["engine.eager=true", "engine.seqs=32", "engine.stop=[a, b]", "engine.name=x y"]
    config = read(AugmentConfig, pairs=pairs)
    assert config.engine_settings == {"eager": True, "seqs": 32, "stop": ["a", "b"], "name": "x y"}


@pytest.mark.parametrize("pair", ["engine.x", "x=1", "engine.=1", "=1"])
def test_a_pair_of_another_form_is_refused(pair: str) -> None:
    with pytest.raises(ConfigError, match=r"expected train\.NAME=VALUE or reward\.NAME=VALUE"):
        read_pair(pair, ["train", "reward"])


@pytest.mark.parametrize(
    ("model", "pair", "message"),
    [
        (AugmentConfig, "engine.x=[1", "is not YAML; put quotes round it"),
        (AugmentConfig, "engin.x=1", "unknown section of augment 'engin'; did you mean 'engine'"),
        (AugmentConfig, "engine.a.b=1", "engine.a.b: expected one name behind engine"),
        (AugmentConfig, "limit.x=1", "unknown section of augment 'limit'"),
        (Training, "train.learnin_rate=1", "unknown key of train 'learnin_rate'; did you mean"),
        (CrmtTraining, "crmt.encoders.sound=conv", "unknown key of encoders 'sound'"),
        (CrmtTraining, "crmt.encoder.audio=conv", "section of crmt 'encoder'; did you mean 'enc"),
        (CrmtTraining, "bf16.x=1", "unknown section of train crmt 'bf16'"),
        (CompareConfig, "augment.promts=x", "unknown key of augment 'promts'; did you mean 'pro"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_the_nearest(
    model: type[Settings], pair: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read(model, pairs=[pair])


@pytest.mark.parametrize(
    ("pair", "flag"),
    [("crmt.encoders.audio=conv", None), ("crmt.audio_encoder=conv", None), (None, "conv")],
)
def test_an_encoder_is_named_by_its_key_or_by_its_flag(pair: str | None, flag: str | None) -> None:
    config = read(CrmtTraining, None, {"audio_encoder": flag}, [pair] if pair else [])
    assert config.method().encoders == {"audio": "conv"}


def test_what_a_flag_is_called_a_file_takes_too(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "dataset: clips.csv\nschema: clips.yaml\naudio_encoder: conv\nlearning_rate: 0.1\n"
        "crmt: {encoders: {image: conv}}\ntrain: {max_steps: 3}\n",
    )
    config = read(CrmtTraining, file)
    assert config.table_schema == "clips.yaml"
    assert config.method().encoders == {"audio": "conv", "image": "conv"}
    assert (config.loop().learning_rate, config.loop().max_steps) == (0.1, 3)
    roles = read(CrmtTraining, written(tmp_path, "id: name\ntext: [a, b]\n")).table_schema
    assert roles == {"id": "name", "text": ["a", "b"]}


def test_keys_of_the_loop_may_stand_outside_their_section_in_every_training(
    tmp_path: Path,
) -> None:
    config = read(Training, written(tmp_path, "run: first\nmax_steps: 3\nvariants: 2\nbf16: true"))
    assert (config.loop().max_steps, config.method().variants) == (3, 2)
    assert config.loop().mixed_precision == "bf16"


def test_a_schema_and_a_role_beside_it_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"table_schema='pets.yaml' and id='x' exclude each oth"):
        read(AugmentConfig, None, {"table_schema": "pets.yaml", "id": "x"})


def test_a_former_name_is_taken_with_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    flags: dict[str, Any] = {"downstream.lora_rank": "4"}
    file = written(tmp_path, "run: first\nlora_targets: [query]\n")
    config = read(Training, file, flags, say=notes.append)
    assert config.method().lora_r == 4
    assert config.method().lora_target_modules == ("query",)
    assert notes == [
        "lora_targets is called lora_target_modules now; the former name is taken until the next"
        " version",
        "downstream.lora_rank is called lora_r now; the former name is taken until the next"
        " version",
    ]


def test_a_folder_that_was_written_under_former_names_is_read() -> None:
    saved = {"lora_rank": 4, "lora_targets": "all-linear", "attention": "eager"}
    assert DownstreamConfig.of(saved) == DownstreamConfig(lora_r=4, attn_implementation="eager")
    identity = {"fingerprint": {"config": {"lora_rank": 4}}, "rows": {"train": 2}}
    assert with_current_names(identity) == {
        "fingerprint": {"config": {"lora_r": 4}},
        "rows": {"train": 2},
    }


def test_what_is_missing_is_named_with_its_flag() -> None:
    with pytest.raises(ConfigError, match="evaluate needs models: give models="):
        read(EvaluateConfig, None, {"dataset": "petfinder"})


@pytest.mark.parametrize(
    "value",
    [
        "2001-99-99",
        "9" * 6000,
        "[" * 20_000,
        "{a: &a [b], c: &c [" + "*a, " * 9 + "], d: [*d]}",
        "!!python/object:os.system x",
        "a\u0001",
        "&a [*a]",
    ],
    ids=["a date", "digits", "deep", "unknown alias", "tag", "control", "within itself"],
)
def test_what_yaml_cannot_be_is_told_wherever_it_is_written(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seed.yaml").write_text(f"seed: {value}\n")
    with pytest.raises(ConfigError, match=r"configuration file .*seed\.yaml is not YAML"):
        read(AugmentConfig, tmp_path / "seed.yaml")
    with pytest.raises(ConfigError, match=r"--set .* is not YAML; put quotes round it"):
        read(AugmentConfig, pairs=[f"engine.x={value}"])
    monkeypatch.setenv("TEXTCENTRIC_SEED", value)
    with pytest.raises(ConfigError, match=r"TEXTCENTRIC_SEED: .* is not YAML; put quotes round it"):
        read(AugmentConfig)
