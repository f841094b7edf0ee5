"""`textcentric augment` and `textcentric describe`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

Text = str | None
Number = int | None

Dataset = Annotated[
    Text, typer.Option("--dataset", help="petfinder, airbnb, avito, a table's path or OWNER/NAME.")
]
DataDir = Annotated[Text, typer.Option("--data-dir", help="Folder of the data set's files.")]
SchemaFile = Annotated[Text, typer.Option("--schema", help="YAML that names the columns' roles.")]
Split = Annotated[Text, typer.Option("--split", help="Only the rows of this split.")]
Limit = Annotated[Number, typer.Option("--limit", help="At most so many rows.")]
Require = Annotated[
    list[str] | None, typer.Option("--require", help="Only rows that have it, such as image.")
]
Output = Annotated[Text, typer.Option("-o", "--output-dir", help="The run directory itself.")]
Config = Annotated[Path | None, typer.Option("-c", "--config", help="YAML of the same names.")]
ImageExpert = Annotated[
    Text, typer.Option("--image-expert", help="auto, vlm, labels, packaged, pixels, none or NAME.")
]
AudioExpert = Annotated[
    Text, typer.Option("--audio-expert", help="auto, packaged, sound, none or NAME.")
]
Role = Annotated[list[str] | None, typer.Option()]
Seed = Annotated[Number, typer.Option("--seed", help="Decides every draw.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the engine's own log.")]


def augment(
    dataset: Dataset = None,
    data_dir: DataDir = None,
    schema: SchemaFile = None,
    id_column: Annotated[Text, typer.Option("--id", help="Column of the id.")] = None,
    target_column: Annotated[Text, typer.Option("--target", help="Column to predict.")] = None,
    text_column: Annotated[
        list[str] | None, typer.Option("--text", help="Column of text; may be repeated.")
    ] = None,
    image_column: Annotated[Text, typer.Option("--image", help="Column of a picture path.")] = None,
    audio_column: Annotated[Text, typer.Option("--audio", help="Column of a sound path.")] = None,
    group_column: Annotated[Text, typer.Option("--group", help="Column of the group.")] = None,
    ignore_column: Annotated[
        list[str] | None, typer.Option("--ignore", help="Column to leave out; may be repeated.")
    ] = None,
    split: Split = None,
    limit: Limit = None,
    require: Require = None,
    prompts: Annotated[
        Text, typer.Option("--prompts", help="Sets, ids and globs, comma-separated.")
    ] = None,
    prompt_dir: Annotated[
        Text, typer.Option("--prompt-dir", help="Folder that adds prompts or overrides them.")
    ] = None,
    samples: Annotated[Number, typer.Option("--samples", help="Variants a row and prompt.")] = None,
    summarize: Annotated[
        bool | None, typer.Option("--summarize/--no-summarize", help="Add a summary to each row.")
    ] = None,
    perturb: Annotated[
        Text, typer.Option("--perturb", help="train: only that split (default); all: every row.")
    ] = None,
    engine: Annotated[
        Text, typer.Option("--engine", help="auto, vllm, transformers or openai.")
    ] = None,
    model: Annotated[Text, typer.Option("--model", help="smollm2, a folder or OWNER/NAME.")] = None,
    base_url: Annotated[Text, typer.Option("--base-url", help="Server of --engine openai.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="engine.NAME=VALUE for any engine argument.")
    ] = None,
    image_expert: ImageExpert = None,
    audio_expert: AudioExpert = None,
    missing_values: Annotated[
        Text, typer.Option("--missing-values", help="skip or name what the table lacks.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="For all prompts, over their own.")
    ] = None,
    max_tokens: Annotated[
        Number, typer.Option("--max-tokens", help="Of one answer, for all prompts.")
    ] = None,
    on_too_long: Annotated[
        Text, typer.Option("--on-too-long", help="fail the row, or truncate its own text.")
    ] = None,
    embeddings: Annotated[
        bool | None,
        typer.Option("--embeddings/--no-embeddings", help="Curate by meaning too (default)."),
    ] = None,
    seed: Seed = None,
    output_dir: Output = None,
    config: Config = None,
    resume: Annotated[Text, typer.Option("--resume", help="auto, never or always.")] = None,
    reuse: Annotated[
        list[str] | None, typer.Option("--reuse", help="Run whose answers may be taken.")
    ] = None,
    accept: Annotated[Number, typer.Option("--accept", help="Stop at so many variants.")] = None,
    max_tokens_total: Annotated[
        Number, typer.Option("--max-tokens-total", help="Stop after so many tokens, resumable.")
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", help="Stop after so long, resumable.")
    ] = None,
    max_failed: Annotated[
        float | None, typer.Option("--max-failed", help="Share of failures that ends with 3.")
    ] = None,
    format_: Annotated[
        Text, typer.Option("--format", help="jsonl writes JSON lines beside the parquet.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan and the first prompt; run nothing.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Run 20 rows, then say what all would take.")
    ] = False,
    preview: Annotated[
        Number, typer.Option("--preview", help="Show so many rows; keep nothing.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write perturbed text for each row: describe, summarise, perturb, check; a run directory.

    Example: textcentric augment --dataset petfinder --prompts adversarial --limit 24
    """
    roles = {
        "id": id_column,
        "target": target_column,
        "text": text_column,
        "image": image_column,
        "audio": audio_column,
        "group": group_column,
        "ignore": ignore_column,
    }
    given = dict(locals())
    from textcentric.cli.run_augment import augment_command
    from textcentric.config import AugmentConfig, settings

    flags = {name: value for name, value in given.items() if name in AugmentConfig.model_fields}
    flags |= {"engine_settings": settings(set_) if set_ else None, "format": format_}
    flags["table_schema"] = table_schema(schema, roles)
    mode: Literal["run", "dry-run", "estimate", "preview"] = "run"
    if dry_run:
        mode = "dry-run"
    elif estimate:
        mode = "estimate"
    elif preview is not None:
        mode, flags["limit"] = "preview", preview
    raise typer.Exit(
        augment_command(config, flags, mode, as_json=as_json, quiet=quiet, verbose=verbose)
    )


def describe(
    dataset: Dataset = None,
    data_dir: DataDir = None,
    schema: SchemaFile = None,
    split: Split = None,
    limit: Limit = 5,
    require: Require = None,
    image_expert: ImageExpert = None,
    audio_expert: AudioExpert = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show rows in the experts' words, without a language model."""
    given = dict(locals())
    from textcentric.cli.run_augment import describe_command
    from textcentric.config import AugmentConfig

    flags = {name: value for name, value in given.items() if name in AugmentConfig.model_fields}
    describe_command(config, flags | {"table_schema": schema}, as_json=as_json)


def table_schema(path: str | None, roles: dict[str, Any]) -> Any:
    """Return the schema file, or one made of role flags; both together are refused."""
    named = {role: column for role, column in roles.items() if column}
    if path and named:
        raise typer.BadParameter(
            f"--schema and --{next(iter(named))} both name columns; put all roles into {path}"
        )
    return path or named or None
