"""Options of a command, made from the fields of the settings that it takes.

A command whose first parameter is annotated with a `Settings` gets an option for every field, `-c`
for a file of the same names and `--set` for any of them, and is called with the settings read:

    @app.command("score", cls=Panels)
    @configured()
    def score(config: ScoreConfig, model: ..., quiet: Quiet = False) -> None: ...
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.core import TyperCommand

from textcentric.cli.terminal import say
from textcentric.settings import FORMER, Settings, extra, read, split_commas

# The order of groups in help.
PANELS = (
    *("Data", "Prompts", "Engine", "Sampling", "Model", "Text", "Method", "Rivals", "Damage"),
    *("Training loop", "Limits", "Configuration", "Output"),
)
WIDE = 24  # characters of choices that stand beside the flag; more stand in the help
UNBROKEN = "\N{NO-BREAK SPACE}"
LEFT = 36  # characters of the left column of help at most
TYPES = {str: "TEXT", int: "INTEGER", float: "FLOAT", Path: "PATH"}

AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print the result as JSON on stdout.", rich_help_panel="Output"),
]
Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", help="Say only what went wrong.", rich_help_panel="Output"),
]
Verbose = Annotated[
    bool,
    typer.Option("-v", "--verbose", help="Show libraries' own logs.", rich_help_panel="Output"),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show the plan; write nothing.", rich_help_panel="Output"),
]
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
    choices: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def name(self) -> str:
        """Return the name of the command's parameter."""
        return "set_" + self.key.replace(".", "__")

    def parameter(self) -> inspect.Parameter:
        """Return the parameter, as Typer reads it; not given it is None."""
        kind: Any = bool if self.switch else list[str] if self.repeat else str
        told = typer.Option(
            *self.flags,
            help=self.help,
            metavar=self.metavar or None,
            rich_help_panel=self.panel,
            show_default=self.default or False,
            hidden=self.hidden,
            autocompletion=self.completions if self.choices else None,
        )
        return parameter(self.name, Annotated[kind | None, told])

    def completions(self, incomplete: str) -> list[str]:
        """Return the choices that begin like that, for the shell."""
        return [choice for choice in self.choices if choice.startswith(incomplete)]

    def value(self, given: Any) -> Any:
        """Return what was given as the field takes it."""
        if not self.split or not isinstance(given, str) or (self.lone and "," not in given):
            return given
        return split_commas(given)


def configured(
    *, only: Collection[str] = (), file: bool = True, **defaults: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options for the fields of its first parameter, and call it with those read.

    `only` names the fields that get an option; without `file` there is no `-c`, and the environment
    is not read; `defaults` are the command's own, over those of the fields.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        first, *rest = signature.parameters.values()
        model: type[Settings] = first.annotation
        options = [o for o in options_of(model, defaults) if not only or o.field in only]

        @wraps(command)
        def run(**values: Any) -> None:
            flags = {option.key: option.value(values.pop(option.name)) for option in options}
            given = {key: value for key, value in flags.items() if value not in (None, [])}
            given |= {p.name: values[p.name] for p in arguments if p.name in model.model_fields}
            source, pairs = values.pop("file_", None), values.pop("pairs_", None)
            known = {**defaults, **given}
            settings = read(model, source, known, pairs or (), say, environment=file)
            command(settings, **values)

        shared = [parameter("file_", File)] if file else []
        shared += [parameter("pairs_", pairs)] if (pairs := _pairs(model, only)) else []
        arguments = [p for p in rest if p.default is inspect.Parameter.empty]
        switches = [p for p in rest if p not in arguments]
        made = [*arguments, *(option.parameter() for option in options), *shared, *switches]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in made]
        )
        return run

    return decorate


def parameter(name: str, annotation: Any) -> inspect.Parameter:
    """Return a parameter of a command that is None where it is not given."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=None, annotation=annotation)


def options_of(model: type[Settings], defaults: Mapping[str, Any] = {}) -> list[Option]:
    """Return the options of a model: of its fields, of those of its sections, and former ones.

    `defaults` are shown in place of those of the fields.
    """
    options = list(_options(model, "", {**model.defaults, **defaults}))
    if model.flat:
        for section, below in model.sections.items():
            own = {option.field for option in options}
            found = _options(below, f"{section}.", model.defaults)
            options += [option for option in found if option.field not in own]
    taken = {flag for option in options for flag in option.flags}
    return options + [former for former in _former(options) if not taken & {*former.flags}]


def _options(model: type[Settings], prefix: str, defaults: Mapping[str, Any]) -> Iterator[Option]:
    for name, info in model.model_fields.items():
        told = extra(model, name)
        panel = told.get("panel") or model.panel
        if told.get("flags") != ():
            default = defaults.get(prefix + name, info.default)
            yield _option(name, prefix, info, told, panel, default)
        for flag, key in told.get("keys", {}).items():
            yield Option(
                field=name,
                key=prefix + flag,
                flags=(spelling(flag),),
                help=key.about,
                panel=panel,
                metavar="TEXT",
                repeat=key.repeat,
            )
    for name, about in model.aliases.items():
        yield Option(
            field=name,
            key=prefix + name,
            flags=(f"{spelling(name)}/{spelling('no_' + name)}",),
            help=about,
            panel=model.panel,
            switch=True,
        )


def _option(
    name: str, prefix: str, info: FieldInfo, told: Mapping[str, Any], panel: str, default: Any
) -> Option:
    """Return the option of a field, by its type."""
    kinds = [kind for kind in _members(info.annotation) if kind is not type(None)]
    lists = [kind for kind in kinds if get_origin(kind) is tuple]
    inner = _members(get_args(lists[0])[0]) if lists else kinds
    choices = tuple(str(value) for value in get_args(inner[0])) if _is_literal(inner[0]) else ()
    repeat = bool(told.get("repeat"))
    flags = tuple(told.get("flags", [spelling(name)]))
    if switch := kinds == [bool]:
        flags = (f"{flags[0]}/{told.get('off') or spelling('no_' + name)}",)
    beside = "|".join(choices) if choices and len("|".join(choices)) <= WIDE else ""
    about = info.description or ""
    if choices and not beside:
        about += f" One of {', '.join(choices)}."
    word = told.get("metavar") or beside or TYPES.get(inner[0], "TEXT")
    return Option(
        field=name,
        key=prefix + name,
        flags=flags,
        help=about,
        panel=panel,
        metavar="" if switch else f"{word},..." if lists and not repeat else word,
        switch=switch,
        repeat=repeat,
        split=bool(lists) and not repeat,
        lone=str in kinds,
        default=told.get("shown") or as_text(default),
        choices=choices,
    )


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
    told = typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help=f"Any setting by its whole name: {named}; may be repeated.",
        rich_help_panel="Configuration",
    )
    return Annotated[list[str] | None, told]


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


def _is_literal(annotation: Any) -> bool:
    return get_origin(annotation) is Literal


class Panels(TyperCommand):
    """A command whose help lists options in groups, each with its type and its default."""

    def get_help(self, ctx: Any) -> str:
        """Return the help; a default has stayed on one line with its word."""
        return super().get_help(ctx).replace(UNBROKEN, " ")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group."""
        panels: dict[str, list[tuple[str, str]]] = {}
        parameters: list[Any] = self.get_params(ctx)
        for told in parameters:
            if not getattr(told, "hidden", False):
                argument = told.param_type_name == "argument"
                panel = "Arguments" if argument else told.rich_help_panel or "Output"
                panels.setdefault(panel, []).append(_record(told))
        for panel in sorted(panels, key=("Arguments", *PANELS).index):
            with formatter.section(panel):
                formatter.write_dl(panels[panel], col_max=LEFT)


def _record(told: Any) -> tuple[str, str]:
    """Return the two columns of help of a parameter: its names and type, and what it does."""
    if told.param_type_name == "argument":
        return told.metavar or told.name.upper(), told.help or ""
    names = _names(told.opts, told.secondary_opts)
    kind = "" if told.is_flag else f" {told.metavar or 'TEXT'}"
    default = told.show_default if isinstance(told.show_default, str) else ""
    about = told.help or ""
    if default:
        about += f"  [default: {default}]".replace("default: ", f"default:{UNBROKEN}")
    return names + kind, about


def _names(on: list[str], off: list[str]) -> str:
    """Return the names of an option; a switch and its opposite as one, where that can be read."""
    if off == [f"--no-{on[-1].removeprefix('--')}"]:
        return f"--[no-]{on[-1].removeprefix('--')}"
    return ", ".join(on) + "".join(f" / {name}" for name in off)
