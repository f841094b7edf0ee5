"""What `textcentric predict` does: rows in, a file of predictions out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textcentric.background import run_in_background
from textcentric.cli.find_model import find_model_folder
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.config import resolve, settings
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, unknown
from textcentric.predict import WRITERS, Predicted, predict, write_predictions
from textcentric.session import make_engine


def predict_command(
    model: str,
    dataset: str,
    options: Mapping[str, Any],
    output: str | None,
    *,
    max_failed: float,
    quiet: bool,
    verbose: bool,
) -> int:
    """Predict the rows of `dataset` with `model`; return the exit code."""
    check_output(output)
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    with plain_warnings(tell), terminable():
        predicted = predict(find_model(model), dataset, **options)
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
    return _verdict(predicted, max_failed)


def find_model(name: str) -> Path:
    """Return the folder of the trained model `name`; raises ConfigError with the nearest one."""
    from textcentric.methods.downstream.method import PAPERS

    return find_model_folder(name, PAPERS)


def check_output(output: str | None) -> None:
    """Raise ConfigError for a file that could not be written in the end, before the work."""
    if output is not None and Path(output).suffix not in WRITERS:
        raise ConfigError(f"-o {output}: {unknown('ending', Path(output).suffix, WRITERS)}")


@contextmanager
def lent_engine(
    name: str | None, llm: str | None, base_url: str | None, pairs: Sequence[str]
) -> Iterator[Engine | None]:
    """Open the engine that the flags name, None where they name none, and close it again."""
    if name is None and llm is None and not pairs:
        yield None
        return
    flags = {
        "engine": name,
        "model": llm,
        "base_url": base_url,
        "engine_settings": settings([*pairs]),
    }
    engine = make_engine(resolve(None, flags))
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
