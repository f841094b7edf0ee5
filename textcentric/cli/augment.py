"""`textcentric augment` and `textcentric describe`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from textcentric.cli.options import AsJson, DryRun, Quiet, Verbose, configured
from textcentric.config import AugmentConfig

Mode = Literal["run", "dry-run", "estimate", "preview"]
ROWS = ("dataset", "data_dir", "table_schema", "split", "limit", "require")
EXPERTS = ("image_expert", "audio_expert", "missing_values")


@configured()
def augment(
    config: AugmentConfig,
    dry_run: DryRun = False,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            help="Run 20 rows, then say what all would take.",
            rich_help_panel="Output",
        ),
    ] = False,
    preview: Annotated[
        int | None,
        typer.Option(
            "--preview",
            min=1,
            metavar="INTEGER",
            help="Show so many rows; keep nothing.",
            rich_help_panel="Output",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write perturbed text for each row: describe, summarise, perturb, check; a run directory.

    Example: textcentric augment --dataset petfinder --prompts adversarial --limit 24
    """
    from textcentric.cli.augment_modes import augment_command

    mode = chosen_mode(dry_run=dry_run, estimate=estimate, preview=preview is not None)
    raise typer.Exit(
        augment_command(
            config, mode, preview=preview, as_json=as_json, quiet=quiet, verbose=verbose
        )
    )


def chosen_mode(*, dry_run: bool, estimate: bool, preview: bool) -> Mode:
    """Return the one mode that was asked for; two at once are refused."""
    asked: dict[Mode, bool] = {"dry-run": dry_run, "estimate": estimate, "preview": preview}
    modes = [mode for mode, wanted in asked.items() if wanted]
    if len(modes) > 1:
        raise typer.BadParameter(f"--{modes[0]} and --{modes[1]} exclude each other; choose one")
    return modes[0] if modes else "run"


@configured(only=(*ROWS, *EXPERTS), limit=5)
def describe(config: AugmentConfig, as_json: AsJson = False) -> None:
    """Show rows in the experts' words, without a language model.

    Example: textcentric describe --dataset petfinder --limit 2
    """
    from textcentric.cli.augment_modes import describe_command

    describe_command(config, as_json=as_json)
