"""`textcentric compare`: methods trained and damaged side by side, with seeds."""

from __future__ import annotations

import typer

from textcentric.cli.options import AsJson, DryRun, Quiet, Verbose, configured
from textcentric.comparison.config import CompareConfig
from textcentric.extras import require


@configured()
def compare(
    config: CompareConfig,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train arms on the same rows, damage the test rows, and say whether augmenting helped.

    The plan comes first, with its hours. What is finished is kept: the same command goes on after
    an interruption. The same as: python pipelines/ablate.py ...

    Example: textcentric compare -c pipelines/petfinder.yaml -o runs/petfinder --dry-run
    """
    require("compare")
    from textcentric.cli.run_compare import compare_command

    config.check()
    raise typer.Exit(
        compare_command(config, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose)
    )
