"""`textcentric predict`: predictions with probabilities for new rows."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli import flags as flag
from textcentric.extras import require


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    dataset: Annotated[
        flag.Text,
        typer.Option("--dataset", "--input", help="A table's path, a data set's name, OWNER/NAME."),
    ] = None,
    data_dir: flag.DataDir = None,
    schema: Annotated[
        flag.Text, typer.Option("--schema", help="YAML of roles; default: that of the training.")
    ] = None,
    split: flag.Split = None,
    limit: flag.Limit = None,
    output: Annotated[
        flag.Text,
        typer.Option(
            "-o", "--output", help="CSV, parquet or jsonl file; default: JSON lines here."
        ),
    ] = None,
    prompts: Annotated[
        str, typer.Option("--prompts", help="frozen: those in MODEL; installed: must be the same.")
    ] = "frozen",
    prompt_dir: flag.PromptDir = None,
    engine: flag.Engine = None,
    llm: flag.Llm = None,
    base_url: flag.BaseUrl = None,
    set_: flag.Set = None,
    other_model: flag.OtherModel = False,
    run_dir: Annotated[
        flag.Text, typer.Option("--run-dir", help="Run directory of what the LLM answers.")
    ] = None,
    reuse: Annotated[
        flag.Texts, typer.Option("--reuse", help="Run whose answers may be taken.")
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Rows at a time.")] = 64,
    max_failed: flag.MaxFailed = 0.05,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Predict the target of new rows, read as the training rows were.

    An LLM is asked only where the model reads what one wrote, by the prompts frozen in its folder.

    Example: textcentric predict models/first --dataset new.csv -o predictions.csv
    """
    require("predict")
    from textcentric.cli.run_predict import lent_engine, predict_command

    if dataset is None:
        raise typer.BadParameter("which rows? Give --dataset", param_hint="--dataset")
    options = {
        "data_dir": data_dir,
        "schema": schema,
        "split": split,
        "limit": limit,
        "prompts": prompts,
        "prompt_dir": prompt_dir,
        "base_url": base_url,
        "other_model": other_model,
        "run_dir": run_dir,
        "reuse": reuse or (),
        "batch_size": batch_size,
    }
    with lent_engine(engine, llm, base_url, set_ or []) as lent:
        code = predict_command(
            model,
            dataset,
            options | {"engine": lent},
            output,
            max_failed=max_failed or 0.0,
            quiet=quiet,
            verbose=verbose,
        )
    raise typer.Exit(code)
