"""A configuration of `augment` as the one line that asks for it again, quoted for a shell."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from textcentric.augmentation.config import AugmentConfig
from textcentric.command_line import EMPTY, command, flag_words, only_roles, schema_flags
from textcentric.fields import SECRET
from textcentric.settings import ENVIRONMENT

SUBJECT = ("dataset", "prompts")  # what the command is about: said even where it is the default


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
        if isinstance(value, dict) and not only_roles(value):
            return None
        return [word for flag, of in schema_flags(value).items() for word in flag_words(flag, of)]
    return flag_words(name, value)


def _is_secret(name: str, value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_is_secret(str(key), held) for key, held in value.items())
    return bool(SECRET.search(name)) and isinstance(value, str)


def _yaml(value: object) -> str:
    """Return `value` as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
