"""Commands to paste: a configuration as the one line that asks for it again, quoted for a shell."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from textcentric.config import SECRET, AugmentConfig
from textcentric.fields import ROLES
from textcentric.settings import ENVIRONMENT

SUBJECT = ("dataset", "prompts")  # what the command is about: said even where it is the default
SHORT = {"output_dir": "-o", "output": "-o", "config": "-c"}
EMPTY: tuple[object, ...] = (None, (), [], {})  # values that no flag can give


def command(*words: object, **flags: object) -> str:
    """Return `textcentric WORDS --flag value ...`; flags that are None or empty are left out.

    >>> command("predict", "models/my dog", dataset="new.csv", data_dir=None)
    "textcentric predict 'models/my dog' --dataset new.csv"
    """
    said = ["textcentric", *map(str, words)]
    for name, value in flags.items():
        said += _flag(name, value)
    return shlex.join(said)


def schema_flags(schema: Mapping[str, Any] | str | None) -> dict[str, object]:
    """Return the flags of `command` that say a schema; one beyond roles has to be a file.

    >>> schema_flags({"id": "key", "text": ["title", "words"]})
    {'id': 'key', 'text': ['title', 'words']}
    """
    if isinstance(schema, Mapping):
        return dict(schema) if _only_roles(schema) else {"schema": "SCHEMA.yaml"}
    return {"schema": schema}


def augment_command(config: AugmentConfig) -> str:
    """Return the `augment` that resolves to `config` here: what differs from the defaults.

    What no flag can give stands in front, as the environment gives it; so does what this
    environment sets and `config` has not. Settings that are called like secrets are left out.
    """
    values = config.model_dump(mode="json")
    said, variables = ["augment"], []
    for name, field in AugmentConfig.model_fields.items():
        value, variable = getattr(config, name), ENVIRONMENT + name.upper()
        if value == field.default and name not in SUBJECT and not os.environ.get(variable):
            continue
        words = None if value in EMPTY else _augment_words(name, values[name])
        if words is None:
            text = "" if value in EMPTY else _yaml(values[name])
            variables.append(f"{variable}={shlex.quote(text)}")
        else:
            said += words
    return " ".join([*variables, command(*said)])


def _augment_words(name: str, value: Any) -> list[str] | None:
    """Return the flag of a key with its value, None where there is no flag for it."""
    if name == "engine_settings":
        kept = {key: held for key, held in value.items() if not _is_secret(key, held)}
        return [w for key, held in kept.items() for w in ("--set", f"engine.{key}={_yaml(held)}")]
    if name == "table_schema":
        if isinstance(value, dict) and not _only_roles(value):
            return None
        return [word for flag, of in schema_flags(value).items() for word in _flag(flag, of)]
    return _flag(name, value)


def _flag(name: str, value: object) -> list[str]:
    flag = SHORT.get(name) or f"--{name.replace('_', '-')}"
    if value is True:
        return [flag]
    if value is False:
        return [flag.replace("--", "--no-", 1)]
    if isinstance(value, list | tuple):
        return [word for one in value for word in (flag, str(one))]
    return [] if value in EMPTY else [flag, str(value)]


def _only_roles(schema: Mapping[str, Any]) -> bool:
    """Say whether role flags say all of `schema`."""
    columns = [c for of in schema.values() for c in (of if isinstance(of, list | tuple) else [of])]
    return set(schema) <= set(ROLES) and all(isinstance(column, str) for column in columns)


def _is_secret(name: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_secret(str(key), held) for key, held in value.items())
    return bool(SECRET.search(name)) and isinstance(value, str)


def _yaml(value: Any) -> str:
    """Return `value` as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
