"""`textcentric runs`, `report` and `lineage`: what ran, what came of it, what made a row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textcentric.cli import flags as flag

app = typer.Typer(
    help="The run directories: what ran, what came of it, going on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or its name in runs/.")]
Parent = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of run directories.")]


@app.command("list")
def list_(parent: Parent = Path("runs"), as_json: flag.AsJson = False) -> None:
    """List the runs of a folder, newest first."""
    from textcentric.cli.show_runs import list_command

    list_command(parent, as_json=as_json)


@app.command("show")
def show(run: Run, as_json: flag.AsJson = False) -> None:
    """Show what came of a run: counts, reasons, tokens, what limited it, how to go on."""
    from textcentric.cli.show_runs import show_command

    show_command(run, as_json=as_json)


@app.command("diff")
def diff(one: Run, two: Run, as_json: flag.AsJson = False) -> None:
    """Show what differs between two runs: configuration, counts, tokens, versions.

    Values are cut to the width of the screen; --json has them whole.
    """
    from textcentric.cli.show_runs import diff_command

    diff_command(one, two, as_json=as_json)


@app.command("resume")
def resume(
    run: Run,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again for what failed; answers are kept.")
    ] = False,
    base_url: flag.BaseUrl = None,
    accept: flag.Accept = None,
    max_tokens_total: flag.MaxTokensTotal = None,
    max_minutes: flag.MaxMinutes = None,
    max_failed: flag.MaxFailed = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Go on with a run as it was configured, with the prompts that were frozen then.

    Paths in the configuration are as they were given: go on from the same folder.
    """
    given = {
        "base_url": base_url,
        "accept": accept,
        "max_tokens_total": max_tokens_total,
        "max_minutes": max_minutes,
        "max_failed": max_failed,
    }
    from textcentric.cli.resume import resume_run
    from textcentric.cli.terminal import silence

    silence(verbose)
    flags = {name: value for name, value in given.items() if value is not None}
    raise typer.Exit(
        resume_run(run, flags, retry_failed=retry_failed, as_json=as_json, quiet=quiet)
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
        flag.Text, typer.Option("--run", help="Run directory; default: the newest.")
    ] = None,
    as_json: flag.AsJson = False,
) -> None:
    """Show what made an output: row, prompt, model, sampling values, seed, answers and checks.

    With the id of a source row, list the outputs that were made of it.
    """
    from textcentric.cli.show_lineage import lineage_command

    lineage_command(row_id, run, as_json=as_json)
