"""`textcentric prompts`: the library of prompts, and trying and adding to it."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli.augment import (
    AsJson,
    AudioExpert,
    DataDir,
    Dataset,
    ImageExpert,
    Number,
    SchemaFile,
    Text,
    Verbose,
)

app = typer.Typer(
    help="The prompt library: look, check, try, add.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PromptDir = Annotated[
    Text, typer.Option("--prompt-dir", help="Folder that adds prompts or overrides them.")
]
Engine = Annotated[Text, typer.Option("--engine", help="auto, vllm, transformers or openai.")]
Model = Annotated[Text, typer.Option("--model", help="smollm2, a folder or OWNER/NAME.")]
BaseUrl = Annotated[Text, typer.Option("--base-url", help="Server of --engine openai.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="engine.NAME=VALUE for any engine argument.")
]
Temperature = Annotated[
    float | None, typer.Option("--temperature", help="Over the prompt's own value.")
]
Seed = Annotated[Number, typer.Option("--seed", help="Decides every draw.")]
Embeddings = Annotated[
    bool | None,
    typer.Option("--embeddings/--no-embeddings", help="Compare by meaning too (default)."),
]


@app.command("list")
def list_(prompt_dir: PromptDir = None, as_json: AsJson = False) -> None:
    """List the prompts with their effect on the label, and the bank's families."""
    from textcentric.cli.show_prompts import list_prompts

    list_prompts(prompt_dir, as_json=as_json)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    prompt_dir: PromptDir = None,
) -> None:
    """Print a prompt's file, or an instruction of the bank."""
    from textcentric.cli.show_prompts import show_prompt

    show_prompt(name, prompt_dir)


@app.command("lint")
def lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|FOLDER]...", help="Default: all prompts.")
    ] = None,
    prompt_dir: PromptDir = None,
) -> None:
    """Check prompts without a model; ends with 2 if anything is wrong with any of them."""
    from textcentric.cli.lint_prompts import lint_command

    raise typer.Exit(lint_command(names or [], prompt_dir))


@app.command("try")
def try_(
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    dataset: Dataset = None,
    data_dir: DataDir = None,
    schema: SchemaFile = None,
    row: Annotated[Text, typer.Option("--row", help="The row's id; default: the first.")] = None,
    prompt_dir: PromptDir = None,
    engine: Engine = None,
    model: Model = None,
    base_url: BaseUrl = None,
    set_: Set = None,
    image_expert: ImageExpert = None,
    audio_expert: AudioExpert = None,
    temperature: Temperature = None,
    max_tokens: Annotated[Number, typer.Option("--max-tokens", help="Of one answer.")] = None,
    embeddings: Embeddings = None,
    seed: Seed = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Put one row through one prompt: the turns, what the model wrote, what the checks say.

    Example: textcentric prompts try adversarial/noise --dataset petfinder
    """
    given = dict(locals())
    from textcentric.cli.run_augment import silence
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
    family: Annotated[Text, typer.Option("--family", help="Only of this family.")] = None,
    engine: Engine = None,
    model: Model = None,
    base_url: BaseUrl = None,
    set_: Set = None,
    temperature: Temperature = None,
    embeddings: Embeddings = None,
    seed: Seed = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Let the model write more adversarial instructions into the bank of a folder of yours.

    Example: textcentric prompts expand --prompt-dir my-prompts --number 20 --family style
    """
    given = dict(locals())
    from textcentric.cli.expand import expand_command
    from textcentric.cli.run_augment import silence
    from textcentric.config import AugmentConfig, resolve, settings

    silence(verbose)
    flags = {key: value for key, value in given.items() if key in AugmentConfig.model_fields}
    flags |= {"engine_settings": settings(set_) if set_ else None}
    expand_command(resolve(None, flags), number, family, as_json=as_json)
