"""`textcentric latents`: what frozen encoders make of a data set, kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textcentric.cli import flags as flag
from textcentric.cli.augment import table_schema
from textcentric.extras import require


def latents(
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    audio_column: flag.AudioColumn = None,
    group_column: flag.GroupColumn = None,
    ignore_column: flag.IgnoreColumn = None,
    split: flag.Split = None,
    limit: flag.Limit = None,
    modalities: Annotated[
        flag.Text,
        typer.Option("--modalities", help="Two of image, text, audio (default: those there are)."),
    ] = None,
    image_encoder: Annotated[
        flag.Text,
        typer.Option("--image-encoder", help="packaged (EfficientNet), a folder or OWNER/NAME."),
    ] = None,
    text_encoder: Annotated[
        flag.Text,
        typer.Option("--text-encoder", help="packaged (MiniLM), a folder or OWNER/NAME."),
    ] = None,
    audio_encoder: Annotated[
        flag.Text,
        typer.Option("--audio-encoder", help="log-mel (default), a folder or OWNER/NAME."),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option("-o", "--output-dir", help="Folder of the latents.")
    ] = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Encode pictures, texts or sounds once; a folder that `train align-vl` and `retrieve` read.

    Each row is a pair. The same command goes on where it was stopped.

    Example: textcentric latents --dataset captions.csv --data-dir images --group image
    """
    given = dict(locals())
    if dataset is None:
        raise typer.BadParameter("which rows? Give --dataset", param_hint="--dataset")
    require("latents")
    from textcentric.cli.run_latents import latents_command

    raise typer.Exit(
        latents_command(
            {
                "dataset": dataset,
                "data_dir": data_dir,
                "schema": table_schema(schema, given),
                "split": split,
                "limit": limit,
            },
            modalities,
            {"image": image_encoder, "text": text_encoder, "audio": audio_encoder},
            output_dir,
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    )
