"""`textcentric predict`: predictions with probabilities for new rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from textcentric.cli.options import Shown, configured
from textcentric.cli.terminal import say, show, show_json, telling
from textcentric.errors import ConfigError
from textcentric.evaluation.config import PredictConfig
from textcentric.machine import require

if TYPE_CHECKING:
    from textcentric.evaluation.predicted import Predicted


@configured("evaluation.config")
def predict(
    config: PredictConfig,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    **shown: Unpack[Shown],
) -> None:
    """Predict the target of new rows, read as the training rows were.

    An LLM is asked only where the model reads what one wrote, by the prompts frozen in its folder.

    Example: textcentric predict models/first --dataset new.csv -o predictions.csv
    """
    require("predict")
    raise typer.Exit(predict_command(model, config, **shown))


def predict_command(
    model: str, config: PredictConfig, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Predict rows with `model`; return the exit code.

    With `as_json` the path of the predictions and how many rows have one are printed as JSON.
    """
    from textcentric.evaluation.prediction import predict_rows
    from textcentric.evaluation.predictions_file import held_output, write_predictions

    output = config.output
    if as_json and output is None:
        raise ConfigError("--json counts the rows of a file of predictions; give --output")
    with telling(quiet=quiet, verbose=verbose) as tell, held_output(output):
        predicted = predict_rows(model, config, say=tell)
        for note in predicted.warnings():
            tell(note)
        if output is None:
            for row in predicted.rows():
                show_json(row)
        else:
            write_predictions(predicted.rows(), output, safe_csv=config.safe_csv, tell=say)
    failed = sum(map(bool, predicted.failures))
    tell(f"{len(predicted.ids) - failed} of {len(predicted.ids)} rows are predicted")
    if as_json:
        show_json({"predictions": output, "rows": predicted.balance})
    elif output is not None:
        show(f"predictions  {output}")
    return _verdict(predicted, config.max_failed)


def _verdict(predicted: Predicted, max_failed: float) -> int:
    """Return the exit code by the share of rows without a prediction; say why they have none."""
    if not predicted.problems:
        return 0
    row_id, why = next(iter(predicted.problems.items()))
    failed, rows = sum(map(bool, predicted.failures)), len(predicted.ids)
    say(f"{failed} of {rows} rows have no prediction; the first, {row_id!r}: {why}")
    return 3 if failed > max_failed * rows else 0
