"""The configuration of `augment`: flags win over environment, over the file, over defaults."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from textcentric.errors import ConfigError, unknown

ENVIRONMENT = "TEXTCENTRIC_"

# What may change without making it another run: where it goes, when it stops, how it talks.
# The folder of prompts is among them because the digests of the prompts already decide.
RUNTIME = frozenset(
    "output_dir resume reuse base_url max_failed accept max_tokens_total max_minutes format"
    " prompt_dir".split()
)
CALL = frozenset({"output_dir", "resume"})  # of one call, so never saved
ADDED = frozenset("data prompt_digests bank engine_fingerprint".split())  # by a run to its run.yaml
LONGEST_VALUE = 60  # characters of a value in a message
Change = tuple[str, Any, Any]  # name, before, after
SECRET = re.compile(r"(^|_)(key|token|password|secret)$")


class AugmentConfig(BaseModel):
    """Everything that `textcentric augment` can be told, under the names of its flags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = "petfinder"
    data_dir: str | None = None
    table_schema: dict[str, Any] | str | None = None
    split: str | None = None
    limit: int | None = Field(None, ge=1)
    require: tuple[str, ...] = ()
    prompts: str = "adversarial"
    prompt_dir: str | None = None
    samples: int = Field(1, ge=1)
    sentences: int | None = Field(None, ge=1)
    summarize: bool = True
    perturb: Literal["train", "all"] = "train"
    engine: str = "auto"
    model: str | None = None
    base_url: str | None = None
    engine_settings: dict[str, Any] = {}
    image_expert: str = "auto"
    audio_expert: str = "auto"
    missing_values: Literal["skip", "name"] = "skip"
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1)
    on_too_long: Literal["fail", "truncate"] = "fail"
    embeddings: bool = True
    seed: int = 0
    output_dir: str | None = None
    resume: Literal["auto", "never", "always"] = "auto"
    reuse: tuple[str, ...] = ()
    max_failed: float = Field(0.05, ge=0, le=1)
    accept: int | None = Field(None, ge=1)
    max_tokens_total: int | None = Field(None, ge=1)
    max_minutes: float | None = Field(None, gt=0)
    format: Literal["parquet", "jsonl"] = "parquet"

    @model_validator(mode="after")
    def _without_secrets(self) -> AugmentConfig:
        """Refuse what must not be saved; a ConfigError, so that pydantic does not repeat it."""
        for url in (self.base_url, self.engine_settings.get("base_url")):
            check_address(url)
        for name, value in self.engine_settings.items():
            if SECRET.search(name) and isinstance(value, str):
                raise ConfigError(
                    f"engine.{name} would be saved in run.yaml; expected no secret among the"
                    " settings: give it in the environment (OPENAI_API_KEY, HF_TOKEN)"
                )
        return self

    def identity(self) -> dict[str, Any]:
        """Return what makes this run this run, as plain JSON values."""
        values = self.model_dump(mode="json", exclude=set(RUNTIME))
        identity: dict[str, Any] = json.loads(json.dumps(values))
        return identity

    def runtime(self) -> dict[str, Any]:
        """Return what else was resolved and holds for going on, as plain JSON values."""
        return self.model_dump(mode="json", include=set(RUNTIME - CALL))


def resolve(file: Path | None = None, flags: Mapping[str, Any] | None = None) -> AugmentConfig:
    """Merge defaults, `file`, the environment and `flags` (None means not given).

    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    values = _from_file(file) if file else {}
    values |= _from_environment()
    values |= {name: value for name, value in (flags or {}).items() if value is not None}
    for name in values:
        if name not in AugmentConfig.model_fields:
            raise ConfigError(unknown("configuration key", name, AugmentConfig.model_fields))
    try:
        return AugmentConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "the configuration")) from error


def first_problem(error: ValidationError, whole: str) -> str:
    """Say which value is wrong and what was expected; `whole` is the name of all of them."""
    problem = error.errors()[0]
    where = ".".join(str(piece) for piece in problem["loc"])
    what = problem["msg"].removeprefix("Value error, ")
    return f"{where}={problem['input']!r:.80}: {what}" if where else f"{whole}: {what}"


def read_keys(path: Path) -> dict[str, Any]:
    """Read a YAML file of keys and values; raises ConfigError where it is none."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"configuration file {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {path} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"configuration file {path}: expected keys and values")
    return values


def check_address(url: Any) -> None:
    """Raise ConfigError for a server's address that holds more than an address."""
    bare = re.split(r"[?#]", re.sub(r"(^|//)[^/]*@", r"\1", str(url or "")))[0]
    if bare != str(url or ""):
        raise ConfigError(
            f"base_url {bare!r} came with a user, a password or a query, which are left out here;"
            " expected an address like http://127.0.0.1:8000/v1; give the key in the environment"
            " as OPENAI_API_KEY"
        )


def identity_of(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a `run.yaml` that makes the run this run."""
    return {name: value for name, value in saved.items() if name not in RUNTIME}


def fingerprint(identity: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return eight hex digits that stand for an identity."""
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return one line for each value that differs, nested keys joined by dots, long values cut.

    >>> differences({"limit": 24, "seed": 0}, {"limit": 48, "seed": 0})
    ['limit: 24 -> 48']
    """
    return [
        f"{name}: {brief(before, LONGEST_VALUE)} -> {brief(after, LONGEST_VALUE)}"
        for name, before, after in changes(old, new)
    ]


def changes(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[Change]:
    """Return the name of each value that differs, with both values, None where there is none.

    >>> changes({"data": {"rows": 3}}, {"data": {"rows": 4}})
    [('data.rows', 3, 4)]
    """
    found: list[Change] = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            found += changes(before, after, f"{prefix}{key}.")
        elif before != after:
            found.append((f"{prefix}{key}", before, after))
    return found


def brief(value: object, longest: int) -> str:
    """Return `value` as text of at most `longest` characters.

    >>> brief("adversarial/noise", 8)
    'adversa…'
    """
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def settings(pairs: list[str]) -> dict[str, Any]:
    """Read `--set engine.X=Y` pairs; values are YAML (`true`, `3`, `[a, b]`, text)."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        section, dot, key = name.strip().partition(".")
        if not equals or not dot or section != "engine" or not key:
            raise ConfigError(f"--set {pair!r}: expected engine.NAME=VALUE")
        values[key] = _yaml_value(f"--set {pair!r}", value)
    return values


def _from_file(path: Path) -> dict[str, Any]:
    """Read a file of configuration keys; the `run.yaml` of a run is one too."""
    return {name: value for name, value in read_keys(path).items() if name not in ADDED}


def _from_environment() -> dict[str, Any]:
    """Read TEXTCENTRIC_NAME for each configuration key; values are YAML."""
    values = {}
    for name in AugmentConfig.model_fields:
        text = os.environ.get(ENVIRONMENT + name.upper())
        if text:
            values[name] = _yaml_value(ENVIRONMENT + name.upper(), text)
    return values


def _yaml_value(where: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: {text!r} is not YAML; put quotes around it") from error
