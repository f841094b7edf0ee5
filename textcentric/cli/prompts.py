"""`textcentric prompts`: the library of prompts, and trying and adding to it."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli import flags as flag

app = typer.Typer(
    help="The prompt library: look, check, try, add.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(prompt_dir: flag.PromptDir = None, as_json: flag.AsJson = False) -> None:
    """List the prompts with their effect on the label, and the bank's families."""
    from textcentric.cli.show_prompts import list_prompts

    list_prompts(prompt_dir, as_json=as_json)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    prompt_dir: flag.PromptDir = None,
) -> None:
    """Print a prompt's file, or an instruction of the bank."""
    from textcentric.cli.show_prompts import show_prompt

    show_prompt(name, prompt_dir)


@app.command("lint")
def lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|FOLDER]...", help="Default: all prompts.")
    ] = None,
    prompt_dir: flag.PromptDir = None,
) -> None:
    """Check prompts without a model; ends with 2 if anything is wrong with any of them."""
    from textcentric.cli.lint_prompts import lint_command

    raise typer.Exit(lint_command(names or [], prompt_dir))


@app.command("try")
def try_(
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    row: Annotated[
        flag.Text, typer.Option("--row", help="The row's id; default: the first.")
    ] = None,
    prompt_dir: flag.PromptDir = None,
    engine: flag.Engine = None,
    model: flag.Model = None,
    base_url: flag.BaseUrl = None,
    set_: flag.Set = None,
    image_expert: flag.ImageExpert = None,
    audio_expert: flag.AudioExpert = None,
    temperature: flag.Temperature = None,
    max_tokens: flag.MaxTokens = None,
    embeddings: flag.Embeddings = None,
    seed: flag.Seed = None,
    as_json: flag.AsJson = False,
    verbose: flag.Verbose = False,
) -> None:
    """Put one row through one prompt: the turns, what the model wrote, what the checks say.

    Example: textcentric prompts try adversarial/noise --dataset petfinder
    """
    given = dict(locals())
    from textcentric.cli.terminal import silence
    from textcentric.cli.try_prompt import try_command
    from textcentric.config import AugmentConfig, resolve, settings

    silence(verbose)
    flags = {key: value for key, value in given.items() if key in AugmentConfig.model_fields}
    flags |= {"engine_settings": settings(set_) if set_ else None, "table_schema": schema}
    try_command(resolve(None, flags), name, row, as_json=as_json)


@app.command("expand")
def expand(
    prompt_dir: Annotated[
        str, typer.Option("--prompt-dir", help="Folder whose instructions.jsonl is added to.")
    ],
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Instructions wanted.")] = 10,
    family: Annotated[flag.Text, typer.Option("--family", help="Only of this family.")] = None,
    engine: flag.Engine = None,
    model: flag.Model = None,
    base_url: flag.BaseUrl = None,
    set_: flag.Set = None,
    temperature: flag.Temperature = None,
    embeddings: flag.Embeddings = None,
    seed: flag.Seed = None,
    as_json: flag.AsJson = False,
    verbose: flag.Verbose = False,
) -> None:
    """Let the model write more adversarial instructions into the bank of a folder of yours.

    Example: textcentric prompts expand --prompt-dir my-prompts --number 20 --family style
    """
    given = dict(locals())
    from textcentric.cli.expand import expand_command
    from textcentric.cli.terminal import silence
    from textcentric.config import AugmentConfig, resolve, settings

    silence(verbose)
    flags = {key: value for key, value in given.items() if key in AugmentConfig.model_fields}
    flags |= {"engine_settings": settings(set_) if set_ else None}
    expand_command(resolve(None, flags), number, family, as_json=as_json)
