"""`textcentric score`: rewards of responses, JSON lines in and out."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli.options import Quiet, Verbose, configured
from textcentric.cli.terminal import show_json, telling
from textcentric.evaluation.config import ScoreConfig
from textcentric.machine import require


@configured("evaluation.config")
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
    raise typer.Exit(score_command(model, config, quiet=quiet, verbose=verbose))


def score_command(model: str, config: ScoreConfig, *, quiet: bool, verbose: bool) -> int:
    """Score responses; return the exit code, 3 where some could not be scored."""
    from textcentric.evaluation.rewards.scoring import score_responses

    with telling(quiet=quiet, verbose=verbose) as tell:
        scoring = score_responses(model, config)
        for line in scoring:
            if config.output is None:
                show_json(line)
        for note in scoring.notes():
            tell(note)
        tell(
            f"{scoring.scored:,} responses scored, {scoring.done:,} before,"
            f" {scoring.failed:,} could not be"
        )
    return 3 if scoring.failed else 0
