"""`textcentric score`: rewards of responses, JSON lines in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textcentric.cli import flags as flag
from textcentric.extras import require


def score(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of a reward model.")],
    input_file: Annotated[
        Path,
        typer.Option(
            "--input", help="Table of prompt, response (or responses), image_description."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="JSON lines; default: on stdout.")
    ] = None,
    image_dir: Annotated[
        flag.Text, typer.Option("--image-dir", help="Folder of the pictures, seen or put in words.")
    ] = None,
    image_expert: flag.ImageExpert = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Texts at a time.")] = 32,
    quiet: flag.Quiet = False,
    verbose: flag.Verbose = False,
) -> None:
    """Score responses with a trained reward model; the higher the better.

    Into a file it can be resumed: what is scored there already is not scored again.

    Example: textcentric score models/reward --input responses.jsonl -o scores.jsonl
    """
    require("score")
    from textcentric.cli.run_score import score_command

    raise typer.Exit(
        score_command(
            model,
            input_file,
            output,
            image_dir=image_dir,
            image_expert=image_expert or "auto",
            batch_size=batch_size,
            quiet=quiet,
            verbose=verbose,
        )
    )
