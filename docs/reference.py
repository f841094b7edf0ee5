"""Write the pages of `docs/reference/`, from the code itself.

python docs/reference.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import FunctionType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
from pydantic import BaseModel

import textcentric
from textcentric.api import results as api_results
from textcentric.api.results import Result
from textcentric.cli.app import all_commands
from textcentric.cli.options import Configured, Option, as_text, options_of
from textcentric.cli.panels import PANELS
from textcentric.data.dataset import Dataset
from textcentric.data.inspection import Inspection
from textcentric.data.schema import Column, Files, Schema
from textcentric.prompts.prompt import (
    BLOCKS,
    FACTS,
    LABELS,
    STAGES,
    VARIABLES,
    Checks,
    Front,
    SamplingDefaults,
)
from textcentric.prompts.prompt import (
    ENVIRONMENT as TEMPLATES,
)
from textcentric.runs.columns import Failure, Output, schemas
from textcentric.settings import ENVIRONMENT, Settings, extra
from textcentric.training.protocol import Method

OTHERS = (Dataset, Inspection, Method, Output, Failure)  # that functions return, beside results
FOLDER = Path(__file__).parent / "reference"
METHODS = (FunctionType, classmethod, property, cached_property)
MADE = "This page is made by `python docs/reference.py`.\n"
SETTINGS = f"""\
# Settings

Every setting of every command. On the command line it is a flag; in a YAML file for `-c` it is a
key of that name, with `_` for `-`; in Python it is an argument of that name. Settings of a section
(`train`, `downstream`, ...) may stand inside it or outside, and are also given by
`--set SECTION.NAME=VALUE`. Flags win over `--set`, over the environment (`{ENVIRONMENT}NAME`, where
a command reads it), over the file, over the defaults.
This page is made by `python docs/reference.py`.
"""
HEAD = "| setting | flag | value | default | |\n|---|---|---|---|---|"


def settings_page() -> str:
    """Return the page of all settings."""
    parts = [SETTINGS]
    written: set[type[Settings]] = set()
    for path, model in commands():
        if model not in written:
            parts.append(chapter(f"`textcentric {path}`", model))
        for section, part in model.sections.items():
            if part not in written | {model}:
                parts.append(chapter(f"Section `{section}`", part, {*model.model_fields}))
        written |= {model, *model.sections.values()}
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, type[Settings]]]:
    """Yield the commands that take settings, with the model of those."""
    for name, listed in all_commands():
        module, _, function = listed.function.partition(":")
        held = getattr(import_module(f"textcentric.cli.{module}"), function)
        if isinstance(held, Configured):
            yield name, held.model


def chapter(title: str, model: type[Settings], above: Collection[str] = ()) -> str:
    """Return the settings of a model, a table for each of its panels.

    Fields `above` are those of the command, which a section does not tell again.
    """
    lines = [f"## {title}", "", (model.__doc__ or "").partition("\n")[0], ""]
    if model.defaults:
        own = ", ".join(f"`{key}={as_text(value)}`" for key, value in model.defaults.items())
        lines += [f"Its own defaults: {own}.", ""]
    if model.environment:
        lines += [f"The environment is read: `{ENVIRONMENT}SEED=1`.", ""]
    panels: dict[str, list[str]] = {}
    for panel, row in rows(model, above):
        panels.setdefault(panel, []).append(row)
    for panel in sorted(panels, key=PANELS.index):
        lines += [f"### {panel}", "", HEAD, *panels[panel], ""]
    return "\n".join(lines)


def rows(model: type[Settings], above: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield panel and line of every field, of keys with a flag of their own, and of aliases."""
    options = [option for option in options_of(model) if "." not in option.key]
    flagged = {option.field for option in options}
    for option in options:
        if not option.hidden and option.field not in above:
            yield option.panel, row(option)
    for name, field in model.model_fields.items():
        if name not in flagged and name not in model.sections:
            dots = {field: dot for dot, field in model.mappings.items()}
            form = f"{dots[name]}.NAME" if name in dots else f"{model.called}.{name}"
            about = field.description or ""
            panel = extra(model, name).get("panel") or model.panel
            yield panel, line(name, f"--set {form}=VALUE", "", "", about)


def row(option: Option) -> str:
    """Return the line of an option."""
    kind = "switch" if option.switch else option.metavar
    flags = [flag.partition("/")[0] for flag in option.flags]
    if option.switch:
        off = option.flags[0].partition("/")[2]
        flags.append(off)
    return line(option.key, ", ".join(flags), kind, option.default, option.help)


def line(name: str, flags: str, kind: str, default: str, about: str) -> str:
    """Return a line of a table."""
    cells = [f"`{name}`", f"`{flags}`", kind, f"`{default}`" if default else "", about]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def schema_page() -> str:
    """Return the page of the keys of a schema."""
    return "\n".join(
        [
            "# Schema",
            "",
            "A schema says which column of a table plays which role: YAML for `--schema`, or in",
            f"Python a mapping. {MADE}",
            *keys(Schema),
            *keys(Files, "Keys of `image` and `audio`"),
            *keys(Column, "Keys of a column under `columns`"),
        ]
    )


def prompts_page() -> str:
    """Return the page of what a prompt file may hold."""
    return "\n".join(
        [
            "# Prompts",
            "",
            "A prompt is a `.jinja` file: front matter between two lines of `---`, then blocks.",
            f"`textcentric prompts lint` checks it. {MADE}",
            *keys(Front, "Front matter"),
            *table("Values of `stage`", ("stage", ""), STAGES),
            f"A label is one of {', '.join(f'`{label}`' for label in LABELS)}.",
            "",
            *table("Values of `facts`", ("facts", "the change"), FACTS),
            *keys(SamplingDefaults, "Keys of `sampling`"),
            *keys(Checks, "Keys of `checks`"),
            *table("Blocks", ("block", ""), BLOCKS),
            *table("Variables", ("variable", ""), VARIABLES),
            *expressions(),
        ]
    )


def expressions() -> list[str]:
    """Return the filters and tests that a body may use."""
    filters = sorted(name for name in TEMPLATES.filters if not name.startswith("_"))
    return [
        "## Filters and tests",
        "",
        "Jinja's own, each counted and bounded; `opening(share, most=6)` gives the first words.",
        "",
        f"Filters: {', '.join(f'`{name}`' for name in filters)}.",
        "",
        f"Tests: {', '.join(f'`{name}`' for name in sorted(TEMPLATES.tests))}.",
        "",
    ]


def run_page() -> str:
    """Return the page of the columns of a run."""
    lines = [
        "# Columns of a run",
        "",
        "The parquet files of a run directory, all of one schema; what is absent is null.",
        "`target` is a double where the task is regression, an int64 where classes are numbered,",
        "else a string; words for classes 0, 1, ... are kept as Hugging Face's ClassLabel.",
        "A run of an earlier version holds JSON in strings in place of structs and",
        "lists, and empty texts in place of null; it is read, and goes on, as it is.",
        MADE,
    ]
    for folder, about in {
        "data": "Accepted outputs, clean rows among them.",
        "rejected": "Outputs that were written and dropped.",
        "errors": "Outputs that could not be written.",
    }.items():
        schema = schemas("string")[folder]
        hints = get_type_hints(Failure if folder == "errors" else Output, include_extras=True)
        lines += [f"## `{folder}/`", "", about, "", "| column | type | |", "|---|---|---|"]
        lines += [
            f"| `{name}` | {in_short(schema.field(name).type)} | {hints[name].__metadata__[0]} |"
            for name in schema.names
        ]
        lines.append("")
    return "\n".join(lines)


def in_short(kind: pa.DataType) -> str:
    """Return an Arrow type, of structs the names of the fields alone."""
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        return f"list of {in_short(kind.value_type)}"
    fields = ", ".join(field.name for field in kind) if pa.types.is_struct(kind) else ""
    return f"struct of {fields}" if fields else str(kind)


def python_page() -> str:
    """Return the page of the public names: signatures and what each is."""
    lines = [
        "# Python",
        "",
        "`import textcentric as tc`. Everything else of the package may change without notice.",
        MADE,
    ]
    for name in textcentric.__all__:
        lines += public(name, getattr(textcentric, name))
    lines += ["# What functions return", "", "None of these is made by users.", ""]
    for value in results():
        lines += (f"## `{value.__name__}`", "", first_line(value), "", came_from(value), "")
        lines += members(value, value.__mro__)
    return "\n".join(lines)


def results() -> list[type]:
    """Return what public functions return and has no public name of its own, bases first."""
    held = [value for _, value in sorted(vars(api_results).items()) if isinstance(value, type)]
    return [Result, *(value for value in (*held, *OTHERS) if own(value))]


def own(value: type) -> bool:
    """Say whether a type is known from what functions return alone."""
    ours = value.__module__.startswith("textcentric")
    return ours and value.__name__ not in textcentric.__all__ and bool(returned_by(value))


def returned_by(value: type) -> list[str]:
    """Return the public functions that return such a value."""
    return [
        name
        for name in textcentric.__all__
        if value.__name__ in returned(getattr(textcentric, name))
    ]


def returned(value: object) -> list[str]:
    """Return the names in what a function is said to return."""
    if not isinstance(value, FunctionType):
        return []
    return re.findall(r"\w+", str(inspect.signature(value).return_annotation))


def came_from(value: type) -> str:
    """Say which functions return such a value, and what it has beside its own."""
    by = ", ".join(f"[`{name}`](#{name})" for name in returned_by(value))
    base = " It has all of [`Result`](#result)." if Result in value.__mro__[1:] else ""
    return f"Returned by {by}.{base}" if by else "What all results have."


def ends(value: object) -> Iterator[str]:
    """Yield the line that says what a function returns, with links."""
    if not isinstance(value, FunctionType):
        return
    classes = {*textcentric.__all__, *(held.__name__ for held in results())}
    names = [name for name in returned(value) if name in classes]
    links = [f"[`{name}`](#{name.lower()})" for name in names]
    plain = f"`{inspect.signature(value).return_annotation}`"
    each = ", one by one" if inspect.isasyncgenfunction(value) else ""
    yield from (f"Returns {' or '.join(links) or plain}{each}.", "")


def public(name: str, value: object) -> Iterator[str]:
    """Yield the lines of a public name, of a class with its public methods."""
    yield from (f"## `{name}`", "", *usage(name, value), first_line(value), "")
    yield from (*ends(value), *members(value))


def members(value: object, bases: Sequence[type] = ()) -> Iterator[str]:
    """Yield a table of the public methods and properties of a class, and of `bases` of ours."""
    ours = [base for base in bases if base.__module__.startswith("textcentric.")]
    kinds: list[object] = [base for base in ours if base is value or base is not Result] or [value]
    held_by = {n: held for kind in reversed(kinds) for n, held in vars(kind).items()}
    members = held_by.items() if isinstance(value, type) else ()
    told = [(n, held) for n, held in members if n[0] != "_" and isinstance(held, METHODS)]
    if told:
        yield from ("| | |", "|---|---|")
        for member, held in told:
            function = getattr(value, member)
            call = signature(member, function, 1000) if callable(function) else member
            yield f"| `{call.replace('|', chr(92) + '|')}` | {first_line(held)} |"
        yield ""


def usage(name: str, value: object) -> Iterator[str]:
    """Yield how a function or class is called; an error or a protocol is not called by users."""
    if isinstance(value, type) and issubclass(value, Settings):
        yield from ("Its arguments are in [settings](settings.md).", "")
    elif not isinstance(value, type) or not (
        issubclass(value, Exception) or getattr(value, "_is_protocol", False)
    ):
        yield from ("```python", signature(name, value, 96), "```", "")


def signature(name: str, value: object, longest: int) -> str:
    """Return how a callable is called, as it stands in the code; one argument a line where long."""
    assert callable(value)
    held, empty = inspect.signature(value), inspect.Signature.empty
    plain = [
        one if one.annotation is empty else one.replace(annotation=Words(one.annotation))
        for one in held.parameters.values()
        if one.name != "self"
    ]
    ends = empty if isinstance(value, type) else Words(held.return_annotation)
    call = f"{name}{held.replace(parameters=plain, return_annotation=ends)}"
    call = call.replace("<factory>", "...")
    if len(call) > longest:
        inside = "".join(f"    {argument},\n" for argument in arguments(plain))
        call = f"{name}(\n{inside}){call.rpartition(')')[2]}"
    return f"await {call}" if inspect.iscoroutinefunction(value) else call


def arguments(parameters: Sequence[inspect.Parameter]) -> Iterator[str]:
    """Yield the arguments of a call, and the star behind which they are given by name."""
    kinds = [parameter.kind for parameter in parameters]
    for at, parameter in enumerate(parameters):
        named = parameter.kind is parameter.KEYWORD_ONLY
        if named and not {parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL} & {*kinds[:at]}:
            yield "*"
        yield str(parameter).replace("<factory>", "...")


class Words(str):
    """An annotation as it is written."""

    __repr__ = str.__str__


def first_line(value: object) -> str:
    """Return the first sentence of a docstring, empty where there is none."""
    return " ".join((value.__doc__ or "").partition("\n\n")[0].split())


def keys(model: type[BaseModel], title: str = "") -> Iterator[str]:
    """Yield a table of a model's fields, under the names that a file gives them."""
    if title:
        yield from (f"## {title}", "")
    yield from ("| key | value | default | |", "|---|---|---|---|")
    for name, field in model.model_fields.items():
        default = "" if field.is_required() else plain_default(field.default)
        cells = [
            f"`{field.alias or name}`",
            f"`{kind(field.annotation)}`",
            default,
            field.description or "",
        ]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def kind(annotation: Any) -> str:
    """Return what a field holds: a type's name, or the words that it may be."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " | ".join(map(kind, inside))
    if origin is Literal:
        return ", ".join(inside)
    if inside:
        return f"{origin.__name__}[{', '.join(map(kind, inside))}]"
    return {Ellipsis: "...", NoneType: "null"}.get(annotation) or annotation.__name__


def plain_default(value: object) -> str:
    """Return a default as a file would have it, empty where it is nothing."""
    if value is None or isinstance(value, BaseModel) or value in ((), {}, ""):
        return ""
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def table(title: str, head: tuple[str, str], rows: dict[str, str]) -> Iterator[str]:
    """Yield a table of names and what they are."""
    yield from (f"## {title}", "", f"| {' | '.join(head)} |", "|---|---|")
    yield from (f"| `{name}` | {about} |" for name, about in rows.items())
    yield ""


PAGES = {
    "settings.md": settings_page,
    "schema.md": schema_page,
    "prompts.md": prompts_page,
    "run.md": run_page,
    "python.md": python_page,
}


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
