"""`textcentric evaluate`: models under damage, reward models on pairs, fusion models attacked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from textcentric.cli import flags as flag
from textcentric.cli.augment import table_schema
from textcentric.extras import require


class DownstreamFirst(TyperGroup):
    """A group of which `downstream` is meant where no command of it is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name in front where it is not there."""
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else ["downstream", *args])


app = typer.Typer(cls=DownstreamFirst, rich_markup_mode=None)


@app.callback()
def evaluate() -> None:
    """Evaluate trained models under damage; `evaluate reward` and `evaluate fusion` the others."""


@app.command("downstream")
def downstream(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of trained models.")
    ],
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    target_column: flag.TargetColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    audio_column: flag.AudioColumn = None,
    group_column: flag.GroupColumn = None,
    ignore_column: flag.IgnoreColumn = None,
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

    Reward models are evaluated on pairs, fusion models under attack: textcentric evaluate reward
    --help, textcentric evaluate fusion --help

    Example: textcentric evaluate models/first --dataset petfinder --levels 0.3,0.5
    """
    roles = table_schema(schema, dict(locals()))
    if dataset is None:
        raise typer.BadParameter("which rows? Give --dataset", param_hint="--dataset")
    given = {
        "dataset": dataset,
        "data_dir": data_dir,
        "table_schema": roles,
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
    require("evaluate downstream")
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


@app.command("reward")
def reward(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of reward models.")
    ],
    datasets: Annotated[
        flag.Text, typer.Option("--dataset", help="Sets of pairs: FILE,FILE or OWNER/NAME.")
    ] = None,
    candidates: Annotated[
        flag.Text,
        typer.Option("--candidates", help="Prompts with many responses, for Best-of-N: FILE,FILE."),
    ] = None,
    text_only: Annotated[
        flag.Text,
        typer.Option("--text-only", help="A model trained without descriptions, as a ruler."),
    ] = None,
    layout: Annotated[
        flag.Text, typer.Option("--layout", help="Of the pairs; default: told from the columns.")
    ] = None,
    image_dir: Annotated[
        flag.Text, typer.Option("--image-dir", help="Folder of the pictures, to be put into words.")
    ] = None,
    image_expert: flag.ImageExpert = None,
    limit: flag.Limit = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Texts at a time.")] = 32,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where all figures go, as JSON.")
    ] = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Say how often reward models prefer the chosen response, beside rules that see no picture.

    Every model is tried on every set. RewardBench, VL-RewardBench and Multimodal RewardBench are
    read as they are; RewardBench 2 and other prompts with many responses by --candidates.

    Example: textcentric evaluate reward models/reward --dataset held-out.jsonl
    """
    require("evaluate reward")
    from textcentric.cli.run_evaluate_reward import evaluate_reward

    raise typer.Exit(
        evaluate_reward(
            models,
            datasets,
            candidates,
            {"layout": layout, "limit": limit},
            text_only=text_only,
            image_dir=image_dir,
            image_expert=image_expert or "auto",
            batch_size=batch_size,
            output=output,
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    )


@app.command("fusion")
def fusion(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of fusion models.")
    ],
    dataset: flag.Dataset = None,
    data_dir: flag.DataDir = None,
    schema: flag.SchemaFile = None,
    id_column: flag.IdColumn = None,
    target_column: flag.TargetColumn = None,
    text_column: flag.TextColumn = None,
    image_column: flag.ImageColumn = None,
    audio_column: flag.AudioColumn = None,
    group_column: flag.GroupColumn = None,
    ignore_column: flag.IgnoreColumn = None,
    split: Annotated[str, typer.Option("--split", help="Rows to attack.")] = "test",
    limit: flag.Limit = None,
    radii: Annotated[
        str, typer.Option("--radii", help="l2 lengths, in standard deviations of an input.")
    ] = "0.5,1,2,4",
    threats: Annotated[
        flag.Text,
        typer.Option("--threats", help="Such as image,joint (default: each, joint, split)."),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option("-o", "--output-dir", help="Where figures and curves go.")
    ] = None,
    seed: flag.Seed = None,
    as_json: flag.AsJson = False,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Attack fusion models as hard as is known, and take modalities away.

    Robust accuracy is what no attack of the suite flips; the paper's attacks are printed beside it,
    and the certified radius, which is heuristic.

    Example: textcentric evaluate fusion models/clips --dataset clips.csv --target class
    """
    given = dict(locals())
    if dataset is None:
        raise typer.BadParameter("which rows? Give --dataset", param_hint="--dataset")
    require("evaluate fusion")
    from textcentric.cli.run_evaluate_fusion import evaluate_fusion

    reading = {"dataset": dataset, "data_dir": data_dir, "split": split, "limit": limit}
    raise typer.Exit(
        evaluate_fusion(
            models,
            {**reading, "schema": table_schema(schema, given)},
            radii=radii,
            threats=threats,
            output=output_dir,
            seed=seed or 0,
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    )
