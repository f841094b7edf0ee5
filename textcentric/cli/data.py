"""`textcentric data`: which data sets there are, what a row is, and what is wrong with a folder."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli.augment import EXPERTS, ROWS
from textcentric.cli.options import AsJson, Panels, configured
from textcentric.config import AugmentConfig

app = typer.Typer(
    help="The data sets: where they are, their rows, what is wrong with them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Named = Annotated[
    str, typer.Argument(metavar="DATASET", help="petfinder, airbnb, avito, a path or OWNER/NAME.")
]


@app.command("list", cls=Panels)
def list_(as_json: AsJson = False) -> None:
    """List the named data sets: where each was looked for, and whether it is there."""
    from textcentric.cli.show_data import list_sets

    list_sets(as_json=as_json)


@app.command("show", cls=Panels)
@configured(only=(*ROWS[1:], *EXPERTS), limit=3)
def show(config: AugmentConfig, dataset: Named, as_json: AsJson = False) -> None:
    """Show rows with their codes turned into words, and as the model will read them.

    Example: textcentric data show petfinder --limit 1 --image-expert pixels
    """
    from textcentric.cli.show_data import show_rows

    show_rows(config, as_json=as_json)


@app.command("fetch", cls=Panels)
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="petfinder, airbnb or avito.")],
    sample: Annotated[bool, typer.Option("--sample", help="Write the built-in sample.")] = False,
    rows: Annotated[int, typer.Option("--rows", help="Rows of the sample.")] = 240,
    seed: Annotated[int, typer.Option("--seed", help="Decides the sample's rows.")] = 0,
    output_dir: Annotated[
        str | None, typer.Option("-o", "--output-dir", help="New folder for the sample.")
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


@app.command("check", cls=Panels)
@configured(only=("data_dir", "table_schema"))
def check(
    config: AugmentConfig,
    dataset: Named,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Open every picture once (default).")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say per column what is missing, unreadable or out of range, and which pictures are broken.

    Ends with 2 only where rows cannot be used: a required column absent, doubled ids, no readable
    row. Absent and broken pictures are warnings.
    """
    from textcentric.cli.show_data import show_check

    source = config.table_schema
    raise typer.Exit(
        show_check(dataset, config.data_dir, source, pictures=pictures, as_json=as_json)
    )
