"""Write `docs/reference/settings.md`: every setting of every command, from the fields themselves.

python docs/reference.py
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path

from textcentric.cli.app import all_commands
from textcentric.cli.options import Configured, Option, as_text, options_of
from textcentric.cli.panels import PANELS
from textcentric.settings import ENVIRONMENT, Settings, extra

PAGE = Path(__file__).parent / "reference" / "settings.md"
START = f"""\
# Settings

Every setting of every command. On the command line it is a flag; in a YAML file for `-c` it is a
key of that name, with `_` for `-`; in Python it is an argument of that name. Settings of a section
(`train`, `downstream`, ...) may stand inside it or outside, and are also given by
`--set SECTION.NAME=VALUE`. Flags win over `--set`, over the environment (`{ENVIRONMENT}NAME`, where
a command reads it), over the file, over the defaults.
This page is made by `python docs/reference.py`.
"""
HEAD = "| setting | flag | value | default | |\n|---|---|---|---|---|"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


def page() -> str:
    """Return the page."""
    parts = [START]
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


if __name__ == "__main__":
    main()
