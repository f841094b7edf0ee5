"""`textcentric predict`: predictions with probabilities for new rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textcentric.augmentation.config import resolve
from textcentric.cli.options import Quiet, Verbose, configured
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.errors import ConfigError, unknown
from textcentric.evaluation.config import EvaluateConfig, PredictConfig
from textcentric.machine import require

if TYPE_CHECKING:
    from textcentric.engines.protocol import Engine
    from textcentric.evaluation.prediction import Predicted

PASSED = {
    *("data_dir", "split", "limit", "prompts", "prompt_dir", "base_url", "other_model"),
    *("run_dir", "reuse", "batch_size"),
}


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
    from textcentric.evaluation.prediction import predict, write_predictions

    output = config.output
    if config.dataset is None:
        raise ConfigError("which rows? Give --dataset")
    check_output(output)
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    with lent_engine(config) as engine, plain_warnings(tell), terminable():
        predicted = predict(
            find_model(model),
            config.dataset,
            schema=config.table_schema,
            engine=engine,
            **config.model_dump(include=PASSED),
        )
        for note in predicted.notes:
            tell(note)
        if output is None:
            for row in predicted.rows():
                print(json.dumps(row, ensure_ascii=False))
        else:
            write_predictions(predicted, output)
    failed = len(predicted.problems)
    tell(f"{len(predicted.ids) - failed} of {len(predicted.ids)} rows are predicted")
    if output is not None:
        print(f"predictions  {output}")
    return _verdict(predicted, config.max_failed)


def find_model(name: str) -> Path:
    """Return the folder of the trained model `name`; raises ConfigError with the nearest one."""
    from textcentric.methods.downstream.method import PAPERS
    from textcentric.training.folder import find_model_folder

    return find_model_folder(name, PAPERS)


def check_output(output: str | None) -> None:
    """Raise ConfigError for a file that could not be written in the end, before the work."""
    from textcentric.evaluation.prediction import WRITERS

    if output is not None and Path(output).suffix not in WRITERS:
        raise ConfigError(f"-o {output}: {unknown('ending', Path(output).suffix, WRITERS)}")


@contextmanager
def lent_engine(config: PredictConfig | EvaluateConfig) -> Iterator[Engine | None]:
    """Open the engine that the settings name, None where they name none, and close it again."""
    from textcentric.augmentation.opening import make_engine
    from textcentric.engines.event_loop import run_in_background

    if config.engine is None and config.llm is None and not config.engine_settings:
        yield None
        return
    named = {"engine": config.engine, "model": config.llm, "base_url": config.base_url}
    engine = make_engine(resolve(None, {**named, "engine_settings": config.engine_settings}))
    try:
        yield engine
    finally:
        run_in_background(engine.close)


def _verdict(predicted: Predicted, max_failed: float) -> int:
    """Return the exit code by the share of rows without a prediction; say why they have none."""
    if not predicted.problems:
        return 0
    row_id, why = next(iter(predicted.problems.items()))
    failed, rows = len(predicted.problems), len(predicted.ids)
    say(f"{failed} of {rows} rows have no prediction; the first, {row_id!r}: {why}")
    return 3 if failed > max_failed * rows else 0
