"""Options of a command, made from the fields of the settings that it takes.

A command whose first parameter is annotated with a model of settings gets an option for every
field, `-c` for a file of the same names and `--set` for any of them, and is called with what was
read:

    @configured("evaluation.config")
    def score(config: ScoreConfig, model: ..., quiet: Quiet = False) -> None: ...
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import typer
from pydantic_core import PydanticUndefined
from typer.models import OptionInfo

from textcentric.cli.terminal import say
from textcentric.security.brought import trust_folder
from textcentric.settings import FORMER, Given, Settings, extra, keys_of, read, split_commas

WIDE = 24  # characters of choices that stand beside the flag; more stand in the help
TYPES = {str: "TEXT", int: "INTEGER", float: "FLOAT", Path: "PATH"}


def of_output(*flags: str, about: str, **more: Any) -> OptionInfo:
    """Return an option about what a command writes or prints, as help lists it."""
    option: OptionInfo = typer.Option(*flags, help=about, rich_help_panel="Output", **more)
    return option


AsJson = Annotated[bool, of_output("--json", about="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, of_output("-q", "--quiet", about="Say only what went wrong.")]
Verbose = Annotated[bool, of_output("-v", "--verbose", about="Show libraries' own logs.")]
DryRun = Annotated[bool, of_output("--dry-run", about="Show the plan; write nothing.")]


class Shown(TypedDict):
    """What most commands take about what they print; `**shown: Unpack[Shown]` gives these flags."""

    as_json: AsJson
    quiet: Quiet
    verbose: Verbose


File = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        metavar="PATH",
        help="YAML of the names of these flags, with _ for -.",
        rich_help_panel="Configuration",
    ),
]

Trusted = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust",
        metavar="FOLDER",
        help="Trust a folder as it stands, from now on: what it brings has effect; may be"
        " repeated.",
        rich_help_panel="Configuration",
    ),
]


def trusting(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with `--trust`: the folders named are trusted before it begins."""

    def run(*, trusted_: list[Path] | None = None, **values: Any) -> None:
        for folder in trusted_ or ():
            for line in trust_folder(folder):
                say(line)
        command(**values)

    own = inspect.signature(command, eval_str=True)
    keyword = [p.replace(kind=p.KEYWORD_ONLY) for p in own.parameters.values()]
    run.__doc__ = inspect.getdoc(command)
    run.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[*keyword, parameter("trusted_", Trusted)]
    )
    return run


@dataclass(frozen=True)
class Option:
    """An option of a command: the key it sets, how it is spelt, and what help says of it."""

    field: str
    key: str
    flags: tuple[str, ...]
    help: str
    panel: str
    metavar: str = ""
    switch: bool = False
    repeat: bool = False
    split: bool = False  # by commas
    lone: bool = False  # a text without a comma stays a text
    default: str = ""
    choices: tuple[str | int, ...] = ()
    hidden: bool = False

    @property
    def name(self) -> str:
        """Return the name of the command's parameter."""
        return "set_" + self.key.replace(".", "__")

    def parameter(self) -> inspect.Parameter:
        """Return the parameter, as Typer reads it; not given it is None."""
        kind: Any = bool if self.switch else list[str] if self.repeat else str
        option = typer.Option(
            *self.flags,
            help=self.help,
            metavar=self.metavar or None,
            rich_help_panel=self.panel,
            show_default=self.default or False,
            hidden=self.hidden,
            autocompletion=self.completions if self.choices else None,
        )
        return parameter(self.name, Annotated[kind | None, option])

    def completions(self, incomplete: str) -> list[str]:
        """Return the choices that begin like that, for the shell."""
        return [choice for choice in map(str, self.choices) if choice.startswith(incomplete)]

    def value(self, given: Any) -> Any:
        """Return what was given as the field takes it; of numbers to choose from it is a number."""
        if self.split and isinstance(given, str) and not (self.lone and "," not in given):
            return split_commas(given)
        return next((choice for choice in self.choices if str(choice) == given), given)


@dataclass(frozen=True)
class Configured:
    """A command that takes settings, of which nothing is imported before it is used.

    Its first parameter is annotated with a model of `module`. `only` names the fields that get an
    option; without `file` there is no `-c`, and the environment is not read; `defaults` are the
    command's own, over those of the fields.
    """

    command: Callable[..., None]
    module: str
    only: tuple[str, ...]
    file: bool
    defaults: Given

    @cached_property
    def model(self) -> type[Settings]:
        """Return the model of the settings."""
        first = next(iter(inspect.signature(self.command).parameters.values()))
        held: type[Settings] = getattr(import_module(self.module), str(first.annotation))
        return held

    def callback(self) -> Callable[..., None]:
        """Return the command with its options as parameters."""
        options = list(self._options())
        arguments, switches = self._own()

        def run(**values: Any) -> None:
            flags = {option.key: option.value(values.pop(option.name)) for option in options}
            given = {**self.defaults}
            given |= {key: value for key, value in flags.items() if value not in (None, [])}
            fields = self.model.model_fields
            given |= {p.name: values[p.name] for p in arguments if p.name in fields}
            file, pairs = values.pop("file_", None), values.pop("pairs_", None) or ()
            settings = read(self.model, file, given, pairs, say, environment=self.file)
            self.command(settings, **values)

        made = [option.parameter() for option in options]
        made += [parameter("file_", File)] if self.file else []
        made += [parameter("pairs_", pairs)] if (pairs := _pairs(self.model, self.only)) else []
        signature = inspect.Signature([*arguments, *made, *switches])
        run.__doc__ = inspect.getdoc(self.command)
        run.__signature__ = signature  # type: ignore[attr-defined]
        return run

    def _options(self) -> Iterator[Option]:
        for option in options_of(self.model, self.defaults):
            if not self.only or option.field in self.only:
                # Without a file to read, what is not given is no default of the model's.
                yield option if self.file else replace(option, default="")

    def _own(self) -> tuple[list[inspect.Parameter], list[inspect.Parameter]]:
        """Return the command's own parameters: those that must be given, and the others."""
        names = {self.model.__name__: self.model}
        hints = get_type_hints(self.command, localns=names, include_extras=True)
        _, *rest = inspect.signature(self.command).parameters.values()
        own = []
        for p in rest:
            if p.kind is p.VAR_KEYWORD:
                flags = get_type_hints(get_args(hints[p.name])[0], include_extras=True)
                own += [parameter(name, flag, default=False) for name, flag in flags.items()]
            else:
                own.append(p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY))
        needed = [p for p in own if p.default is p.empty]
        return needed, [p for p in own if p not in needed]


def configured(
    module: str, *, only: Collection[str] = (), file: bool = True, **defaults: Any
) -> Callable[[Callable[..., None]], Configured]:
    """Make a command of a function whose first parameter is settings, a model of `module`."""

    def decorate(command: Callable[..., None]) -> Configured:
        return Configured(command, f"textcentric.{module}", tuple(only), file, defaults)

    return decorate


def parameter(name: str, annotation: Any, default: bool | None = None) -> inspect.Parameter:
    """Return a parameter of a command that is `default` where it is not given."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=default, annotation=annotation)


def options_of(model: type[Settings], defaults: Given | None = None) -> list[Option]:
    """Return the options of a model: of its fields, of those of its sections, and former ones.

    `defaults` are shown in place of those of the fields.
    """
    options = list(_options(model, "", {**model.defaults, **(defaults or {})}))
    if model.flat:
        for section, below in model.sections.items():
            own = {option.field for option in options}
            inner = _options(below, f"{section}.", model.defaults)
            options += [option for option in inner if option.field not in own]
    taken = {flag for option in options for flag in option.flags}
    return options + [former for former in _former(options) if not taken & {*former.flags}]


def _options(model: type[Settings], prefix: str, defaults: Given) -> Iterator[Option]:
    for name, info in model.model_fields.items():
        if extra(model, name).get("flags") != ():
            yield _option(model, name, prefix, defaults.get(prefix + name, info.default))
        for flag, key in keys_of(model, name).items():
            yield Option(
                field=name,
                key=prefix + flag,
                flags=(spelling(flag),),
                help=key.about,
                panel=panel_of(model, name),
                metavar="TEXT",
                repeat=key.repeat,
            )
    for name, about in model.aliases.items():
        flags = (f"{spelling(name)}/{spelling('no_' + name)}",)
        yield Option(name, prefix + name, flags, about, model.panel, switch=True)


def _option(model: type[Settings], name: str, prefix: str, default: object) -> Option:
    """Return the option of a field, by its type."""
    display, kind = extra(model, name), Kind.of(model.model_fields[name].annotation)
    repeat = kind.many and bool(display.get("repeat"))
    flags = tuple(display.get("flags", [spelling(name)]))
    if kind.switch:
        flags = (f"{flags[0]}/{display.get('off') or spelling('no_' + name)}",)
    word = display.get("metavar") or kind.word
    about = model.model_fields[name].description or ""
    return Option(
        field=name,
        key=prefix + name,
        flags=flags,
        help=about if kind.choices_fit else f"{about} One of {', '.join(map(str, kind.choices))}.",
        panel=panel_of(model, name),
        metavar=f"{word},..." if kind.many and not repeat else word,
        switch=kind.switch,
        repeat=repeat,
        split=kind.many and not repeat,
        lone=kind.lone,
        default=display.get("shown") or as_text(default),
        choices=kind.choices,
    )


@dataclass(frozen=True)
class Kind:
    """What the type of a field says of its values: one or many, of what, and which there are."""

    item: Any
    many: bool
    lone: bool  # a text may stand for the list
    switch: bool

    @classmethod
    def of(cls, annotation: Any) -> Kind:
        """Return the kind of a type such as `int | None` or `tuple[float, ...]`."""
        members = [member for member in _members(annotation) if member is not type(None)]
        lists = [member for member in members if get_origin(member) is tuple]
        item = _members(get_args(lists[0])[0])[0] if lists else members[0]
        return cls(item, bool(lists), bool(lists) and str in members, members == [bool])

    @property
    def choices(self) -> tuple[str | int, ...]:
        """Return the values that there are, none where they cannot be listed."""
        return get_args(self.item) if get_origin(self.item) is Literal else ()

    @property
    def choices_fit(self) -> bool:
        """Say whether the choices stand beside the flag, which they do where there are none."""
        return len("|".join(map(str, self.choices))) <= WIDE

    @property
    def word(self) -> str:
        """Return what stands for a value beside the flag."""
        if self.choices and self.choices_fit:
            return "|".join(map(str, self.choices))
        return "" if self.switch else TYPES.get(self.item, "TEXT")


def _former(options: Collection[Option]) -> Iterator[Option]:
    """Yield hidden options of former names, which are taken until the next version."""
    for former, today in FORMER.items():
        for option in options:
            if option.field == today:
                key = option.key.removesuffix(today) + former
                yield replace(option, field=former, key=key, flags=(spelling(former),), hidden=True)


def _pairs(model: type[Settings], only: Collection[str]) -> Any:
    """Return the annotation of `--set`, None where a model has no settings behind a dot."""
    mappings = [name for name, f in model.mappings.items() if not only or f in only]
    sections = [*model.sections, *mappings]
    if not sections:
        return None
    named = ", ".join(f"{section}.NAME" for section in sections)
    option = typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help=f"Any setting by its whole name: {named}; may be repeated.",
        rich_help_panel="Configuration",
    )
    return Annotated[list[str] | None, option]


def spelling(name: str) -> str:
    """Return how a key is spelt as a flag."""
    return f"--{name.replace('_', '-')}"


def as_text(default: Any) -> str:
    """Return a default as help shows it, "" for none."""
    if default is None or default is PydanticUndefined or default == {}:
        return ""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return ",".join(map(as_text, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


def _members(annotation: Any) -> tuple[Any, ...]:
    union = get_origin(annotation) in (Union, types.UnionType)
    return get_args(annotation) if union else (annotation,)


def panel_of(model: type[Settings], field: str) -> str:
    """Return the group of help that lists a field."""
    return str(extra(model, field).get("panel") or model.panel)
