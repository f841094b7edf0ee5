"""The command tree. Each command lives in a module that is imported when the command is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from textcentric.cli.terminal import show
from textcentric.methods import METHODS


@dataclass(frozen=True)
class Listed:
    """A command, or a group of commands: what the list says of it, and the function that it is.

    Of a group, `default` is the command that is meant where none is named.
    """

    about: str
    function: str = ""  # "module:name", in this package
    commands: Mapping[str, Listed] = field(default_factory=dict)
    default: str | None = None


TRAIN = {name: Listed(method.about, f"train:{name}") for name, method in METHODS.items()}
EVALUATE = {
    "downstream": Listed("Say what models lose under damage.", "evaluate:downstream"),
    "reward": Listed("Say how often reward models are right.", "evaluate_reward:reward"),
    "fusion": Listed("Attack fusion models as hard as is known.", "evaluate_fusion:fusion"),
}
ABLATE = {
    "crmt": Listed("Take CRMT apart.", "ablate:crmt"),
    "align-vl": Listed("Take Align-VL apart, or try how much noise it bears.", "ablate:align_vl"),
}
DATA = {
    "list": Listed("List the named data sets, and where each was looked for.", "data:list_"),
    "show": Listed("Show rows as the model will read them.", "data:show_"),
    "init": Listed("Write a schema for a table, with reasons.", "data:init"),
    "fetch": Listed("Say how to get a data set, or write its sample.", "data:fetch"),
    "check": Listed("Say what is missing, unreadable or out of range.", "data:check"),
}
PROMPTS = {
    "list": Listed("List the prompts and the bank's families.", "prompts:list_"),
    "show": Listed("Print a prompt's file.", "prompts:show_"),
    "new": Listed("Write a file to begin a prompt with.", "prompts:new"),
    "lint": Listed("Check prompts without a model.", "prompts:lint"),
    "try": Listed("Put one row through one prompt.", "prompts:try_"),
    "expand": Listed("Let the model write more instructions into a bank.", "prompts:expand"),
}
METHODS_COMMANDS = {
    "list": Listed("List the methods: task, inputs, needs and cost.", "methods:list_"),
}
RUNS = {
    "list": Listed("List the runs of a folder, newest first.", "runs:list_"),
    "show": Listed("Show what came of a run.", "runs:show_"),
    "diff": Listed("Show what differs between two runs.", "runs:diff"),
    "resume": Listed("Go on with a run as it was configured.", "runs:resume"),
}
COMMANDS = {
    "augment": Listed("Write perturbed text for each row; a run directory.", "augment:augment"),
    "describe": Listed("Show rows in the experts' words, without an LLM.", "augment:describe"),
    "check": Listed("Say which variants say what their source says.", "check:check"),
    "train": Listed("Train a model on a run directory, or on raw rows.", commands=TRAIN),
    "predict": Listed("Predict the target of new rows.", "predict:predict"),
    "score": Listed("Score responses with a trained reward model.", "score:score"),
    "evaluate": Listed(
        "Evaluate trained models: under damage, on pairs, under attack.",
        commands=EVALUATE,
        default="downstream",
    ),
    "latents": Listed("Encode pictures, texts or sounds once.", "latents:latents"),
    "retrieve": Listed("Find pictures by words, words by sounds, ...", "retrieve:retrieve"),
    "ablate": Listed("Take a method apart: a table and a picture.", commands=ABLATE),
    "compare": Listed("Say whether augmenting helped: arms side by side.", "compare:compare"),
    "data": Listed("The data sets: where they are, what is wrong with them.", commands=DATA),
    "prompts": Listed("The prompt library: look, check, try, add.", commands=PROMPTS),
    "runs": Listed("The run directories: what ran, what came of it.", commands=RUNS),
    "methods": Listed("The methods: what each is good for.", commands=METHODS_COMMANDS),
    "review": Listed("Read variants beside their sources: a page.", "review:review"),
    "calibrate": Listed("Say how many variants were read and true.", "review:calibrate"),
    "report": Listed("Write report.html of a run anew and print its path.", "runs:report"),
    "lineage": Listed("Show what made an output.", "runs:lineage"),
    "doctor": Listed("Check what this machine can run.", "doctor:doctor"),
}
# Functions, or modules of them, whose folders may bring what needs a person's word.
TRUSTING = frozenset(
    "ablate augment compare evaluate evaluate_fusion evaluate_reward latents predict"
    " prompts:expand prompts:try_ retrieve runs:resume score train".split()
)


class Later(TyperCommand):
    """A command by its name and its line in the list; the rest is imported when it is used."""

    def __init__(self, name: str, listed: Listed) -> None:
        super().__init__(name, help=listed.about, rich_markup_mode=None)
        self.function = listed.function

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself."""
        return built(str(self.name), self.function).make_context(info_name, args, parent, **extra)


class Commands(TyperGroup):
    """The commands of a table, in its order."""

    def __init__(self, listed: Listed = Listed("", commands=COMMANDS), **attributes: Any) -> None:
        super().__init__(**attributes)
        self.default = listed.default
        self.commands = {name: _unopened(name, each) for name, each in listed.commands.items()}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front where none is named."""
        if self.default and (not args or args[0] not in self.commands):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def _unopened(name: str, listed: Listed) -> Any:
    """Return a command or a group of which nothing is imported yet."""
    if not listed.commands:
        return Later(name, listed)
    shown = {"help": listed.about, "no_args_is_help": True, "rich_markup_mode": None}
    return Commands(listed, name=name, **shown)


def all_commands(
    commands: Mapping[str, Listed] = COMMANDS, before: str = ""
) -> Iterator[tuple[str, Listed]]:
    """Yield every command with its whole name, such as "train reward"."""
    for name, listed in commands.items():
        if listed.commands:
            yield from all_commands(listed.commands, f"{before}{name} ")
        else:
            yield f"{before}{name}", listed


def built(name: str, function: str) -> Any:
    """Return the command `name` that is the function "module:name", with its options."""
    from textcentric.cli.options import Configured, trusting
    from textcentric.cli.panels import Panels

    module, _, attribute = function.partition(":")
    held = getattr(import_module(f"textcentric.cli.{module}"), attribute)
    command = held.callback() if isinstance(held, Configured) else held
    lone = typer.Typer(add_completion=False, rich_markup_mode=None)
    lone.command(name, cls=Panels)(trusting(command) if {module, function} & TRUSTING else command)
    return typer.main.get_command(lone)


app = typer.Typer(
    name="textcentric",
    cls=Commands,
    help="Turn pictures, tables, sound and text into text, attack it, train on it, prove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "token_normalize_func": lambda name: name.replace("_", "-"),
    },
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        show(f"textcentric {version('textcentric')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn pictures, tables, sound and text into text, attack it, train on it, prove it."""
