"""Commands to paste: a configuration as the one line that asks for it again, quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from textcentric.errors import flag_of
from textcentric.fields import ROLES
from textcentric.settings import Given

EMPTY: tuple[object, ...] = (None, (), [], {})  # values that no flag can give


def command(*words: object, **flags: object) -> str:
    """Return `textcentric WORDS --flag value ...`; flags that are None or empty are left out.

    >>> command("predict", "models/my dog", dataset="new.csv", data_dir=None)
    "textcentric predict 'models/my dog' --dataset new.csv"
    """
    said = ["textcentric", *map(str, words)]
    for name, value in flags.items():
        said += flag_words(name, value)
    return shlex.join(said)


def schema_flags(schema: Given | str | None) -> dict[str, object]:
    """Return the flags of `command` that say a schema; one beyond roles has to be a file.

    >>> schema_flags({"text": ["title", "words"], "split": "part"})
    {'text': ['title', 'words'], 'split_column': 'part'}
    """
    if isinstance(schema, Mapping):
        if not only_roles(schema):
            return {"schema": "SCHEMA.yaml"}
        flags = {role.key: flag for flag, role in ROLES.items()}
        return {flags[key]: value for key, value in schema.items()}
    return {"schema": schema}


def flag_words(name: str, value: object) -> list[str]:
    """Return the words that give a flag its value, none for an empty one."""
    flag = flag_of(name, off=value is False)
    if isinstance(value, bool):
        return [flag]
    if isinstance(value, list | tuple):
        return [word for one in value for word in (flag, str(one))]
    return [] if value in EMPTY else [flag, str(value)]


def only_roles(schema: Given) -> bool:
    """Say whether role flags say all of `schema`."""
    columns = [c for of in schema.values() for c in (of if isinstance(of, list | tuple) else [of])]
    roles = {role.key for role in ROLES.values()}
    return set(schema) <= roles and all(isinstance(column, str) for column in columns)
