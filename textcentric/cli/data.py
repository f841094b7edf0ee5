"""`textcentric data`: which data sets there are, what a row is, and what is wrong with a folder."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli import flags as flag
from textcentric.cli.augment import table_schema

app = typer.Typer(
    help="The data sets: where they are, their rows, what is wrong with them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Named = Annotated[
    str, typer.Argument(metavar="DATASET", help="petfinder, airbnb, avito, a path or OWNER/NAME.")
]


@app.command("list")
def list_(as_json: flag.AsJson = False) -> None:
    """List the named data sets: where each was looked for, and whether it is there."""
    from textcentric.cli.show_data import list_sets

    list_sets(as_json=as_json)


@app.command("show")
def show(
    dataset: Named,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    target_column: flag.TargetColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    split: flag.Split = None,
    limit: flag.Limit = 3,
    require: flag.Require = None,
    image_expert: flag.ImageExpert = None,
    audio_expert: flag.AudioExpert = None,
    as_json: flag.AsJson = False,
) -> None:
    """Show rows with their codes turned into words, and as the model will read them.

    Example: textcentric data show petfinder --limit 1 --image-expert pixels
    """
    given = dict(locals())
    flags = {
        "dataset": dataset,
        "data_dir": data_dir,
        "table_schema": table_schema(schema, given),
        "split": split,
        "limit": limit,
        "require": require or None,
        "image_expert": image_expert,
        "audio_expert": audio_expert,
    }
    from textcentric.cli.show_data import show_rows
    from textcentric.config import resolve

    show_rows(resolve(None, flags), as_json=as_json)


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="petfinder, airbnb or avito.")],
    sample: Annotated[bool, typer.Option("--sample", help="Write the built-in sample.")] = False,
    rows: Annotated[int, typer.Option("--rows", help="Rows of the sample.")] = 240,
    seed: Annotated[int, typer.Option("--seed", help="Decides the sample's rows.")] = 0,
    output_dir: Annotated[
        flag.Text, typer.Option("-o", "--output-dir", help="New folder for the sample.")
    ] = None,
) -> None:
    """Say how to get a data set, or write its built-in sample.

    The real sets may not be passed on, so there is no download; `--sample -o DIR` needs none.
    """
    from textcentric.cli.show_data import how_to_get, write_sample_to

    if sample:
        if output_dir is None:
            raise typer.BadParameter("--sample needs a new folder: -o DIR")
        write_sample_to(name, output_dir, rows, seed)
        return
    raise typer.Exit(how_to_get(name))


@app.command("check")
def check(
    dataset: Named,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    target_column: flag.TargetColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Open every picture once (default).")
    ] = True,
    as_json: flag.AsJson = False,
) -> None:
    """Say per column what is missing, unreadable or out of range, and which pictures are broken.

    Ends with 2 only where rows cannot be used: a required column absent, doubled ids, no readable
    row. Absent and broken pictures are warnings.
    """
    given = dict(locals())
    from textcentric.cli.show_data import show_check

    source = table_schema(schema, given)
    raise typer.Exit(show_check(dataset, data_dir, source, pictures=pictures, as_json=as_json))
