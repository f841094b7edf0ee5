"""The command tree. Each command lives in a module that is imported when the command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli import (
    ablate,
    augment,
    compare,
    data,
    doctor,
    evaluate,
    latents,
    predict,
    prompts,
    retrieve,
    runs,
    score,
    train,
)

app = typer.Typer(
    name="textcentric",
    help="Turn pictures, tables, sound and text into text, attack it, train on it, prove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"textcentric {version('textcentric')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn pictures, tables, sound and text into text, attack it, train on it, prove it."""


app.command("augment")(augment.augment)
app.command("describe")(augment.describe)
app.add_typer(train.app, name="train")
app.command("predict")(predict.predict)
app.command("score")(score.score)
app.add_typer(evaluate.app, name="evaluate")
app.command("latents")(latents.latents)
app.command("retrieve")(retrieve.retrieve)
app.add_typer(ablate.app, name="ablate")
app.command("compare")(compare.compare)
app.add_typer(data.app, name="data")
app.add_typer(prompts.app, name="prompts")
app.add_typer(runs.app, name="runs")
app.command("report")(runs.report)
app.command("lineage")(runs.lineage)
app.command("doctor")(doctor.doctor)
