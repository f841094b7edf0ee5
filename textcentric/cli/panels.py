"""Help in groups: options with their types and defaults, each group under its name."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

# The order of groups.
PANELS = (
    *("Arguments", "Data", "Prompts", "Engine", "Sampling", "Model", "Text", "Method", "Rivals"),
    *(
        "Checks",
        "Damage",
        "Training loop",
        "Reading",
        "Sheet",
        "Page",
        "Files",
        "Limits",
        "Configuration",
        "Output",
    ),
)
LEFT = 36  # characters of the left column at most
# Help is wrapped at spaces and hyphens; these stand for those at which it is not.
UNBROKEN = {" ": "\N{NO-BREAK SPACE}", "-": "\N{NON-BREAKING HYPHEN}"}


class Panels(TyperCommand):
    """A command whose help lists options in groups."""

    def get_help(self, ctx: Any) -> str:
        """Return the help, with plain spaces and hyphens."""
        text: str = super().get_help(ctx)
        for plain, unbroken in UNBROKEN.items():
            text = text.replace(unbroken, plain)
        return text

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group."""
        panels: dict[str, list[tuple[str, str]]] = {}
        parameters: list[Any] = self.get_params(ctx)
        for parameter in parameters:
            if parameter.param_type_name == "argument":
                about = (parameter.metavar or parameter.name.upper(), parameter.help or "")
                panels.setdefault("Arguments", []).append(about)
            elif not parameter.hidden:
                panel = parameter.rich_help_panel or "Output"
                panels.setdefault(panel, []).append(option_help(parameter))
        for panel in sorted(panels, key=PANELS.index):
            with formatter.section(panel):
                formatter.write_dl(panels[panel], col_max=LEFT)


def option_help(option: Any) -> tuple[str, str]:
    """Return the two columns of help of an option: its names and type, and what it does."""
    kind = "" if option.is_flag else f" {option.metavar or 'TEXT'}"
    about = option.help or ""
    if isinstance(option.show_default, str):
        about += f"  [default:{UNBROKEN[' ']}{option.show_default}]"
    return names(option.opts, option.secondary_opts) + kind, about.replace("-", UNBROKEN["-"])


def names(on: list[str], off: list[str]) -> str:
    """Return the names of an option; a switch and its opposite as one, where that can be read.

    >>> names(["--output-dir", "-o"], []), names(["--use-cpu"], ["--no-use-cpu"])
    ('-o, --output-dir', '--[no-]use-cpu')
    """
    if off == [f"--no-{on[-1].removeprefix('--')}"]:
        return f"--[no-]{on[-1].removeprefix('--')}"
    short_first = sorted(on, key=lambda name: name.startswith("--"))
    return ", ".join(short_first) + "".join(f" / {name}" for name in off)
