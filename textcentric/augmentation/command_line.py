"""A configuration of `augment` as the one line that asks for it again, quoted for a shell."""

from __future__ import annotations

import os
from typing import Any

from textcentric.augmentation.config import AugmentConfig
from textcentric.command_line import (
    EMPTY,
    as_yaml,
    flag_words,
    joined,
    only_roles,
    quoted,
    schema_flags,
    setting_words,
)
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
            text = "" if value in EMPTY else as_yaml(values[name])
            variables.append(f"{variable}={quoted(text)}")
        else:
            said += words
    return " ".join([*variables, joined(["textcentric", *said])])


def _augment_words(name: str, value: Any) -> list[str] | None:
    """Return the flag of a key with its value, None where there is no flag for it."""
    if name == "engine_settings":
        return setting_words("engine", value)
    if name == "table_schema":
        if isinstance(value, dict) and not only_roles(value):
            return None
        return [word for flag, of in schema_flags(value).items() for word in flag_words(flag, of)]
    return flag_words(name, value)
