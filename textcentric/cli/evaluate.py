"""`textcentric evaluate`: models under damage, reward models on pairs, fusion models attacked."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from textcentric.cli.options import AsJson, Panels, Quiet, Verbose, configured
from textcentric.evaluation.config import (
    EvaluateConfig,
    EvaluateFusionConfig,
    EvaluateRewardConfig,
)
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


@app.command("downstream", cls=Panels)
@configured()
def downstream(
    config: EvaluateConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of trained models.")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Damage rows, put them into words again, predict, and report what each model loses.

    What experts and LLM answer is kept in the output directory: a second time is nearly free.

    Reward models are evaluated on pairs, fusion models under attack: textcentric evaluate reward
    --help, textcentric evaluate fusion --help

    Example: textcentric evaluate models/first --dataset petfinder --levels 0.3,0.5
    """
    require("evaluate downstream")
    from textcentric.cli.run_evaluate import evaluate_command

    raise typer.Exit(
        evaluate_command(models, config, as_json=as_json, quiet=quiet, verbose=verbose)
    )


@app.command("reward", cls=Panels)
@configured()
def reward(
    config: EvaluateRewardConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of reward models.")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say how often reward models prefer the chosen response, beside rules that see no picture.

    Every model is tried on every set. RewardBench, VL-RewardBench and Multimodal RewardBench are
    read as they are; RewardBench 2 and other prompts with many responses by --candidates.

    Example: textcentric evaluate reward models/reward --dataset held-out.jsonl
    """
    require("evaluate reward")
    from textcentric.cli.run_evaluate_reward import evaluate_reward

    raise typer.Exit(evaluate_reward(models, config, as_json=as_json, quiet=quiet, verbose=verbose))


@app.command("fusion", cls=Panels)
@configured()
def fusion(
    config: EvaluateFusionConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of fusion models.")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Attack fusion models as hard as is known, and take modalities away.

    Robust accuracy is what no attack of the suite flips; the paper's attacks are printed beside it,
    and the certified radius, which is heuristic.

    Example: textcentric evaluate fusion models/clips --dataset clips.csv --target class
    """
    require("evaluate fusion")
    from textcentric.cli.run_evaluate_fusion import evaluate_fusion

    raise typer.Exit(evaluate_fusion(models, config, as_json=as_json, quiet=quiet, verbose=verbose))
