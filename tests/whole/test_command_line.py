"""Commands to paste: read back by the command itself, they give the same configuration."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import textcentric
from tests.support.small_run import write_prompts
from textcentric.augmentation.command_line import augment_command
from textcentric.augmentation.config import AugmentConfig, resolve
from textcentric.cli import augment as augment_modes
from textcentric.cli import evaluate as run_evaluate
from textcentric.cli.app import built
from textcentric.cli.running import of_all_rows
from textcentric.command_line import command, quoted, schema_flags
from textcentric.errors import ConfigError, flag_of
from textcentric.evaluation import robustness
from textcentric.evaluation.config import EvaluateConfig
from textcentric.fields import ROLES
from textcentric.methods.downstream import training as train_downstream
from textcentric.methods.downstream.config import Training
from textcentric.methods.reward import training as train_reward
from textcentric.methods.reward.config import RewardTraining
from textcentric.runs.manifest import read_manifest
from textcentric.training.folder import TrainResult

EVERY_KEY = {
    "dataset": "my rows.csv",
    "data_dir": "it's here",
    "table_schema": {"id": "key", "target": "price $", "text": ["title", "-words"]},
    "split": "train",
    "limit": 24,
    "require": ("image", "text"),
    "prompts": "adversarial/n*,bank",
    "prompt_dir": "mine",
    "samples": 2,
    "sentences": 3,
    "summarize": False,
    "perturb": "all",
    "engine": "openai",
    "model": "some/model",
    "base_url": "http://127.0.0.1:8000/v1",
    "engine_settings": {"answer": "true", "small": 1e-05, "limits": {"image": 0, "words": "a: b"}},
    "image_expert": "pixels",
    "audio_expert": "none",
    "missing_values": "name",
    "temperature": 0.25,
    "max_tokens": 64,
    "on_too_long": "truncate",
    "embeddings": False,
    "seed": 7,
    "output_dir": "runs/a b",
    "resume": "always",
    "reuse": ("runs/one", "runs/two"),
    "max_failed": 0.5,
    "accept": 9,
    "max_tokens_total": 1000,
    "max_minutes": 1.5,
    "format": "jsonl",
    "all_prompts": True,
    "candidates": 4,
    "judge_model": "some/judge",
    "judge_engine": "openai",
    "judge_base_url": "http://127.0.0.1:8001/v1",
    "expert_words": "all",
    "languages": "listed",
    "strict": 0.95,
    "likelihoods": "off",
    "entailment_model": "some/inference",
    "price_input": 0.5,
    "price_output": 1.5,
    "max_cost": 2.0,
}
Pasted = Callable[[str], AugmentConfig]


@pytest.fixture
def pasted(monkeypatch: pytest.MonkeyPatch) -> Pasted:
    """Run a line as a shell would; return the configuration that `augment` made of it."""

    def read(line: str) -> AugmentConfig:
        words = shlex.split(line)
        while "=" in words[0]:
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        assert words.pop(0) == "textcentric"
        made: list[AugmentConfig] = []

        def run_config(config: AugmentConfig, **_: Any) -> int:
            made.append(config)
            return 0

        monkeypatch.setattr(augment_modes, "run_config", run_config)
        assert textcentric(*words).code == 0
        return made[0]

    return read


@pytest.mark.parametrize("classes", [{"balance": True}, {"per_class": 3}], ids=str)
def test_every_key_comes_back_from_the_command(pasted: Pasted, classes: dict[str, Any]) -> None:
    """Two settings exclude each other, so that one of them is given at a time."""
    every = {**EVERY_KEY, **classes}
    assert {*EVERY_KEY, "balance", "per_class"} == set(AugmentConfig.model_fields)
    config = AugmentConfig(**every)
    assert all(getattr(config, key) != AugmentConfig().model_dump()[key] for key in every)
    assert pasted(augment_command(config)) == config


def test_the_defaults_come_back_from_a_command_that_names_the_rows_and_the_prompts(
    pasted: Pasted,
) -> None:
    line = augment_command(AugmentConfig())
    assert line == "textcentric augment --dataset petfinder --prompts adversarial"
    assert pasted(line) == AugmentConfig()


def test_a_schema_of_more_than_roles_stands_in_front(pasted: Pasted) -> None:
    config = AugmentConfig(table_schema={"id": "key", "image": {"folder": "p", "pattern": "{id}"}})
    line = augment_command(config)
    assert line.startswith("TEXTCENTRIC_TABLE_SCHEMA='{id: key, image: {")
    assert pasted(line) == config


def test_a_schema_file_is_named(pasted: Pasted) -> None:
    config = AugmentConfig(table_schema="my rooms.yaml")
    assert "--schema 'my rooms.yaml'" in augment_command(config)
    assert pasted(augment_command(config)) == config


def test_what_the_environment_sets_and_the_configuration_has_not_is_unset(
    pasted: Pasted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTCENTRIC_LIMIT", "24")
    monkeypatch.setenv("TEXTCENTRIC_SEED", "5")
    monkeypatch.setenv("TEXTCENTRIC_SUMMARIZE", "false")
    config = of_all_rows(resolve(None, {"seed": 0, "summarize": True}), Path("runs/demo"))
    line = augment_command(config)
    assert line.startswith("TEXTCENTRIC_LIMIT='' textcentric augment ")
    assert "--summarize" in line
    assert "--seed 0" in line
    assert pasted(line) == config


def test_no_secret_is_in_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTCENTRIC_API_KEY", "sk-environment")
    settings = {"timeout": 5, "headers": {"api-key": "$GATEWAY"}}
    line = augment_command(AugmentConfig(engine="openai", engine_settings=settings))
    assert line.endswith(
        "--engine openai --set engine.timeout=5 --set 'engine.headers={api-key: $GATEWAY}'"
    )
    for secret in ({"extra_body": {"api_key": "sk-nested"}}, {"headers": {"api-key": "sk-own"}}):
        with pytest.raises(ConfigError, match="saved"):
            AugmentConfig(engine="openai", engine_settings=secret)


def test_the_offer_after_a_limited_run_is_its_command_without_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"r{n},A dog number {n} sleeps.,{n}\n" for n in range(4)]
    Path("my rows.csv").write_text("key,words,price\n" + "".join(rows))
    write_prompts(Path("mine"))
    flags = [
        *("--dataset", "my rows.csv", "--id", "key", "--target", "price", "--text", "words"),
        *("--prompts", "own/swap", "--prompt-dir", "mine", "--perturb", "all"),
        *("--engine", "scripted", "--set", "engine.answer=It naps all day."),
        *("--no-summarize", "--no-embeddings", "--max-failed", "0.5"),
    ]
    said = textcentric("augment", *flags, "--limit", 2, "-o", "runs/a b")
    first, offered = said.out.splitlines()[-2:]
    assert first.startswith("these were 2 of 4 rows (--limit); all of them, about ")
    words = shlex.split(offered)
    assert sorted(words) == sorted(["textcentric", "augment", *flags, "--reuse", "runs/a b"])
    whole = textcentric(*words[1:], "-o", "runs/all")
    assert whole.code == 0
    assert "these were" not in whole.out
    requests = read_manifest(Path("runs/all"))["requests"]
    assert (requests["sent"], requests["reused"]) == (2, 2)


def test_rows_of_a_split_are_counted_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_prompts(Path("mine"))
    lines = [f"r{n},A dog number {n}.,{'test' if n else 'train'}\n" for n in range(4)]
    Path("rows.csv").write_text("id,words,part\n" + "".join(lines))
    Path("rows.yaml").write_text("id: id\ntext: words\nsplit: part\n")
    flags = ["--dataset", "rows.csv", "--schema", "rows.yaml", "--split", "test", "--no-summarize"]
    flags += ["--prompts", "own/swap", "--prompt-dir", "mine", "--perturb", "all"]
    flags += ["--engine", "scripted", "--no-embeddings", "--limit"]
    assert "these were 2 of 3 rows (--limit)" in textcentric("augment", *flags, 2).out
    assert "these were" not in textcentric("augment", *flags, 3).out


def test_words_and_flags_are_quoted_for_a_shell() -> None:
    line = command("predict", Path("models/my dog"), dataset="it's.csv", data_dir=None, text=())
    assert shlex.split(line) == ["textcentric", "predict", "models/my dog", "--dataset", "it's.csv"]
    assert (
        command("x", a_b=True, c_d=False, e=["1", "2"])
        == "textcentric x --a-b --no-c-d --e 1 --e 2"
    )


def test_every_role_has_its_flag() -> None:
    names = {name for option in built("augment", "augment:augment").params for name in option.opts}
    assert names >= {flag_of(role) for role in ROLES}
    assert schema_flags({"id": "a", "columns": {}}) == {"schema": "SCHEMA.yaml"}
    assert schema_flags("rooms.yaml") == {"schema": "rooms.yaml"}


def ended(model: Path) -> TrainResult:
    return TrainResult(model, 1, {}, None, "", 0.0, [])


def test_what_comes_after_a_training_reads_rows_by_the_same_roles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = {"id": "key", "target": "price", "text": ["title", "some words"]}
    training = Training(dataset="my rows.csv", table_schema=roles, data_dir="there")
    model = tmp_path / "a model"
    line = train_downstream.then_do(ended(model), training)
    made: list[EvaluateConfig] = []

    def evaluate(config: EvaluateConfig, **_: Any) -> dict[str, Any]:
        made.append(config)
        return {}

    monkeypatch.setattr(robustness, "find_model", Path)
    monkeypatch.setattr(robustness, "evaluate", evaluate)
    monkeypatch.setattr(run_evaluate, "tell_results", lambda *_, **__: None)
    assert textcentric(*shlex.split(line)[1:]).code == 0
    (config,) = made
    assert (config.models, config.dataset, config.data_dir) == ((model,), "my rows.csv", "there")
    assert config.table_schema == roles


def test_what_comes_after_a_reward_training_names_the_pictures() -> None:
    training = RewardTraining(dataset_name="p.jsonl", image_dir="my photos", image_expert="pixels")
    told = train_reward.then_do(ended(Path("m")), training)
    assert told == (
        "textcentric score m --input RESPONSES.jsonl --image-dir 'my photos' --image-expert pixels"
        " -o scores.jsonl"
    )


@pytest.mark.parametrize(
    "word",
    ["my dog", "x;echo y", "$(reboot)", "it's", "a\nb", "\x1b]0;owned\x07", "\u202eabc", "a\\\tb'"],
)
def test_a_shell_reads_a_word_back_and_a_terminal_obeys_none(word: str) -> None:
    text = quoted(word)
    assert text.isprintable()
    env = {"LC_ALL": "C.UTF-8"}
    said = subprocess.run(["bash", "-c", f"printf %s {text}"], capture_output=True, env=env)
    assert said.stdout.decode() == word


def test_a_path_that_begins_with_a_dash_is_no_option() -> None:
    assert command("runs", "resume", Path("-rf")) == "textcentric runs resume ./-rf"
