"""`textcentric predict`: predictions with probabilities for new rows."""

from __future__ import annotations

from typing import Annotated

import typer

from textcentric.cli.options import Quiet, Verbose, configured
from textcentric.evaluation.config import PredictConfig
from textcentric.extras import require


@configured()
def predict(
    config: PredictConfig,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Predict the target of new rows, read as the training rows were.

    An LLM is asked only where the model reads what one wrote, by the prompts frozen in its folder.

    Example: textcentric predict models/first --dataset new.csv -o predictions.csv
    """
    require("predict")
    from textcentric.cli.run_predict import predict_command

    raise typer.Exit(predict_command(model, config, quiet=quiet, verbose=verbose))
