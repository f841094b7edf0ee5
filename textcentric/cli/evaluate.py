"""`textcentric evaluate`: trained models under the robustness grid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textcentric.cli import flags as flag


def evaluate(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of trained models.")
    ],
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    split: Annotated[str, typer.Option("--split", help="Rows to evaluate on.")] = "test",
    limit: flag.Limit = None,
    corruptions: flag.Corruptions = None,
    levels: flag.Levels = None,
    most_missing: Annotated[
        flag.Number,
        typer.Option("--most-missing", min=0, help="Modalities removed at a time; 0: none."),
    ] = None,
    orders: flag.Orders = None,
    metric: Annotated[
        flag.Text, typer.Option("--metric", help="What is scored; default: the task's own.")
    ] = None,
    engine: flag.Engine = None,
    llm: flag.Llm = None,
    base_url: flag.BaseUrl = None,
    set_: flag.Set = None,
    other_model: flag.OtherModel = False,
    seed: flag.Seed = None,
    output_dir: Annotated[
        Path | None, typer.Option("-o", "--output-dir", help="Where results and report go.")
    ] = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Damage rows, put them into words again, predict, and report what each model loses.

    What experts and LLM answer is kept in the output directory: a second time is nearly free.

    Example: textcentric evaluate models/first --dataset petfinder --levels 0.3,0.5
    """
    if dataset is None:
        raise typer.BadParameter("which rows? Give --dataset", param_hint="--dataset")
    given = {
        "dataset": dataset,
        "data_dir": data_dir,
        "table_schema": schema,
        "split": split,
        "limit": limit,
        "most_missing": most_missing,
        "orders": orders,
        "metric": metric,
        "base_url": base_url,
        "other_model": other_model,
        "seed": seed,
        "output_dir": output_dir,
    }
    from textcentric.cli.run_evaluate import engine_flags, evaluate_command
    from textcentric.cli.run_predict import lent_engine

    with lent_engine(engine, llm, base_url, set_ or []) as lent:
        code = evaluate_command(
            models,
            given,
            corruptions,
            levels,
            engine=lent,
            engine_flags=engine_flags(engine, llm, set_ or []),
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    raise typer.Exit(code)
