"""`textcentric prompts`: the library of prompts, and trying and adding to it."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli.augment import EXPERTS, ROWS
from textcentric.cli.options import AsJson, Panels, Verbose, configured
from textcentric.config import AugmentConfig

ENGINE = ("engine", "model", "base_url", "engine_settings")
SAMPLING = ("temperature", "max_tokens", "embeddings", "seed")
PromptDir = Annotated[
    str | None,
    typer.Option(
        "--prompt-dir", metavar="PATH", help="Folder that adds prompts or overrides them."
    ),
]

app = typer.Typer(
    help="The prompt library: look, check, try, add.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list", cls=Panels)
def list_(prompt_dir: PromptDir = None, as_json: AsJson = False) -> None:
    """List the prompts with their effect on the label, and the bank's families."""
    from textcentric.cli.show_prompts import list_prompts

    list_prompts(prompt_dir, as_json=as_json)


@app.command("show", cls=Panels)
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    prompt_dir: PromptDir = None,
) -> None:
    """Print a prompt's file, or an instruction of the bank."""
    from textcentric.cli.show_prompts import show_prompt

    show_prompt(name, prompt_dir)


@app.command("lint", cls=Panels)
def lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|FOLDER]...", help="Default: all prompts.")
    ] = None,
    prompt_dir: PromptDir = None,
) -> None:
    """Check prompts without a model; ends with 2 if anything is wrong with any of them."""
    from textcentric.cli.lint_prompts import lint_command

    raise typer.Exit(lint_command(names or [], prompt_dir))


@app.command("try", cls=Panels)
@configured(only=(*ROWS[:3], "prompt_dir", *ENGINE, *EXPERTS, *SAMPLING))
def try_(
    config: AugmentConfig,
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    row: Annotated[
        str | None,
        typer.Option(
            "--row",
            metavar="TEXT",
            help="The row's id; default: the first.",
            rich_help_panel="Data",
        ),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Put one row through one prompt: the turns, what the model wrote, what the checks say.

    Example: textcentric prompts try adversarial/noise --dataset petfinder
    """
    from textcentric.cli.terminal import silence
    from textcentric.cli.try_prompt import try_command

    silence(verbose)
    try_command(config, name, row, as_json=as_json)


@app.command("expand", cls=Panels)
@configured(only=(*ENGINE, *SAMPLING))
def expand(
    config: AugmentConfig,
    prompt_dir: Annotated[
        str,
        typer.Option(
            "--prompt-dir",
            metavar="PATH",
            help="Folder whose instructions.jsonl is added to.",
            rich_help_panel="Prompts",
        ),
    ],
    number: Annotated[
        int,
        typer.Option(
            "--number",
            "-n",
            min=1,
            metavar="INTEGER",
            help="Instructions wanted.",
            rich_help_panel="Prompts",
        ),
    ] = 10,
    family: Annotated[
        str | None,
        typer.Option(
            "--family", metavar="TEXT", help="Only of this family.", rich_help_panel="Prompts"
        ),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Let the model write more adversarial instructions into the bank of a folder of yours.

    Example: textcentric prompts expand --prompt-dir my-prompts --number 20 --family style
    """
    from textcentric.cli.expand import expand_command
    from textcentric.cli.terminal import silence

    silence(verbose)
    expand_command(config, number, family, as_json=as_json)
