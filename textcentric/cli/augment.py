"""`textcentric augment` and `textcentric describe`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from textcentric.cli import flags as flag

Mode = Literal["run", "dry-run", "estimate", "preview"]


def augment(
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    target_column: flag.TargetColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    audio_column: flag.AudioColumn = None,
    group_column: flag.GroupColumn = None,
    ignore_column: flag.IgnoreColumn = None,
    split: flag.Split = None,
    limit: flag.Limit = None,
    require: flag.Require = None,
    prompts: Annotated[
        flag.Text, typer.Option("--prompts", help="Sets, ids and globs, comma-separated.")
    ] = None,
    prompt_dir: flag.PromptDir = None,
    samples: Annotated[
        flag.Number, typer.Option("--samples", help="Variants a row and prompt.")
    ] = None,
    summarize: Annotated[
        bool | None, typer.Option("--summarize/--no-summarize", help="Add a summary to each row.")
    ] = None,
    perturb: Annotated[
        flag.Text,
        typer.Option("--perturb", help="train: only that split (default); all: every row."),
    ] = None,
    engine: flag.Engine = None,
    model: flag.Model = None,
    base_url: flag.BaseUrl = None,
    set_: flag.Set = None,
    image_expert: flag.ImageExpert = None,
    audio_expert: flag.AudioExpert = None,
    missing_values: flag.MissingValues = None,
    temperature: flag.Temperature = None,
    max_tokens: flag.MaxTokens = None,
    on_too_long: Annotated[
        flag.Text, typer.Option("--on-too-long", help="fail the row, or truncate its own text.")
    ] = None,
    embeddings: flag.Embeddings = None,
    seed: flag.Seed = None,
    output_dir: flag.Output = None,
    config: flag.Config = None,
    resume: Annotated[flag.Text, typer.Option("--resume", help="auto, never or always.")] = None,
    reuse: Annotated[
        flag.Texts, typer.Option("--reuse", help="Run whose answers may be taken.")
    ] = None,
    accept: flag.Accept = None,
    max_tokens_total: flag.MaxTokensTotal = None,
    max_minutes: flag.MaxMinutes = None,
    max_failed: flag.MaxFailed = None,
    format_: Annotated[
        flag.Text, typer.Option("--format", help="jsonl writes JSON lines beside the parquet.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan and the first prompt; write nothing.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Run 20 rows, then say what all would take.")
    ] = False,
    preview: Annotated[
        flag.Number, typer.Option("--preview", min=1, help="Show so many rows; keep nothing.")
    ] = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Write perturbed text for each row: describe, summarise, perturb, check; a run directory.

    Example: textcentric augment --dataset petfinder --prompts adversarial --limit 24
    """
    given = dict(locals())
    from textcentric.cli.augment_modes import augment_command
    from textcentric.config import AugmentConfig, settings

    flags = {name: value for name, value in given.items() if name in AugmentConfig.model_fields}
    flags |= {"engine_settings": settings(set_) if set_ else None, "format": format_}
    flags["table_schema"] = table_schema(schema, given)
    mode = chosen_mode(dry_run=dry_run, estimate=estimate, preview=preview is not None)
    raise typer.Exit(
        augment_command(
            config,
            flags,
            mode,
            preview=preview,
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    )


def chosen_mode(*, dry_run: bool, estimate: bool, preview: bool) -> Mode:
    """Return the one mode that was asked for; two at once are refused."""
    asked: dict[Mode, bool] = {"dry-run": dry_run, "estimate": estimate, "preview": preview}
    modes = [mode for mode, wanted in asked.items() if wanted]
    if len(modes) > 1:
        raise typer.BadParameter(f"--{modes[0]} and --{modes[1]} exclude each other; choose one")
    return modes[0] if modes else "run"


def describe(
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    split: flag.Split = None,
    limit: flag.Limit = 5,
    require: flag.Require = None,
    image_expert: flag.ImageExpert = None,
    audio_expert: flag.AudioExpert = None,
    config: flag.Config = None,
    as_json: flag.AsJson = False,
) -> None:
    """Show rows in the experts' words, without a language model."""
    given = dict(locals())
    from textcentric.cli.augment_modes import describe_command
    from textcentric.config import AugmentConfig

    flags = {name: value for name, value in given.items() if name in AugmentConfig.model_fields}
    describe_command(config, flags | {"table_schema": schema}, as_json=as_json)


def table_schema(path: str | None, given: Mapping[str, Any]) -> Any:
    """Return the schema file, or one made of role flags; both together are refused.

    Of what the command was `given`, `<role>_column` names the column of a role.
    """
    named = {
        name.removesuffix("_column"): column
        for name, column in given.items()
        if name.endswith("_column") and column
    }
    if path and named:
        raise typer.BadParameter(
            f"--schema and --{next(iter(named))} both name columns; put all roles into {path}"
        )
    return path or named or None
