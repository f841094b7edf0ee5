"""`textcentric compare`: methods trained and damaged side by side, with seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textcentric.cli import flags as flag
from textcentric.extras import require


def compare(
    config: flag.Config = None,
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    arms: Annotated[
        flag.Text, typer.Option("--arms", help="Comma-separated: plain-text,text-centric.")
    ] = None,
    against: Annotated[flag.Text, typer.Option("--against", help="Arm to compare with.")] = None,
    seeds: Annotated[flag.Text, typer.Option("--seeds", help="Comma-separated: 0,1,2.")] = None,
    train_rows: Annotated[
        flag.Number, typer.Option("--train-rows", help="At most so many of split train.")
    ] = None,
    held_out_rows: Annotated[
        flag.Number, typer.Option("--held-out-rows", help="At most so many of split validation.")
    ] = None,
    test_rows: Annotated[
        flag.Number, typer.Option("--test-rows", help="At most so many of split test.")
    ] = None,
    folds: Annotated[
        flag.Number, typer.Option("--folds", help="Cut all rows into so many folds; no splits.")
    ] = None,
    fold: Annotated[
        flag.Number, typer.Option("--fold", help="Test this fold only, counted from 0.")
    ] = None,
    corruptions: flag.Corruptions = None,
    levels: flag.Levels = None,
    llm_corruptions: Annotated[
        flag.Text, typer.Option("--llm-corruptions", help="Those asked of the LLM, among all.")
    ] = None,
    llm_levels: Annotated[
        flag.Text, typer.Option("--llm-levels", help="Levels asked of the LLM: 0.3,0.5,0.7.")
    ] = None,
    orders: flag.Orders = None,
    metric: Annotated[
        flag.Text, typer.Option("--metric", help="What is scored; default: the task's own.")
    ] = None,
    set_: Annotated[
        flag.Texts,
        typer.Option("--set", help="augment.KEY=VALUE, training.KEY=VALUE, downstream.KEY=VALUE."),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option("-o", "--output-dir", help="Where results and report go.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan with its hours; write nothing.")
    ] = False,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Train arms on the same rows, damage the test rows, and say whether augmenting helped.

    The plan comes first. What is finished is kept: the same command goes on after an interruption.
    The same as: python pipelines/ablate.py ...

    Example: textcentric compare -c pipelines/petfinder.yaml -o runs/petfinder --dry-run
    """
    given = {
        "dataset": dataset,
        "data_dir": data_dir,
        "table_schema": schema,
        "against": against,
        "train_rows": train_rows,
        "held_out_rows": held_out_rows,
        "test_rows": test_rows,
        "folds": folds,
        "fold": fold,
        "orders": orders,
        "metric": metric,
        "output_dir": output_dir,
    }
    require("compare")
    from textcentric.cli.run_compare import compare_command, compare_config

    lists = {"arms": arms, "seeds": seeds, "corruptions": corruptions, "levels": levels}
    lists |= {"llm_corruptions": llm_corruptions, "llm_levels": llm_levels}
    settings = compare_config(config, given, lists, set_ or [])
    raise typer.Exit(
        compare_command(settings, dry_run=dry_run, as_json=as_json, quiet=quiet, verbose=verbose)
    )
