"""Settings: said once in the fields of a model, and read from file, environment, `--set` and flags.

A field says its name, type, default and limits; `setting` adds what help and reference page tell of
it. The command line and the reference page are made from that, and every reader of settings is
`Settings.of` or `read`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.errors import ConfigError, cut, option, quoted, unknown
from textcentric.security.yaml import Unreadable, load, parse

ENVIRONMENT = "TEXTCENTRIC_"
Say = Callable[[str], None]
Values: TypeAlias = dict[str, Any]  # settings by their names, of whatever types their fields are
Given: TypeAlias = Mapping[str, Any]  # the same, to be read alone
AnyField: TypeAlias = Any  # a field, which may be set to a value of any type
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
) -> AnyField:
    """Return a field; `limits` are pydantic's (`ge`, `lt`, `min_length`, `default_factory`, ...).

    `about` is its help, `panel` the group of help that lists it, `flags` how it is spelt on the
    command line (default: its name; none: by `--set` alone) and `off` the opposite of a switch,
    `shown` what help says instead of the default, `repeat` whether a list is given by the flag
    repeated instead of by commas. A field that is a mapping may have flags for `keys` of it.
    """
    display: Values = {"panel": panel, "flags": flags, "off": off, "metavar": metavar}
    display |= {"shown": shown, "repeat": repeat or None, "keys": keys}
    given = {name: value for name, value in display.items() if value is not None}
    if "default_factory" not in limits:
        limits["default"] = default
    return Field(description=about, json_schema_extra=given, **limits)


class Settings(BaseModel):
    """A frozen model that refuses names it does not have.

    `called` is its name in messages and `panel` the group of help for fields that name none.
    `sections` are models of the fields that hold settings of their own, whose names may also stand
    outside them where `flat`; `mappings` gives fields that hold a mapping another name for dots
    (`engine.max_num_seqs`). `aliases` are other words with their help, which `translated`
    understands; `ignored` names mean nothing in a file; `defaults` go over those of the sections.
    `added` are names that what was made before does not have: it is as if they had their defaults.
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
    defaults: ClassVar[Given] = {}
    added: ClassVar[frozenset[str]] = frozenset()

    def identity_values(self) -> Values:
        """Return the values, as JSON, that tell what is made by these settings from others."""
        usual = {n for n in self.added if getattr(self, n) == type(self).model_fields[n].default}
        return self.model_dump(mode="json", exclude=usual)

    @classmethod
    def of(cls, values: Given) -> Self:
        """Return the settings that `values` give, under names of today or former ones.

        Raises ConfigError, with the nearest name for an unknown key and with the value otherwise.
        """
        current = cls.translated({cls._current(name): value for name, value in values.items()})
        for name in current:
            if name not in cls.model_fields:
                raise ConfigError(unknown(f"key of {cls.called}", name, todays(cls.places())))
        try:
            return cls.model_validate(current)
        except ValidationError as error:
            raise ConfigError(first_problem(error, cls.called)) from error

    @classmethod
    def translated(cls, values: Values) -> Values:
        """Return `values` without aliases; a model that has some says here what they mean."""
        return values

    @classmethod
    def places(cls) -> dict[str, tuple[str, ...]]:
        """Return every name that may stand at the top, and where it goes: a field, or below one."""
        places: dict[str, tuple[str, ...]] = {}
        for section, model in cls.sections.items() if cls.flat else ():
            below = {name: (section, *path) for name, path in model.places().items()}
            places = below | places  # the first section that knows a name has it
        for field in cls.model_fields:
            flags = extra(cls, field).get("flags", ())
            places |= {name_of(flag): (field,) for flag in flags if flag.startswith("--")}
            places |= {name: (field, key.key) for name, key in keys_of(cls, field).items()}
        places |= {name: (name,) for name in (*cls.model_fields, *cls.aliases)}
        former = {name: places[today] for name, today in FORMER.items() if today in places}
        return former | places

    @classmethod
    def path(cls, name: str) -> tuple[str, ...]:
        """Return where the value of `name` goes; a dot stands behind a section or a mapping.

        Raises ConfigError with the nearest name for one that is unknown.
        """
        head, dot, rest = name.partition(".")
        places = cls.places()
        if not dot:
            if head not in places:
                raise ConfigError(unknown(f"key of {cls.called}", head, todays(places)))
            return places[head]
        if head in cls.sections:
            return (head, *cls.sections[head].path(rest))
        field = cls.mappings.get(head, head)
        if field not in places or not cls._keys_at(places[field]):
            held = [name for name, path in places.items() if cls._keys_at(path)]
            sections = dict.fromkeys([*cls.sections, *cls.mappings, *held])
            raise ConfigError(unknown(f"section of {cls.called}", head, sections))
        return (*places[field], cls._key(head, rest, cls._keys_at(places[field])))

    @classmethod
    def _keys_at(cls, path: tuple[str, ...]) -> set[str]:
        """Return the keys of the mapping at `path`, "*" for any; none where it holds no mapping."""
        if path[0] in cls.sections and path[1:]:
            return cls.sections[path[0]]._keys_at(path[1:])
        field = cls.model_fields.get(path[0])  # none of an alias
        if path[1:] or field is None or "dict[" not in str(field.annotation):
            return set()
        return {key.key for key in keys_of(cls, path[0]).values()} or {"*"}

    @classmethod
    def _key(cls, head: str, rest: str, keys: set[str]) -> str:
        first, dot, _ = rest.partition(".")
        if dot:
            raise ConfigError(
                f"{head}.{rest}: expected one name behind {head}; give a mapping as its value, such"
                f" as {head}.{first}={{a: 1}}"
            )
        if rest not in keys and keys != {"*"}:
            raise ConfigError(unknown(f"key of {head}", rest, keys))
        return rest

    @classmethod
    def _current(cls, name: str) -> str:
        """Return today's name of a field."""
        today = FORMER.get(name, name)
        return today if today in cls.model_fields and name not in cls.model_fields else name


Model = TypeVar("Model", bound=Settings)


def read(
    model: type[Model],
    file: Path | None = None,
    flags: Given | None = None,
    pairs: Sequence[str] = (),
    say: Say = lambda line: None,
    *,
    environment: bool = True,
) -> Model:
    """Merge defaults, `file`, the environment, pairs of `--set`, and `flags` (None: not given).

    Later ones win. `say` is told of former names.
    Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
    """
    values: Values = {}
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


def put(values: Values, model: type[Settings], name: str, value: object, say: Say) -> None:
    """Put a value where its name says that it goes in `values`; a section is put key by key."""
    *above, last = model.path(name)
    if last == FORMER.get(name.rpartition(".")[2]):
        say(f"{name} is called {last} now; the former name is taken until the next version")
    if last in model.sections and not above:
        if not isinstance(value, Mapping | None):
            raise ConfigError(f"section {name} holds {quoted(value)}, expected `key: value` lines")
        for key, below in (value or {}).items():
            put(values, model, f"{name}.{key}", below, say)
        return
    for key in above:
        values = _opened(values, key, name, value)
    held = values.get(last)
    if isinstance(value, Mapping) and isinstance(held, dict):
        value = {**held, **value}
    values[last] = value


def _opened(values: Values, key: str, name: str, value: object) -> Values:
    """Return the mapping below `key`; raises ConfigError where something else stands there."""
    held = values.setdefault(key, {})
    if isinstance(held, dict):
        return held
    raise ConfigError(
        f"{key}={quoted(held)} and {name}={quoted(value)} exclude each other: put {name} into"
        f" {cut(held)}, or leave {key} out"
    )


def read_pair(pair: str, sections: Sequence[str]) -> tuple[str, object]:
    """Return name and value of `--set SECTION.NAME=VALUE`; the value is YAML (`[a, b]`, text).

    >>> read_pair("train.adam=0.9", ["train"])
    ('train.adam', 0.9)
    """
    name, equals, text = pair.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and section and dot and key):
        forms = " or ".join(f"{section}.NAME=VALUE" for section in sections)
        raise ConfigError(f"--set {quoted(pair)}: expected {forms}")
    return name.strip(), _yaml_value(f"--set {quoted(pair)}", text)


def read_keys(path: Path) -> Values:
    """Read a YAML file of keys and values; raises ConfigError where it is none."""
    what = f"configuration file {path}"
    try:
        values = parse(path.read_text(encoding="utf-8"), what)
    except OSError as error:
        raise ConfigError(f"{what}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{what} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"configuration file {path}: expected keys and values")
    return values


def first_problem(error: ValidationError, whole: str) -> str:
    """Say which value is wrong and what was expected; `whole` is the name of all of them."""
    problem = error.errors()[0]
    where = ".".join(str(piece) for piece in problem["loc"])
    what = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "dict_type":
        what = "expected names with a value each, {name: value}"
    if problem["type"] == "missing":
        return f"{whole} needs {where}: give {option(where)}"
    return f"{where}={quoted(problem['input'], 80)}: {what}" if where else f"{whole}: {what}"


def split_commas(text: str) -> list[str]:
    """Return the names of a comma-separated text.

    >>> split_commas("text, table")
    ['text', 'table']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def extra(model: type[BaseModel], field: str) -> Given:
    """Return what `setting` was told of a field beyond pydantic's own."""
    display = model.model_fields[field].json_schema_extra
    return display if isinstance(display, dict) else {}


def keys_of(model: type[BaseModel], field: str) -> Mapping[str, Key]:
    """Return the keys of a field that have flags of their own, by the names of those."""
    keys: Mapping[str, Key] = extra(model, field).get("keys", {})
    return keys


def name_of(flag: str) -> str:
    """Return the key that a flag is called like in a file."""
    return flag.removeprefix("--").replace("-", "_")


def todays(names: Iterable[str]) -> list[str]:
    """Return `names` without former ones."""
    return [name for name in names if name not in FORMER]


def with_current_names(saved: Any) -> Any:
    """Return what was written as JSON, with today's names of settings, at every depth.

    >>> with_current_names({"config": {"lora_rank": 4}})
    {'config': {'lora_r': 4}}
    """
    if not isinstance(saved, dict):
        return saved
    return {FORMER.get(name, name): with_current_names(value) for name, value in saved.items()}


def _from_environment(model: type[Settings]) -> Iterator[tuple[str, object]]:
    """Yield TEXTCENTRIC_NAME for each field; values are YAML."""
    for name in model.model_fields:
        variable = ENVIRONMENT + name.upper()
        if text := os.environ.get(variable):
            yield name, _yaml_value(variable, text)


def _yaml_value(where: str, text: str) -> object:
    try:
        return load(text)
    except Unreadable as error:
        raise ConfigError(
            f"{where}: {quoted(text)} is not YAML; put quotes round it ({error})"
        ) from error
