"""`textcentric predict`: predictions with probabilities for new rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from textcentric.cli.options import Quiet, Verbose, configured
from textcentric.cli.terminal import say, telling
from textcentric.evaluation.config import PredictConfig
from textcentric.machine import require

if TYPE_CHECKING:
    from textcentric.evaluation.prediction import Predicted


@configured("evaluation.config")
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
    raise typer.Exit(predict_command(model, config, quiet=quiet, verbose=verbose))


def predict_command(model: str, config: PredictConfig, *, quiet: bool, verbose: bool) -> int:
    """Predict rows with `model`; return the exit code."""
    from textcentric.evaluation.prediction import predict_rows
    from textcentric.evaluation.predictions_file import write_predictions

    output = config.output
    with telling(quiet=quiet, verbose=verbose) as tell:
        predicted = predict_rows(model, config)
        for note in predicted.notes:
            tell(note)
        if output is None:
            for row in predicted.rows():
                print(json.dumps(row, ensure_ascii=False))
        else:
            write_predictions(predicted.rows(), output)
    failed = sum(map(bool, predicted.failures))
    tell(f"{len(predicted.ids) - failed} of {len(predicted.ids)} rows are predicted")
    if output is not None:
        print(f"predictions  {output}")
    return _verdict(predicted, config.max_failed)


def _verdict(predicted: Predicted, max_failed: float) -> int:
    """Return the exit code by the share of rows without a prediction; say why they have none."""
    if not predicted.problems:
        return 0
    row_id, why = next(iter(predicted.problems.items()))
    failed, rows = sum(map(bool, predicted.failures)), len(predicted.ids)
    say(f"{failed} of {rows} rows have no prediction; the first, {row_id!r}: {why}")
    return 3 if failed > max_failed * rows else 0
