"""`textcentric score`: rewards of responses, JSON lines in and out."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from textcentric.cli.options import Quiet, Verbose, configured
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.evaluation.config import ScoreConfig
from textcentric.machine import require

if TYPE_CHECKING:
    from textcentric.evaluation.rewards.scoring import Describe


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
    from textcentric.evaluation.rewards.scoring import (
        find_reward_model,
        finished_items,
        item_key,
        items,
        items_in_words,
        load_reward_model,
        opened_output,
        score_lines,
        weights_digest,
    )

    output, image_dir, image_expert = config.output, config.image_dir, config.image_expert
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    with plain_warnings(tell), terminable():
        method = load_reward_model(find_reward_model(model), image_dir)
        known = weights_digest(method)
        describe: Describe = list
        if image_dir is not None and not method.eyes:
            describe = partial(items_in_words, image_dir=image_dir, expert=image_expert)
            known = f"{known}/{image_expert}"
        done = finished_items(output, known) if output else set()
        wanted = (item for item in items(config.input) if item_key(item) not in done)
        scored = failed = 0
        with opened_output(output) as lines:
            for line in score_lines(method, known, wanted, config.batch_size, describe):
                print(json.dumps(line, ensure_ascii=False), file=lines, flush=True)
                scored += "score" in line
                failed += "error" in line
        tell(f"{scored:,} responses scored, {len(done):,} before, {failed:,} could not be")
    return 3 if failed else 0
