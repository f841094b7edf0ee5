"""`textcentric retrieve`: search across modalities in a trained space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textcentric.cli import flags as flag
from textcentric.extras import require


def retrieve(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of an aligned model.")],
    latents: Annotated[
        flag.Text, typer.Option("--latents", help="Folder of the latents to search.")
    ] = None,
    texts: Annotated[
        flag.Texts, typer.Option("--text", help="Search with words; may be repeated.")
    ] = None,
    images: Annotated[
        flag.Texts, typer.Option("--image", help="Search with a picture; may be repeated.")
    ] = None,
    sounds: Annotated[
        flag.Texts, typer.Option("--audio", help="Search with a sound; may be repeated.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option("--queries", help="File with a text to search with on each line.")
    ] = None,
    split: Annotated[
        flag.Text,
        typer.Option("--split", help="Items to search (default: all), to test (default: test)."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Items to find for each query.")] = 10,
    page: Annotated[
        Path | None, typer.Option("--page", help="HTML page of what was found, with pictures.")
    ] = None,
    data_dir: Annotated[
        flag.Text, typer.Option("--data-dir", help="Folder of the files, if it has moved.")
    ] = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Find pictures by words, words by pictures, words by sounds; without a query, test how well.

    The test is R@1, 5 and 10 both ways, with intervals; an item may have several partners.

    Example: textcentric retrieve models/captions --latents latents/captions --text "a dog"
    """
    if latents is None:
        raise typer.BadParameter("in what? Give --latents", param_hint="--latents")
    require("retrieve")
    if texts or images or sounds or queries:
        require("retrieve by a query")
    from textcentric.cli.run_retrieve import retrieve_command

    raise typer.Exit(
        retrieve_command(
            model,
            latents,
            {"text": texts or [], "image": images or [], "audio": sounds or []},
            queries,
            split=split,
            top=top,
            page=page,
            data_dir=data_dir,
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    )
