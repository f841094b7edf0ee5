"""The command tree. Each command lives in a module that is imported when the command is used."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

# Name, where it is, and what the list of commands says of it.
COMMANDS = {
    "augment": ("augment:augment", "Write perturbed text for each row; a run directory."),
    "describe": ("augment:describe", "Show rows in the experts' words, without a language model."),
    "train": ("train:app", "Train a model on a run directory, or on raw rows."),
    "predict": ("predict:predict", "Predict the target of new rows."),
    "score": ("score:score", "Score responses with a trained reward model."),
    "evaluate": ("evaluate:app", "Evaluate trained models under damage."),
    "latents": ("latents:latents", "Encode pictures, texts or sounds once, for align-vl."),
    "retrieve": ("retrieve:retrieve", "Find pictures by words, words by pictures or sounds."),
    "ablate": ("ablate:app", "Take a method apart: seeds, intervals, a table and a picture."),
    "compare": ("compare:compare", "Say whether augmenting helped: arms side by side."),
    "data": ("data:app", "The data sets: where they are, their rows, what is wrong with them."),
    "prompts": ("prompts:app", "The prompt library: look, check, try, add."),
    "runs": ("runs:app", "The run directories: what ran, what came of it, going on."),
    "report": ("runs:report", "Write report.html of a run anew and print its path."),
    "lineage": ("runs:lineage", "Show what made an output."),
    "doctor": ("doctor:doctor", "Check this machine; ends with 2 where augment cannot run."),
}
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Later(TyperCommand):
    """A command by its name and its line in the list; the rest is imported when it is used."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself."""
        return command(str(self.name)).make_context(info_name, args, parent, **extra)


class Commands(TyperGroup):
    """The commands in the order of their table."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return their names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one that is not imported yet, None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        return Later(cmd_name, help=COMMANDS[cmd_name][1], rich_markup_mode=None)


def command(name: str) -> Any:
    """Import the command or the group `name`."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    held = getattr(import_module(f"textcentric.cli.{module}"), attribute)
    if isinstance(held, typer.Typer):
        group = typer.main.get_command(held)
        group.name = name
        return group
    lone = typer.Typer(add_completion=False, rich_markup_mode=None)
    lone.command(name, cls=panels())(held)
    return typer.main.get_command(lone)


def panels() -> type[TyperCommand]:
    """Return the class of commands with help in groups."""
    from textcentric.cli.options import Panels

    return Panels


app = typer.Typer(
    name="textcentric",
    cls=Commands,
    help="Turn pictures, tables, sound and text into text, attack it, train on it, prove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=SETTINGS,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"textcentric {version('textcentric')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn pictures, tables, sound and text into text, attack it, train on it, prove it."""
