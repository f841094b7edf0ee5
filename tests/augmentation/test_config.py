"""The configuration: who wins over whom, which names are known, what makes a run this run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from textcentric.augmentation.config import AugmentConfig, resolve
from textcentric.errors import ConfigError
from textcentric.folders import differences, fingerprint
from textcentric.runs.identity import LATER, identity_of


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_flags_win_over_environment_over_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "seed: 1\nsamples: 2\nlimit: 3\n")
    monkeypatch.setenv("TEXTCENTRIC_SAMPLES", "4")
    monkeypatch.setenv("TEXTCENTRIC_LIMIT", "5")
    config = resolve(file, {"limit": 6, "seed": None})
    assert (config.perturb, config.seed, config.samples, config.limit) == ("train", 1, 4, 6)


def test_environment_values_are_read_as_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTCENTRIC_EMBEDDINGS", "false")
    monkeypatch.setenv("TEXTCENTRIC_REQUIRE", "[image, text]")
    monkeypatch.setenv("TEXTCENTRIC_PROMPTS", "adversarial/*,judge")
    config = resolve()
    assert (config.embeddings, config.require) == (False, ("image", "text"))
    assert config.prompts == "adversarial/*,judge"


def test_an_environment_value_that_is_not_yaml_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTCENTRIC_PROMPTS", "*noise")
    with pytest.raises(ConfigError, match=r"TEXTCENTRIC_PROMPTS: '\*noise' is not YAML; put quot"):
        resolve()


def test_an_unknown_key_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown key of augment 'promts'; did you mean 'pro"):
        resolve(write(tmp_path, "promts: adversarial\n"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"limit": 0}, "limit=0: Input should be greater than or equal to 1"),
        ({"resume": "yes"}, "resume='yes': Input should be 'auto', 'never' or 'always'"),
        ({"max_failed": 1.5}, "max_failed=1.5: Input should be less than or equal to 1"),
        ({"temperature": "hot"}, "temperature='hot': Input should be a valid number"),
    ],
)
def test_a_value_that_does_not_fit_is_shown(flags: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(None, flags)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "expected keys and values"),
        ("seed: [1", "is not YAML"),
        ("\0", "is not YAML"),
    ],
)
def test_a_file_that_holds_no_configuration_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(write(tmp_path, text))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent.yaml: No such file"):
        resolve(tmp_path / "absent.yaml")


def test_where_a_run_goes_and_when_it_stops_are_not_part_of_it() -> None:
    plain = AugmentConfig().identity()
    changed = AugmentConfig(output_dir="x", max_minutes=3, accept=2, resume="always").identity()
    assert changed == plain
    assert AugmentConfig(seed=1).identity() != plain


def test_what_was_resolved_is_identity_runtime_and_the_call_itself() -> None:
    config = AugmentConfig(max_minutes=3, reuse=("runs/old",), format="jsonl")
    assert config.runtime() == {
        "prompt_dir": None, "base_url": None, "reuse": ["runs/old"], "max_failed": 0.05,
        "accept": None, "max_tokens_total": None, "max_minutes": 3.0, "format": "jsonl",
    }  # fmt: skip
    named = config.identity().keys() | config.runtime().keys() | {"output_dir", "resume"}
    assert named | LATER == AugmentConfig.model_fields.keys()
    assert AugmentConfig(strict=0.9).identity()["strict"] == 0.9
    saved = config.identity() | config.runtime() | {"prompt_digests": {"a": "b"}}
    assert identity_of(saved) == config.identity() | {"prompt_digests": {"a": "b"}}


def test_later_choices_are_saved_where_they_were_made() -> None:
    priced, plain = AugmentConfig(price_input=2, max_cost=1.5), AugmentConfig()
    assert priced.identity() == plain.identity()
    assert priced.runtime() == plain.runtime() | {"price_input": 2.0, "max_cost": 1.5}


def test_the_saved_configuration_of_a_run_is_a_configuration_file(tmp_path: Path) -> None:
    config = AugmentConfig(seed=3, max_failed=0.5)
    saved = config.identity() | config.runtime()
    saved |= {"data": {"name": "a"}, "prompt_digests": {}, "bank": "b", "engine_fingerprint": {}}
    assert resolve(write(tmp_path, json.dumps(saved))) == config


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@host:8000/v1",
        "https://hunter2@host:8000/v1",
        "https://host:8000/v1?api_key=hunter2",
        "https://host:8000/v1#hunter2",
        "me:hunter2@host:8000/v1",
    ],
)
@pytest.mark.parametrize("place", ["base_url", "engine_settings"])
def test_an_address_with_more_than_the_address_is_refused_and_not_repeated(
    url: str, place: str
) -> None:
    with pytest.raises(ConfigError, match=r"host:8000/v1' came with a user, a password") as caught:
        resolve(None, {place: url if place == "base_url" else {"base_url": url}})
    assert "hunter2" not in str(caught.value)


def test_a_plain_address_is_taken_as_it_is() -> None:
    for url in ("http://127.0.0.1:8000/v1", "https://host/@team/v1"):
        assert resolve(None, {"base_url": url}).base_url == url


def test_a_secret_among_the_engines_settings_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"engine\.hf_token would be saved in run") as caught:
        resolve(None, {"engine_settings": {"hf_token": "hunter2"}})
    assert "hunter2" not in str(caught.value)
    assert resolve(None, {"engine_settings": {"hf_token": True, "tokenizer": "a"}})


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len(fingerprint({})) == 8


def test_differences_name_each_value_with_its_place() -> None:
    old = {"seed": 0, "data": {"name": "a", "rows": 3}, "gone": 1}
    new = {"seed": 1, "data": {"name": "a", "rows": 4}}
    assert differences(old, new) == ["data.rows: 3 -> 4", "gone: 1 -> None", "seed: 0 -> 1"]
