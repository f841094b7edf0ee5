"""`textcentric retrieve`: search across modalities in a trained space."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli.options import AsJson, Quiet, Verbose, configured
from textcentric.extras import require
from textcentric.methods.align_vl.config import RetrieveConfig


@configured()
def retrieve(
    config: RetrieveConfig,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of an aligned model.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find pictures by words, words by pictures, words by sounds; without a query, test how well.

    The test is R@1, 5 and 10 both ways, with intervals; an item may have several partners.

    Example: textcentric retrieve models/captions --latents latents/captions --text "a dog"
    """
    require("retrieve")
    if config.text or config.image or config.audio or config.queries:
        require("retrieve by a query")
    from textcentric.cli.run_retrieve import retrieve_command

    raise typer.Exit(retrieve_command(model, config, as_json=as_json, quiet=quiet, verbose=verbose))
