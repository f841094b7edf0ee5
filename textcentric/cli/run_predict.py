"""What `textcentric predict` does: rows in, a file of predictions out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textcentric.background import run_in_background
from textcentric.cli.find_model import find_model_folder
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.config import resolve
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, unknown
from textcentric.evaluation.config import EvaluateConfig, PredictConfig
from textcentric.predict import WRITERS, Predicted, predict, write_predictions
from textcentric.session import make_engine

PASSED = {
    *("data_dir", "split", "limit", "prompts", "prompt_dir", "base_url", "other_model"),
    *("run_dir", "reuse", "batch_size"),
}


def predict_command(model: str, config: PredictConfig, *, quiet: bool, verbose: bool) -> int:
    """Predict rows with `model`; return the exit code."""
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

    return find_model_folder(name, PAPERS)


def check_output(output: str | None) -> None:
    """Raise ConfigError for a file that could not be written in the end, before the work."""
    if output is not None and Path(output).suffix not in WRITERS:
        raise ConfigError(f"-o {output}: {unknown('ending', Path(output).suffix, WRITERS)}")


@contextmanager
def lent_engine(config: PredictConfig | EvaluateConfig) -> Iterator[Engine | None]:
    """Open the engine that the settings name, None where they name none, and close it again."""
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
