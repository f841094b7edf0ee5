"""Commands to paste: a configuration as the one line that asks for it again, quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from textcentric.errors import flag_of
from textcentric.fields import ROLES, SECRET
from textcentric.security.headers import REFERENCE
from textcentric.settings import Given

EMPTY: tuple[object, ...] = (None, (), [], {})  # values that no flag can give


def command(*words: object, **flags: object) -> str:
    """Return `textcentric WORDS --flag value ...`; flags that are None or empty are left out.

    >>> command("predict", "models/my dog", dataset="new.csv", data_dir=None)
    "textcentric predict 'models/my dog' --dataset new.csv"
    """
    said = ["textcentric", *(_no_flag(str(word)) for word in words)]
    for name, value in flags.items():
        said += flag_words(name, value)
    return joined(said)


def joined(words: Iterable[str]) -> str:
    """Return words as one line to paste.

    >>> joined(["ls", "my dog"])
    "ls 'my dog'"
    """
    return " ".join(map(quoted, words))


def quoted(word: str) -> str:
    """Return a word as a shell reads it back, with nothing in it that acts on a terminal.

    >>> quoted("a;b"), quoted("a\\nb")
    ("'a;b'", "$'a\\\\U0000000ab'")
    """
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte of a file name that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _no_flag(word: str) -> str:
    """Return a word that no shell command takes for an option: a path may begin with a dash."""
    return f"./{word}" if word.startswith("-") and not word.startswith("--") else word


def setting_words(section: str, values: Mapping[str, object]) -> list[str]:
    """Return the words that give a section its values; what is called like a secret is left out.

    >>> setting_words("engine", {"batch": 8, "api_key": "abc"})
    ['--set', 'engine.batch=8']
    """
    kept = {key: held for key, held in values.items() if not _is_secret(key, held)}
    return [w for key, held in kept.items() for w in ("--set", f"{section}.{key}={as_yaml(held)}")]


def as_yaml(value: object) -> str:
    """Return `value` as YAML in one line."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _is_secret(name: str, value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_is_secret(str(key), held) for key, held in value.items())
    if not isinstance(value, str) or REFERENCE.search(value):  # which names a variable alone
        return False
    return bool(SECRET.search(name))


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
