"""`textcentric evaluate`: trained models under damage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from textcentric.cli.options import Shown, configured
from textcentric.cli.progress import LOADING, Progress
from textcentric.cli.results import tell_results
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.machine import require
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.evaluation.config import EvaluateConfig


@configured("evaluation.config")
def downstream(
    config: EvaluateConfig,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Folders of trained models.")
    ],
    **shown: Unpack[Shown],
) -> None:
    """Damage rows, put them into words again, predict, and report what each model loses.

    What experts and LLM answer is kept in the output directory: a second time is nearly free.

    Reward models are evaluated on pairs, fusion models under attack: textcentric evaluate reward
    --help, textcentric evaluate fusion --help

    Example: textcentric evaluate models/first --dataset petfinder --levels 0.3,0.5
    """
    require("evaluate downstream")
    raise typer.Exit(evaluate_command(models, config, **shown))


def evaluate_command(
    models: Sequence[str], config: EvaluateConfig, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Evaluate `models` and say what came of it; return the exit code."""
    from textcentric.evaluation.robustness import evaluate, located

    if not alone():  # one process does it, whoever launched more
        return 0
    config = located(models, config)
    config.check()
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    try:
        with (
            plain_warnings(tell),
            terminable(),
            Progress(start=LOADING, quiet=quiet) as progress,
        ):
            results = evaluate(config, say=tell, steps=progress.advance)
    except KeyboardInterrupt:
        say(f"textcentric: interrupted; the same command goes on in {config.output_dir}")
        return 130
    tell_results(results, config.output_dir, as_json=as_json)
    return 0
