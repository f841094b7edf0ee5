"""`textcentric latents`: what frozen encoders make of a data set, kept on disk."""

from __future__ import annotations

import typer

from textcentric.cli.options import AsJson, Quiet, Verbose, configured
from textcentric.extras import require
from textcentric.latents.config import LatentsConfig


@configured()
def latents(
    config: LatentsConfig,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Encode pictures, texts or sounds once; a folder that `train align-vl` and `retrieve` read.

    Each row is a pair. The same command goes on where it was stopped.

    Example: textcentric latents --dataset captions.csv --data-dir images --group image
    """
    require("latents")
    from textcentric.cli.run_latents import latents_command

    raise typer.Exit(latents_command(config, as_json=as_json, quiet=quiet, verbose=verbose))
