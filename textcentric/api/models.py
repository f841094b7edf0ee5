"""Models for Python: trained, loaded, and asked for predictions, scores and what lies nearest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.api.given import (
    by_name,
    engine_in_hand,
    engine_name,
    in_store,
    place,
    refuse_twice,
    settings_of,
    source,
)
from textcentric.api.progress import Progress, watched
from textcentric.api.results import Encoded, Predictions, Result, Retrieved, Run, Scores, Trained
from textcentric.data.pairs import PairsLike
from textcentric.data.rows import RowsLike
from textcentric.engines.protocol import Engine
from textcentric.errors import Caution, ConfigError
from textcentric.evaluation.config import PredictConfig, ScoreConfig
from textcentric.machine import require
from textcentric.methods import METHODS, method_training, training_settings
from textcentric.methods.align_vl.config import RetrieveConfig
from textcentric.methods.align_vl.latents.config import LatentsConfig
from textcentric.runs.listing import is_run
from textcentric.security.files import read_text
from textcentric.training.config import TrainingSettings

if TYPE_CHECKING:
    from textcentric.methods.downstream import Downstream
    from textcentric.training.protocol import Method


def train(
    method: str,
    /,  # federated has a setting of this name
    rows: RowsLike | PairsLike | Run | Result | None = None,
    *,
    progress: Progress = None,
    **settings: Any,
) -> Trained:
    """Train a method ("downstream", "reward", "crmt", "federated", "align-vl").

    Returns what came of it.

    `rows` are what it learns from: a run, rows or pairs in hand or by name, or latents.
    `settings` are the keys of `train METHOD`, of its loop and of its method. The same call goes on
    with a training that was interrupted.

    >>> train("downstream", "runs/first", max_steps=100)                        # doctest: +SKIP
    """
    model = training_settings(method)
    require(f"train {method}")
    rows = in_store(rows)  # type: ignore[assignment]
    in_hand = not (rows is None or by_name(rows) or isinstance(rows, Run | Result))
    with watched(progress) as (steps, say):
        learnt = learnt_from(model, rows)
        refuse_twice(settings, learnt)
        training = settings_of(model, {**settings, **learnt}, say)
        training.check()
        trade = method_training(method)
        ready = trade.prepared(training, say, rows=rows if in_hand else None)
        result = ready.run(quiet=True, steps=steps)
    from textcentric.training.plan import facts

    values = facts(result, ready.task, ready.balance)
    table = [{"metric": name, "value": value} for name, value in result.metrics.items()]
    return Trained(result.output_dir, values, table, result.history)


def learnt_from(model: type[TrainingSettings], rows: object) -> dict[str, str]:
    """Return the setting that names what is learnt from: a run, or rows."""
    if rows is None:
        return {}
    raw = model.sources[-1]
    if isinstance(rows, Run) or (by_name(rows) and is_run(str(rows))):
        return {"run" if "run" in model.sources else raw: place(rows)}  # type: ignore[arg-type]
    return {raw: place(rows) if isinstance(rows, Result) else source(rows)}


def load_model(
    folder: str | Path | Result,
    *,
    files: str | Path | None = None,
    trust_remote_code: bool = False,
) -> Method:
    """Return a trained model of any method, ready to use.

    `files` is the folder of pictures, sounds or latents, where it reads them. Code that the model
    brings runs with `trust_remote_code`, or where the folder is trusted (see `trust`). Raises
    ConfigError where the folder holds none.
    """
    from textcentric.training.folder import FACTS, find_model_folder

    try:
        path = find_model_folder(place(folder), FACTS)
    except ConfigError:
        if not is_run(place(folder)):
            raise
        run = place(folder)
        raise ConfigError(
            f'{run} is a run, not a model; train one: tc.train("downstream", "{run}")'
        ) from None
    about = json.loads(read_text(path / FACTS))
    name = about.get("identity", {}).get("method")
    if name not in METHODS:
        raise ConfigError(f"{path} holds a model of {name!r}, expected {', '.join(METHODS)}")
    leave = {"trust_remote_code": True} if trust_remote_code else {}  # few methods run code at all
    return method_training(name).load(path, files, **leave)


def predict(
    model: str | Path | Result | Downstream,
    rows: RowsLike,
    *,
    engine: str | Engine | None = None,
    progress: Progress = None,
    **settings: Any,
) -> Predictions:
    """Predict the target of new rows, read as the training rows were; `output` keeps a file of it.

    `settings` are the keys of `predict`. An LLM is asked only where the model reads what one wrote.

    >>> predict("models/first", [{"id": "a", "words": "A calm dog."}])          # doctest: +SKIP
    """
    from textcentric.evaluation.prediction import predict_rows
    from textcentric.evaluation.predictions_file import held_output, write_predictions

    require("predict")
    rows = in_store(rows)  # type: ignore[assignment]
    trained = place(model) if isinstance(model, str | Path | Result) else model
    refuse_twice(settings, ["dataset", "input"], engine_in_hand(engine))
    with watched(progress) as (steps, say):
        given = {**settings, "engine": engine_name(engine), "dataset": source(rows)}
        config = settings_of(PredictConfig, given, say)
        with held_output(config.output):
            predicted = predict_rows(
                trained,
                config,
                None if by_name(rows) else rows,
                engine=engine_in_hand(engine),
                steps=steps,
                say=say,
            )
            for note in predicted.warnings():
                say(Caution(note))
            table, path = list(predicted.rows()), None
            if config.output is not None:
                path = write_predictions(table, config.output, safe_csv=config.safe_csv, tell=say)
    values = {"predictions": table, "rows": predicted.balance}
    return Predictions(path, values, table, predicted.problems)


def score(
    model: str | Path | Result,
    responses: RowsLike,
    *,
    progress: Progress = None,
    **settings: Any,
) -> Scores:
    """Score responses with a reward model, the higher the better; `output` keeps a file of it.

    `responses` are rows of prompt and response; `settings` are the keys of `score`.
    """
    from textcentric.evaluation.rewards.scoring import score_responses

    require("score")
    responses = in_store(responses)  # type: ignore[assignment]
    with watched(progress) as (steps, say):
        given = {**settings, "input": source(responses)}
        config = settings_of(ScoreConfig, given, say)
        scoring = score_responses(place(model), config, None if by_name(responses) else responses)
        table = []
        for line in scoring:
            table.append(line)
            if steps is not None:
                steps("responses scored", len(table), len(table))
    if config.output is not None:  # with those that were scored before
        table = [json.loads(line) for line in config.output.read_text("utf-8").splitlines()]
    return Scores(config.output, {"scores": table}, table)


def latents(rows: RowsLike, *, progress: Progress = None, **settings: Any) -> Encoded:
    """Encode pictures, texts or sounds once, each row a pair; return the folder of latents.

    `settings` are the keys of `latents`. The same call goes on where it was stopped.
    """
    from textcentric.methods.align_vl.latents.encoding import encode

    require("latents")
    rows = in_store(rows)  # type: ignore[assignment]
    refuse_twice(settings, ["dataset"])
    with watched(progress) as (steps, say):
        config = settings_of(LatentsConfig, {**settings, "dataset": source(rows)}, say)
        note = steps or (lambda modality, done, items: None)
        made = encode(config, None if by_name(rows) else rows, say=say, note=note)
    table = [
        {"modality": name, "items": made.count(name), "width": made.width(name)}
        | dict(zip(("encoder", "version"), made.encoder(name), strict=True))
        for name in made.modalities
    ]
    return Encoded(made.folder, made.facts(), table)


def retrieve(
    model: str | Path | Result, latents: str | Path | Result, **settings: Any
) -> Retrieved:
    """Find pictures by words, words by sounds, ...; without a query, test how well it works.

    `settings` are the keys of `retrieve`: `text`, `image`, `audio`, `top`, `page`, ...
    """
    from textcentric.methods.align_vl import retrieval

    require("retrieve")
    with watched(None) as (_, say):
        config = settings_of(RetrieveConfig, {**settings, "latents": place(latents)}, say)
    if not config.wanted():
        measured = retrieval.recall(place(model), config)
        return Retrieved(None, measured, _recall_table(measured))
    require("retrieve by a query")
    queries = retrieval.retrieve(place(model), config)
    table = [{"query": query["value"], **hit} for query in queries for hit in query["hits"]]
    return Retrieved(config.page, {"queries": queries}, table)


def _recall_table(measured: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [
        {"way": way} | {name: of[name]["value"] for name in of if name.startswith("R@")}
        for way, of in measured.items()
        if isinstance(of, Mapping) and "queries" in of
    ]
