"""Predictions for new rows, put into words by the experts and prompts that made the training text.

>>> predicted = predict(Downstream.load("models/first"), "new.csv")  # doctest: +SKIP
>>> write_predictions(predicted.rows(), "predictions.csv")           # doctest: +SKIP

What an LLM wrote for training (a summary, say) it writes for new rows too, by the frozen prompts
that lie in the model's folder. Other experts, prompts or models than those are refused: a model
reads only the kind of text that it was trained on.
Legend: N rows, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.augmentation.config import AugmentConfig, resolve
from textcentric.augmentation.driver import Progress
from textcentric.augmentation.opening import make_engine, make_experts
from textcentric.augmentation.run import finished_manifest, opened, run_to_end, wrap_up
from textcentric.augmentation.words import EXPERTS_ONLY, describe_examples
from textcentric.data import Dataset, Schema
from textcentric.data.balance import balance_of, count_left, unread, with_unread
from textcentric.data.fit import Fit
from textcentric.data.loading import SchemaSource
from textcentric.data.memory import InHand, in_hand
from textcentric.data.new_rows import Line, NewRows, Unusable, lines_of, read_new
from textcentric.data.rows import RowsLike
from textcentric.engines import lent_engine, telling
from textcentric.engines.event_loop import run_in_background
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, DataError, Say, option
from textcentric.evaluation.agreement import (
    check_experts,
    check_llm,
    check_prompts,
    need_word_for_engine,
    need_word_for_experts,
    served_model,
)
from textcentric.evaluation.config import PredictConfig
from textcentric.evaluation.predicted import Predicted
from textcentric.evaluation.predictions_file import check_ending
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Balance, Example, Left, Record, Target
from textcentric.runs.counters import Steps
from textcentric.runs.examples import read_examples, read_failures
from textcentric.runs.manifest import read_manifest
from textcentric.settings import Given
from textcentric.training.folder import find_model_folder

if TYPE_CHECKING:
    from textcentric.methods.downstream import Downstream
    from textcentric.runs.origin import Origin

IN_WORDS = "rows put into words"
WORDLESS = "row(s) that could not be put into words"
PASSED = {  # settings that `predict` takes under the same name
    *("data_dir", "split", "limit", "prompts", "prompt_dir", "base_url", "other_model"),
    "allow_missing_columns",
    *("run_dir", "reuse", "batch_size", "texts"),
}


def predict_rows(
    model: str | Path | Downstream,
    config: PredictConfig,
    rows: RowsLike | None = None,
    *,
    engine: Engine | None = None,
    steps: Steps | None = None,
    say: Say = lambda line: None,
) -> Predicted:
    """Predict as settings say; `rows` and `engine` stand in for those that they name.

    Raises ConfigError where neither names rows, or `output` has an ending that cannot be written.
    """
    source = rows if rows is not None else config.dataset
    if source is None:
        raise ConfigError(f"which rows? Give {option('dataset')}")
    if config.output is not None:
        check_ending(config.output)
    from textcentric.methods.downstream import Downstream

    with lent_engine(engine, config, say) as lent:
        method = model if isinstance(model, Downstream) else _loaded(model, config)
        return predict(
            method,
            source,
            schema=config.table_schema,
            engine=lent,
            steps=steps,
            say=say,
            **config.model_dump(include=PASSED),
        )


def _loaded(model: str | Path, config: PredictConfig) -> Downstream:
    from textcentric.methods.downstream import Downstream

    return Downstream.load(find_model(model), trust_remote_code=config.trust_remote_code)


def find_model(name: str | Path) -> Path:
    """Return the folder of the trained model `name`; raises ConfigError with the nearest one."""
    from textcentric.methods.downstream.method import PAPERS

    return find_model_folder(str(name), PAPERS, "downstream model")


def predict(
    method: Downstream,
    rows: RowsLike,
    *,
    data_dir: str | Path | None = None,
    schema: SchemaSource = None,
    split: str | None = None,
    limit: int | None = None,
    allow_missing_columns: bool = False,
    prompts: str = "frozen",
    prompt_dir: str | Path | None = None,
    engine: Engine | None = None,
    base_url: str | None = None,
    other_model: bool = False,
    run_dir: str | Path | None = None,
    reuse: Sequence[str] = (),
    resume: str = "auto",
    batch_size: int = 64,
    texts: bool = False,
    steps: Steps | None = None,
    say: Say = lambda line: None,
) -> Predicted:
    """Predict the target of `rows`: a name or path that `load` takes, a data set or Records.

    Tables are read as the training rows were, in all that `schema` does not say: columns that lack
    are refused unless `allow_missing_columns` has them read as empty, others are left out. Each
    line has its place, with what is wrong where it cannot be used.

    With `texts` each row has the text that the model read. `prompts` is "frozen" (those in
    the model's folder) or "installed" (the library and `prompt_dir`, which must agree with them).
    An LLM is asked only where the model reads what one wrote; its answers, and what experts say
    of files, go into `run_dir`, and `other_model` allows another one than in training. With
    `resume` "always" the directory may hold other rows: their answers are taken where they fit.
    Raises RunError where experts, prompts or the LLM are not those of the training text, TrustError
    where a stranger's folder names an engine, a server or an expert; `say` hears of a server.
    """
    new = load_rows(
        method.origin,
        rows,
        data_dir=data_dir,
        schema=schema,
        split=split,
        limit=limit,
        allow_missing=allow_missing_columns,
    )
    dataset = _usable(method.origin, new)
    need_word_for_experts(method.origin)
    llm = {
        "base_url": base_url,
        "output_dir": run_dir and str(run_dir),
        "reuse": tuple(reuse),
        "resume": resume,
    }
    if needs_llm(method):
        found = check_prompts(method.origin, prompts, prompt_dir)
        options = {**llm, "prompt_dir": found and str(found)}
        if not other_model:
            options["model"] = served_model(method.origin)
        config = training_config(method.origin, options)
        if engine is None:
            need_word_for_engine(method.origin, base_url, say)
        spoken, problems = _derived(
            method.origin, config, dataset, engine, other_model=other_model, steps=steps, say=say
        )
    else:
        folder = Path(run_dir) if run_dir else None
        spoken, problems = _described(method.origin, dataset, folder, steps), {}
    told = _predicted(method, new, {one.id: one for one in spoken}, problems, batch_size)
    return replace(told, texts=_texts(method, told)) if texts else told


def needs_llm(method: Downstream) -> bool:
    """Say whether the model reads a part that an LLM wrote."""
    read = method.known if method.config.parts is None else set(method.config.parts)
    return method.origin.rewrites() or not read.isdisjoint(method.origin.writes())


def load_rows(
    origin: Origin,
    rows: RowsLike,
    *,
    data_dir: str | Path | None,
    schema: SchemaSource,
    split: str | None,
    limit: int | None,
    allow_missing: bool = False,
) -> NewRows:
    """Return the rows without targets, read as the training rows were.

    Raises DataError where there is no row, or columns lack that may not.
    """
    fit = fit_to(origin, blind=True, splits=split is not None, allow_missing=allow_missing)
    if isinstance(rows, Dataset | InHand) or are_records(rows):
        given = in_hand(rows, split=split, limit=limit)
        lines = lines_of(given) if isinstance(given, Dataset) else list(given)
        new = NewRows(_fitted(lines, fit), (*given.notes, *fit.notes))
    else:
        new = read_new(rows, fit, data_dir=data_dir, schema=schema, split=split, limit=limit)
    if not new.lines:
        raise DataError("there is no row to predict; give a table with rows, or another split")
    return new


def _fitted(lines: Sequence[Line], fit: Fit) -> list[Line]:
    """Return the lines, those that can be used with the columns of the training."""
    records = iter(fit.records([line for line in lines if isinstance(line, Record)]))
    return [next(records) if isinstance(line, Record) else line for line in lines]


def fit_to(
    origin: Origin, *, blind: bool = False, splits: bool = True, allow_missing: bool = False
) -> Fit:
    """Return what fits rows to those of the training; see `Fit`."""
    schema = Schema.model_validate(origin.schema or {})
    columns = origin.columns if origin.schema else None
    return Fit(schema, columns, blind=blind, splits=splits, allow_missing=allow_missing)


def _usable(origin: Origin, new: NewRows) -> InHand:
    """Return the rows that can be used, without targets, under the schema of the training."""
    rows = [replace(line, target=None) for line in new.lines if isinstance(line, Record)]
    schema = Schema.model_validate(origin.schema or {})
    return InHand(rows, schema, name=f"{origin.dataset.get('name', 'rows')}-new")


def _predicted(
    method: Downstream,
    new: NewRows,
    spoken: Mapping[str, Example],
    problems: Mapping[str, str],
    batch_size: int,
) -> Predicted:
    """Predict the rows that are in words; the others keep their place."""
    failures = [_failure(line, spoken, problems) for line in new.lines]
    known = [
        {} if why else {k: v for k, v in spoken[line.id].parts.items() if k in method.known}
        for line, why in zip(new.lines, failures, strict=True)
    ]
    told = method.predict(known, batch_size)
    values: list[Target] = [
        None if why else value for why, value in zip(failures, told.values, strict=True)
    ]
    ids, classes = [line.id for line in new.lines], method.decision.classes
    faults = [
        () if why else spoken[line.id].faults for line, why in zip(new.lines, failures, strict=True)
    ]
    balance = with_unread(_balance(new.lines, failures), unread(ids, faults))
    told = replace(told, values=values)
    rule = method.decision.rule
    return Predicted(ids, told, failures, classes, new.notes, known, balance, faults, rule)


def _texts(method: Downstream, told: Predicted) -> list[str | None]:
    """Return the text of each row, as another reader of the model is to be given it."""
    pairs = zip(told.failures, told.parts, strict=True)
    return [None if why else method.text(parts) for why, parts in pairs]


def _balance(lines: Sequence[Line], failures: Sequence[str]) -> Balance:
    """Return how many lines are predicted, and why the others are not."""
    left: dict[str, Left] = {}
    for line, why in zip(lines, failures, strict=True):
        if why:
            reason = line.reason if isinstance(line, Unusable) else WORDLESS
            count_left(left, reason, repr(line.id) if line.id else why)
    return balance_of(sum(not why for why in failures), left)


def _failure(line: Line, spoken: Mapping[str, Example], problems: Mapping[str, str]) -> str:
    """Return why a line has no prediction, "" where it has one."""
    if isinstance(line, Unusable):
        return line.why
    said = spoken.get(line.id)
    missing = "; ".join(said.faults if said else ()) or "nothing could be put into words"
    return problems.get(line.id, "" if said and said.parts else missing)


def _described(
    origin: Origin, dataset: InHand, folder: Path | None, steps: Steps | None
) -> list[Example]:
    """Return each row as the experts alone tell it; `folder` remembers what they said."""
    experts = make_experts(training_config(origin), dataset)
    check_experts(origin, experts)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return describe_examples(
        dataset,
        experts,
        journal=folder and folder / EXPERTS_ONLY,
        on_row=lambda done: steps(IN_WORDS, done, dataset.count()) if steps else None,
    )


def _derived(
    origin: Origin,
    config: AugmentConfig,
    dataset: InHand,
    given: Engine | None,
    *,
    other_model: bool,
    steps: Steps | None,
    say: Say,
) -> tuple[list[Example], dict[str, str]]:
    """Return the rows with what the LLM derives, and why others of them failed."""
    with _engine(config, given) as engine:
        telling(engine, say)
        if not other_model:
            check_llm(origin, engine)
        folders = [config.prompt_dir] if config.prompt_dir else []
        library = PromptLibrary.load(*folders)
        check_experts(origin, make_experts(config, dataset, engine, library))
        options = config.model_dump(exclude_unset=True, exclude={"engine", "prompts", "dataset"})
        prompts, named = ",".join(origin.prompts), engine.fingerprint().get("engine", "own")
        asked = resolve(None, {**options, "prompts": prompts, "engine": named, "dataset": "rows"})
        progress = steps and _row_steps(steps, dataset.count())
        with opened(
            asked, rows=dataset, engine=engine, on_progress=progress, as_frozen=True
        ) as run:
            telling(engine, say)  # the engine alone: of the run's own lines the reader knows
            if finished_manifest(run.job) is None:
                wrap_up(run.job, run_to_end(run.job))
            return _read(run.job.folder)


def _row_steps(steps: Steps, total: int) -> Progress:
    """Return what tells `steps` of the rows of a run."""
    return lambda metrics: steps(IN_WORDS, metrics.rows, total)


def _read(run: Path) -> tuple[list[Example], dict[str, str]]:
    problems = {
        failure.source_id: f"{failure.stage}: {failure.message}" for failure in read_failures(run)
    }
    if not read_manifest(run)["totals"].get("accepted"):
        return [], problems
    return read_examples(run), problems


def training_config(origin: Origin, values: Given | None = None) -> AugmentConfig:
    """Return how the training text was made: experts, sampling, nothing but derived stages.

    What `values` names wins, where it is not None.
    """
    derive = {"summarize": False, "embeddings": False, "dataset": "rows"}
    derive |= {"expert_words": origin.expert_words()}
    given = {name: value for name, value in (values or {}).items() if value is not None}
    return resolve(None, {**origin.settings, **derive, **given})


@contextmanager
def _engine(config: AugmentConfig, given: Engine | None) -> Iterator[Engine]:
    """Lend the engine given, or open the one of the training run and close it again."""
    if given is not None:
        yield given
        return
    engine = make_engine(config)
    try:
        yield engine
    finally:
        run_in_background(engine.close)


def are_records(rows: RowsLike) -> bool:
    """Say whether rows are Records that a program made."""
    return isinstance(rows, Sequence) and all(isinstance(row, Record) for row in rows)
