"""`textcentric runs`, `report` and `lineage`: what ran, what came of it, what made a row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textcentric.cli.options import AsJson, Panels, Quiet, Verbose, configured
from textcentric.config import AugmentConfig

RESUMED = ("base_url", "accept", "max_tokens_total", "max_minutes", "max_failed")

app = typer.Typer(
    help="The run directories: what ran, what came of it, going on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or its name in runs/.")]
Parent = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of run directories.")]


@app.command("list", cls=Panels)
def list_(parent: Parent = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs of a folder, newest first."""
    from textcentric.cli.show_runs import list_command

    list_command(parent, as_json=as_json)


@app.command("show", cls=Panels)
def show(run: Run, as_json: AsJson = False) -> None:
    """Show what came of a run: counts, reasons, tokens, what limited it, how to go on."""
    from textcentric.cli.show_runs import show_command

    show_command(run, as_json=as_json)


@app.command("diff", cls=Panels)
def diff(one: Run, two: Run, as_json: AsJson = False) -> None:
    """Show what differs between two runs: configuration, counts, tokens, versions.

    Values are cut to the width of the screen; --json has them whole.
    """
    from textcentric.cli.show_runs import diff_command

    diff_command(one, two, as_json=as_json)


@app.command("resume", cls=Panels)
@configured(only=RESUMED, file=False)
def resume(
    config: AugmentConfig,
    run: Run,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="Ask again for what failed; answers are kept.",
            rich_help_panel="Output",
        ),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Go on with a run as it was configured, with the prompts that were frozen then.

    Paths in the configuration are as they were given: go on from the same folder.
    """
    from textcentric.cli.resume import resume_run
    from textcentric.cli.terminal import silence

    silence(verbose)
    given = {name: getattr(config, name) for name in RESUMED if name in config.model_fields_set}
    raise typer.Exit(
        resume_run(run, given, retry_failed=retry_failed, as_json=as_json, quiet=quiet)
    )


def report(run: Run) -> None:
    """Write `report.html` of a run anew and print its path."""
    from textcentric.cli.show_runs import report_command

    report_command(run)


def lineage(
    row_id: Annotated[
        str, typer.Argument(metavar="ROW_ID", help="An output (row/prompt/sample), or a row.")
    ],
    run: Annotated[
        str | None, typer.Option("--run", help="Run directory; default: the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what made an output: row, prompt, model, sampling values, seed, answers and checks.

    With the id of a source row, list the outputs that were made of it.
    """
    from textcentric.cli.show_lineage import lineage_command

    lineage_command(row_id, run, as_json=as_json)
