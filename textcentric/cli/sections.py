"""Configuration in sections: a YAML file, `--set SECTION.KEY=VALUE` and flags on top of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import yaml

from textcentric.errors import ConfigError, unknown


def read_set(pairs: Sequence[str], sections: Collection[str]) -> dict[str, Any]:
    """Read `--set SECTION.KEY=VALUE` pairs; values are YAML (`true`, `3`, `[a, b]`, text).

    >>> read_set(["train.adam=0.9"], ["train"])
    {'train.adam': 0.9}
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        section, dot, key = name.strip().partition(".")
        if not (equals and dot and key):
            raise ConfigError(f"--set {pair!r}: expected SECTION.KEY=VALUE, such as train.seed=1")
        if section not in sections:
            raise ConfigError(f"--set {pair!r}: {unknown('section', section, sections)}")
        try:
            values[f"{section}.{key}"] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(
                f"--set {pair!r}: {text!r} is not YAML; put quotes round it"
            ) from error
    return values


def merged(
    values: Mapping[str, Any], flags: Mapping[str, Any], sections: Collection[str]
) -> dict[str, Any]:
    """Return `values` under `flags` (None means not given; "a.b" reaches into section a).

    Raises ConfigError where a section of the file is no mapping.
    """
    found = dict(values)
    for section in sections:
        held = found.get(section)
        if not isinstance(held, Mapping | None):
            raise ConfigError(f"section {section} holds {held!r:.60}, expected `key: value` lines")
        found[section] = dict(held or {})
    for name, value in flags.items():
        if value is not None:
            section, _, key = name.rpartition(".")
            (found[section] if section else found)[key] = value
    return found


def split_commas(text: str | None) -> list[str] | None:
    """Return the names of a comma-separated flag, None where it was not given.

    >>> split_commas("text, table")
    ['text', 'table']
    """
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
