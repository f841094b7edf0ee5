"""`textcentric score`: rewards of responses, JSON lines in and out."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli.options import Quiet, Verbose, configured
from textcentric.evaluation.config import ScoreConfig
from textcentric.extras import require


@configured()
def score(
    config: ScoreConfig,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of a reward model.")],
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Score responses with a trained reward model; the higher the better.

    Into a file it can be resumed: what is scored there already is not scored again.

    Example: textcentric score models/reward --input responses.jsonl -o scores.jsonl
    """
    require("score")
    from textcentric.cli.run_score import score_command

    raise typer.Exit(score_command(model, config, quiet=quiet, verbose=verbose))
