"""`textcentric ablate`: what is lost where one piece of a method is taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from textcentric.cli import flags as flag
from textcentric.cli.augment import table_schema
from textcentric.extras import require

Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each arm.")]
Config = Annotated[
    Path | None,
    typer.Option("-c", "--config", help="YAML of what all arms share, as `train` takes it."),
]
Output = Annotated[Path, typer.Option("-o", "--output-dir", help="Where cells and tables go.")]

app = typer.Typer(
    help="Take a method apart: seeds, intervals, a table and a picture; resumable.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def ablate() -> None:
    """Take a method apart: seeds, intervals, a table and a picture; resumable."""


@app.command("crmt")
def crmt(
    output_dir: Output,
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    config: Config = None,
    split: Annotated[str, typer.Option("--split", help="Rows to attack.")] = "test",
    limit: flag.Limit = None,
    radius: Annotated[
        float, typer.Option("--radius", min=0, help="Of attacks, in standard deviations.")
    ] = 1.0,
    seeds: Seeds = 3,
    set_: Annotated[
        flag.Texts, typer.Option("--set", help="train.KEY=VALUE or crmt.KEY=VALUE.")
    ] = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """CRMT without explicit optimisation of its weights, and with a hinge for its margin.

    Nine metrics (clean, FGM, PGD, both on each modality, each modality missing) and the worst case.

    Example: textcentric ablate crmt --dataset clips.csv --schema clips.yaml -o runs/ablation
    """
    require("ablate crmt")
    from textcentric.cli.run_ablate import ablate_crmt

    given = {
        "dataset": dataset,
        "data_dir": data_dir,
        "table_schema": table_schema(schema, {}),
    }
    raise typer.Exit(
        ablate_crmt(
            config,
            given,
            set_ or [],
            split=split,
            limit=limit,
            radius=radius,
            seeds=seeds,
            output=output_dir,
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    )


@app.command("align-vl")
def align_vl(
    output_dir: Output,
    latents: Annotated[
        flag.Text, typer.Option("--latents", help="Folder that `textcentric latents` made.")
    ] = None,
    config: Config = None,
    split: Annotated[str, typer.Option("--split", help="Pairs to search among.")] = "test",
    grid: Annotated[
        bool, typer.Option("--grid", help="How much noise and smoothing, instead of which pieces.")
    ] = False,
    seeds: Seeds = 3,
    set_: Annotated[
        flag.Texts, typer.Option("--set", help="train.KEY=VALUE or align_vl.KEY=VALUE.")
    ] = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Align-VL without mixing, and with uniform noise; or a grid of sigma and alpha.

    The grid is sigma in 0.01, 0.05, 0.1, 0.5 by alpha in 0.1, 0.2, 0.5, 0.8. R@1, 5 and 10.

    Example: textcentric ablate align-vl --latents latents/captions -o runs/ablation
    """
    require("ablate align-vl")
    from textcentric.cli.run_ablate import ablate_align

    given: dict[str, Any] = {"latents": latents}
    raise typer.Exit(
        ablate_align(
            config,
            given,
            set_ or [],
            split=split,
            grid=grid,
            seeds=seeds,
            output=output_dir,
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    )
