"""Settings: said once in the fields of a model, and read from file, environment, `--set` and flags.

A field says its name, type, default and limits; `setting` adds what help and reference page tell of
it. The command line and the reference page are made from that, and every reader of settings is
`Settings.of` or `read`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.errors import ConfigError, unknown

ENVIRONMENT = "TEXTCENTRIC_"
Say = Callable[[str], None]
# Former names of settings, which are taken until the next version.
FORMER = {
    "attention": "attn_implementation",
    "eval_rows": "held_out_rows",
    "lora_rank": "lora_r",
    "lora_targets": "lora_target_modules",
    "train_pairs": "train_rows",
}


class Key(NamedTuple):
    """A key of a field that is a mapping, which has a flag of its own."""

    key: str
    about: str
    repeat: bool = False


def setting(
    default: Any,
    about: str,
    *,
    panel: str | None = None,
    flags: Sequence[str] | None = None,
    off: str | None = None,
    metavar: str | None = None,
    shown: str | None = None,
    repeat: bool = False,
    keys: Mapping[str, Key] | None = None,
    **limits: Any,
) -> Any:
    """Return a field; `limits` are pydantic's (`ge`, `lt`, `min_length`, `default_factory`, ...).

    `about` is its help, `panel` the group of help that lists it, `flags` how it is spelt on the
    command line (default: its name; none: by `--set` alone) and `off` the opposite of a switch,
    `shown` what help says instead of the default, `repeat` whether a list is given by the flag
    repeated instead of by commas. A field that is a mapping may have flags for `keys` of it.
    """
    told: dict[str, Any] = {
        "panel": panel,
        "flags": flags,
        "off": off,
        "metavar": metavar,
        "shown": shown,
    }
    told |= {"repeat": repeat or None, "keys": keys}
    extra = {name: value for name, value in told.items() if value is not None}
    if default is not None or "default_factory" not in limits:
        limits["default"] = default
    return Field(description=about, json_schema_extra=extra, **limits)


class Settings(BaseModel):
    """A frozen model that refuses names it does not have.

    `called` is its name in messages and `panel` the group of help for fields that name none.
    `sections` are models of the fields that hold settings of their own, whose names may also stand
    outside them where `flat`; `mappings` gives fields that hold a mapping another name for dots
    (`engine.max_num_seqs`). `aliases` are other words with their help, which `translated`
    understands; `ignored` names mean nothing in a file; `defaults` go over those of the sections.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), defer_build=True
    )

    called: ClassVar[str] = "the configuration"
    panel: ClassVar[str] = "Method"
    sections: ClassVar[Mapping[str, type[Settings]]] = {}
    flat: ClassVar[bool] = True
    mappings: ClassVar[Mapping[str, str]] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    ignored: ClassVar[frozenset[str]] = frozenset()
    environment: ClassVar[bool] = False
    defaults: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the settings that `values` give, under names of today or former ones.

        Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.
        """
        current = cls.translated({cls.current(name): values[name] for name in values})
        for name in current:
            if name not in cls.model_fields:
                raise ConfigError(unknown(f"key of {cls.called}", name, cls.names()))
        try:
            return cls.model_validate(current)
        except ValidationError as error:
            raise ConfigError(first_problem(error, cls.called)) from error

    @classmethod
    def current(cls, name: str) -> str:
        """Return today's name of a field."""
        today = FORMER.get(name, name)
        return today if today in cls.model_fields and name not in cls.model_fields else name

    @classmethod
    def translated(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Return `values` without aliases; a model that has some says here what they mean."""
        return values

    @classmethod
    def names(cls) -> list[str]:
        """Return every name that a file may use at the top."""
        within = [s for section in cls.sections.values() for s in section.names()]
        keys = [name for field in cls.model_fields for name in extra(cls, field).get("keys", ())]
        own = [*cls.model_fields, *cls.aliases, *cls.mappings, *keys]
        return [*own, *(within if cls.flat else ())]

    @classmethod
    def path(cls, name: str) -> tuple[str, ...]:
        """Return where the value of `name` goes: a field, or a key below it.

        Raises ConfigError with the nearest name for one that is unknown.

        >>> from textcentric.augmentation.config import AugmentConfig
        >>> AugmentConfig.path("engine.max_num_seqs")
        ('engine_settings', 'max_num_seqs')
        """
        head, _, rest = name.partition(".")
        if rest:
            return cls._path_below(name, cls.mappings.get(head, head), rest)
        head = cls.current(head)
        if head in cls.model_fields or head in cls.aliases:
            return (head,)
        for field in cls.model_fields:
            for flag, below in extra(cls, field).get("keys", {}).items():
                if flag == head:
                    return (field, below.key)
            if head in spelt(cls, field):
                return (field,)
        for section, model in cls.sections.items():
            if cls.flat and knows(model, head):
                return (section, *model.path(head))
        raise ConfigError(unknown(f"key of {cls.called}", head, cls.names()))

    @classmethod
    def _path_below(cls, name: str, head: str, rest: str) -> tuple[str, ...]:
        if head in cls.sections:
            return (head, *cls.sections[head].path(rest))
        for section, model in cls.sections.items():
            if cls.flat and head in model.model_fields and holds_mapping(model, head):
                return (section, *model.path(f"{head}.{rest}"))
        if head not in cls.model_fields or not holds_mapping(cls, head):
            known = [*cls.sections, *cls.mappings]
            raise ConfigError(unknown(f"section of {cls.called}", name.partition(".")[0], known))
        if "." in rest:
            raise ConfigError(
                f"{name}: expected one name behind {name.partition('.')[0]}; give a mapping as its"
                f" value, such as {name.partition('.')[0]}.{rest.partition('.')[0]}={{a: 1}}"
            )
        keys = {below.key for below in extra(cls, head).get("keys", {}).values()}
        if keys and rest not in keys:
            raise ConfigError(unknown(f"key of {head}", rest, keys))
        return (head, rest)


Model = TypeVar("Model", bound=Settings)


def read(
    model: type[Model],
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    pairs: Sequence[str] = (),
    say: Say = lambda line: None,
    *,
    environment: bool = True,
) -> Model:
    """Merge defaults, `file`, the environment, pairs of `--set`, and `flags` (None: not given).

    Later ones win. `say` is told of former names.
    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    values: dict[str, Any] = {}
    written = read_keys(file).items() if file else ()
    sources = [
        [(name, value) for name, value in written if name not in model.ignored],
        list(_from_environment(model)) if environment and model.environment else [],
        [read_pair(pair, [*model.sections, *model.mappings]) for pair in pairs],
        [(name, value) for name, value in (flags or {}).items() if value is not None],
    ]
    for name, value in (item for source in sources for item in source):
        put(values, model, name, value, say)
    return model.of(values)


def put(values: dict[str, Any], model: type[Settings], name: str, value: Any, say: Say) -> None:
    """Put a value where its name says that it goes in `values`; a section is put key by key."""
    path = model.path(name)
    if path[-1] == FORMER.get(name.rpartition(".")[2]):
        say(f"{name} is called {path[-1]} now; the former name is taken until the next version")
    if path[-1] in model.sections and len(path) == 1:
        if not isinstance(value, Mapping | None):
            raise ConfigError(f"section {name} holds {value!r:.60}, expected `key: value` lines")
        values.setdefault(path[0], {})
        for key, below in (value or {}).items():
            put(values, model, f"{name}.{key}", below, say)
        return
    *above, last = path
    for key in above:
        if not isinstance(values.setdefault(key, {}), dict):
            raise ConfigError(
                f"{key}={values[key]!r} and {name}={value!r} exclude each other: put {name} into"
                f" {values[key]}, or leave {key} out"
            )
        values = values[key]
    if isinstance(value, Mapping):
        held = values.get(last)
        value = {**(held if isinstance(held, dict) else {}), **value}
    values[last] = value


def read_pair(pair: str, sections: Sequence[str]) -> tuple[str, Any]:
    """Return name and value of `--set SECTION.NAME=VALUE`; the value is YAML (`[a, b]`, text).

    >>> read_pair("train.adam=0.9", ["train"])
    ('train.adam', 0.9)
    """
    name, equals, text = pair.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and section and dot and key):
        forms = " or ".join(f"{section}.NAME=VALUE" for section in sections)
        raise ConfigError(f"--set {pair!r}: expected {forms}")
    return name.strip(), _yaml_value(f"--set {pair!r}", text)


def read_keys(path: Path) -> dict[str, Any]:
    """Read a YAML file of keys and values; raises ConfigError where it is none."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"configuration file {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {path} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"configuration file {path}: expected keys and values")
    return values


def first_problem(error: ValidationError, whole: str) -> str:
    """Say which value is wrong and what was expected; `whole` is the name of all of them."""
    problem = error.errors()[0]
    where = ".".join(str(piece) for piece in problem["loc"])
    what = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{whole} needs {where}: give --{where.replace('_', '-')}"
    return f"{where}={problem['input']!r:.80}: {what}" if where else f"{whole}: {what}"


def split_commas(text: str) -> list[str]:
    """Return the names of a comma-separated text.

    >>> split_commas("text, table")
    ['text', 'table']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def extra(model: type[BaseModel], field: str) -> Mapping[str, Any]:
    """Return what `setting` was told of a field beyond pydantic's own."""
    told = model.model_fields[field].json_schema_extra
    return told if isinstance(told, dict) else {}


def spelt(model: type[BaseModel], field: str) -> list[str]:
    """Return the long names of a field's flags, as keys of a file."""
    flags = extra(model, field).get("flags", ())
    return [flag[2:].replace("-", "_") for flag in flags if flag.startswith("--")]


def knows(model: type[Settings], name: str) -> bool:
    """Say whether a model takes a value of that name."""
    names = {model.current(name), name}
    return not names.isdisjoint(model.names()) or any(
        name in spelt(model, field) for field in model.model_fields
    )


def holds_mapping(model: type[BaseModel], field: str) -> bool:
    """Say whether the value of a field may be a mapping."""
    return "dict[" in str(model.model_fields[field].annotation)


def with_current_names(saved: Any) -> Any:
    """Return what was written as JSON, with today's names of settings, at every depth.

    >>> with_current_names({"config": {"lora_rank": 4}})
    {'config': {'lora_r': 4}}
    """
    if not isinstance(saved, dict):
        return saved
    return {FORMER.get(name, name): with_current_names(value) for name, value in saved.items()}


def _from_environment(model: type[Settings]) -> Iterator[tuple[str, Any]]:
    """Yield TEXTCENTRIC_NAME for each field; values are YAML."""
    for name in model.model_fields:
        variable = ENVIRONMENT + name.upper()
        if text := os.environ.get(variable):
            yield name, _yaml_value(variable, text)


def _yaml_value(where: str, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: {text!r} is not YAML; put quotes round it") from error
