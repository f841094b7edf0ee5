"""`evaluate`: trained models under the robustness grid.

The raw rows are damaged, said again by the experts and the LLM that made each model's training
text, and predicted. What an LLM answers and what a model makes of a text is journalled in the
output directory, whatever the grid: a second evaluation does only what none before it has done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textcentric.command_line import joined, setting_words
from textcentric.corruption.grid import (
    CLEAN,
    Cell,
    CorruptedRows,
    by_cell,
    make_grid,
    words_by_cell,
)
from textcentric.corruption.orders import told_in_orders
from textcentric.data.balance import unread, unread_notes
from textcentric.data.memory import InHand
from textcentric.data.rows import RowsLike, tell_notes
from textcentric.engines import lent_engine
from textcentric.engines.protocol import Engine
from textcentric.errors import Caution, ConfigError, Say
from textcentric.evaluation.config import EvaluateConfig
from textcentric.evaluation.findings import OTHERS, ByCell, Findings
from textcentric.evaluation.predicted import Predicted
from textcentric.evaluation.prediction import find_model, needs_llm, predict
from textcentric.evaluation.ranks import in_ranks
from textcentric.evaluation.results_file import (
    SCHEMA,
    WordsByCell,
    changed_rows,
    figures,
    llm_costs,
    llm_total,
    refuse_other_files,
    write_results,
)
from textcentric.evaluation.scored_rows import rows_to_score
from textcentric.evaluation.sentences import loss, warnings
from textcentric.folders import fingerprint
from textcentric.metrics.scores import fitting_metric, unseen_labels
from textcentric.rows import MODALITIES, Target
from textcentric.runs.counters import Steps
from textcentric.runs.journal import Journal
from textcentric.runs.lock import lock
from textcentric.runs.origin import Origin

if TYPE_CHECKING:
    from textcentric.methods.downstream import Downstream, Predictions
    from textcentric.methods.downstream.decision import Decision

OUTPUTS = "outputs.sqlite"
NOT_NAMED = {"engine", "llm", "engine_settings"}  # they do not name the folder
FLAGS = {"table_schema": "--schema", "output_dir": "-o"}  # those not called like their key


@dataclass(frozen=True)
class Loaded:
    """A model that is evaluated, with whom it asks, settled once: `predict` takes rows alone.

    `words` is where what it reads is kept; `asks` says whether an LLM wrote some of it.
    """

    method: Downstream
    folder: Path
    words: Path
    asks: bool
    predict: Callable[..., Predicted]


@dataclass(frozen=True)
class Evaluated:
    """The words that a model read in every cell, and what it said of them.

    `notes` tell of clean rows whose files could not be read.
    """

    words: WordsByCell
    predicted: ByCell
    notes: list[Caution]


def evaluate(
    config: EvaluateConfig,
    rows: RowsLike | None = None,
    *,
    engine: Engine | None = None,
    say: Say = lambda line: None,
    steps: Steps | None = None,
) -> dict[str, Any]:
    """Evaluate every model; write `results.json` and the report, and return the results.

    `rows` and `engine` stand in for those that `config` names.
    Raises ConfigError for a metric that does not fit and for models that cannot be scored
    together, DataError where no row has a target or no modality can be damaged.
    """
    with lent_engine(engine, config, say) as lent:
        return _evaluate(config, rows, lent, say, steps)


def located(models: Sequence[str | Path], config: EvaluateConfig) -> EvaluateConfig:
    """Return `config` with the folders of the models, and one of its own where none is named."""
    folders = [str(find_model(name)) for name in models]
    changes: dict[str, Any] = {"models": tuple(map(Path, folders))}
    if "output_dir" not in config.model_fields_set:
        given = config.model_fields_set - NOT_NAMED | {"split", "other_model"}
        values = {name: _as_given(getattr(config, name)) for name in given}
        named = fingerprint({**values, "models": str(folders)})
        changes["output_dir"] = Path("runs") / f"evaluate-{named}"
    return config.model_copy(update=changes)


def _as_given(value: object) -> str:
    return str(list(value) if isinstance(value, tuple) else value)


def _evaluate(
    config: EvaluateConfig,
    given: RowsLike | None,
    engine: Engine | None,
    say: Say,
    steps: Steps | None,
) -> dict[str, Any]:
    schema = config.table_schema if isinstance(config.table_schema, dict) else None
    refuse_other_files(config.output_dir, *([SCHEMA] if schema else []))
    models = _load(config, engine, say)
    methods = {name: model.method for name, model in models.items()}
    decision = _first(methods).decision
    metric = fitting_metric(config.metric, decision.task)
    rows = rows_to_score(config, list(methods.values()), given)
    tell_notes(rows, say)
    notes = _notes(methods, rows)
    for note in notes:
        say(note)
    modalities = _modalities(methods, rows, config)
    cells = make_grid(config.corruptions, config.levels, modalities, config.most_missing)
    with lock(config.output_dir):
        damaged = CorruptedRows(rows, cells, config.output_dir / "damaged", config.seed)
        removed = damaged.removals()
        for cell, pieces in removed.items():
            say(f"{cell} removes {pieces}")
        found: dict[str, Evaluated] = {}
        for name, model in models.items():
            say(f"{name}: {len(rows.records)} rows in {len(cells)} cells")
            with (
                closing(Journal(config.output_dir / OUTPUTS)) as outputs,
                model.method.remembering(outputs),
            ):
                model.method.on_batch = steps and partial(steps, f"{name}: texts read")
                found[name] = _evaluated(model, damaged, config.orders, say, steps)
        findings = _findings(decision, metric, rows, cells, found)
        results = _results(config, models, rows, findings, found)
        notes += dict.fromkeys(note for of in found.values() for note in of.notes)
        results |= {"notes": [*rows.notes, *notes], "removed": removed}
        results |= {"reproduce": [command(config)]}
        results["report"] = str(write_results(config.output_dir, results, schema))
    return results


def command(config: EvaluateConfig) -> str:
    """Return the command that does it again: every flag that differs from its default."""
    said = ["textcentric", "evaluate", *map(str, config.models)]
    for key, known in EvaluateConfig.model_fields.items():
        value = getattr(config, key)
        if key in ("models", "engine_settings") or value in (None, known.default):
            continue
        said += [FLAGS.get(key, f"--{key.replace('_', '-')}"), *_flag_value(config, value)]
    return joined([*said, *setting_words("engine", config.engine_settings)])


def _flag_value(config: EvaluateConfig, value: object) -> list[str]:
    if value is True:
        return []
    if isinstance(value, dict):
        return [str(config.output_dir / SCHEMA)]
    return [",".join(map(str, value)) if isinstance(value, tuple) else str(value)]


def _first(methods: Mapping[str, Downstream]) -> Downstream:
    return next(iter(methods.values()))


def _load(config: EvaluateConfig, engine: Engine | None, say: Say) -> dict[str, Loaded]:
    """Return the models under their names; raises ConfigError where they cannot be compared."""
    from textcentric.methods.downstream import Downstream

    models: dict[str, Loaded] = {}
    for path in config.models:
        method = Downstream.load(path, trust_remote_code=config.trust_remote_code)
        asks = needs_llm(method)
        words = config.output_dir / (_words(method.origin) if asks else "experts")
        ask = partial(
            predict,
            method,
            engine=engine if asks else None,
            base_url=config.base_url,
            say=say,
            other_model=config.other_model,
            allow_missing_columns=config.allow_missing_columns,
            run_dir=words,
            resume="always",
        )
        name = path.name if path.name not in models else str(path)
        models[name] = Loaded(method, path, words, asks, ask)
    decisions = {name: model.method.decision for name, model in models.items()}
    _refuse_mixed("tasks", {name: each.task for name, each in decisions.items()})
    _refuse_mixed("target transforms", {name: each.transform for name, each in decisions.items()})
    return models


def _words(origin: Origin) -> str:
    """Return the name of the folder of an LLM's words; models that read the same share them."""
    return f"words-{fingerprint({'prompts': origin.prompts, 'settings': origin.settings})}"


def _refuse_mixed(what: str, values: Mapping[str, str]) -> None:
    if len(set(values.values())) > 1:
        told = ", ".join(f"{value} ({name})" for name, value in values.items())
        raise ConfigError(
            f"the models have the {what} {told}: their scores cannot be compared; evaluate models"
            " of one kind together"
        )


def _notes(methods: Mapping[str, Downstream], rows: InHand) -> list[str]:
    """Return what to know of the scores: their scale, the constant, labels never learnt."""
    first, *others = methods.values()
    notes = []
    if first.decision.transform != "none":
        notes.append(f"targets and predictions are scored as their {first.decision.transform}")
    if any(other.decision.constant != first.decision.constant for other in others):
        name = next(iter(methods))
        notes.append(f"the constant prediction is that of the training rows of {name}")
    for name, method in methods.items():
        ranks = method.decision.ranks
        learnt = [in_ranks(label, ranks) for label in method.decision.learnt]
        targets = {record.id: record.target for record in rows.records}
        unseen = method.decision.classes and unseen_labels(targets, learnt)
        notes += [f"{name}: {unseen}"] if unseen else []
    return notes


def _modalities(
    methods: Mapping[str, Downstream], rows: InHand, config: EvaluateConfig
) -> tuple[str, ...]:
    """Return the modalities that rows have and models read, whose absence can be tried."""
    if config.most_missing == 0:
        return ()
    present = {name.removesuffix("_labels") for record in rows.records for name in record.inputs}
    read = {name for method in methods.values() for name in method.known}
    return tuple(name for name in MODALITIES if name in present & read)


def _evaluated(
    model: Loaded, damaged: CorruptedRows, orders: int, say: Say, steps: Steps | None
) -> Evaluated:
    """Predict every damaged row, and the first clean ones in every order of their parts."""
    method = model.method

    def tell(parts: Sequence[Mapping[str, str]]) -> Sequence[Target]:
        return _scored(method, method.predict(parts, as_ordered=True))

    told = model.predict(list(damaged), steps=steps)
    faults = by_cell(zip(told.ids, told.faults, strict=True))[CLEAN.name]
    broken = unread_notes(unread(faults.keys(), faults.values()))
    for note in (*told.notes, *broken):
        say(note)
    values = _scored(method, told.predictions)
    every = zip(told.ids, told.parts, values, told.failures, strict=True)
    rows = [(damaged_id, parts, value) for damaged_id, parts, value, why in every if not why]
    words = words_by_cell((damaged_id, parts) for damaged_id, parts, _ in rows)
    predicted = by_cell((damaged_id, value) for damaged_id, _, value in rows)
    first = dict(list(words.get(CLEAN.name, {}).items())[:orders])
    predicted |= told_in_orders(first, tell, method.config.parts)
    return Evaluated(words, predicted, broken)


def _scored(method: Downstream, told: Predictions) -> Sequence[Target]:
    """Return predictions on the scale that they are scored on."""
    if method.decision.transform == "none" or told.scores is None:
        return [in_ranks(value, method.decision.ranks) for value in told.values]
    return [float(value) for value in told.scores]


def _results(
    config: EvaluateConfig,
    models: Mapping[str, Loaded],
    rows: InHand,
    findings: Findings,
    found: Mapping[str, Evaluated],
) -> dict[str, Any]:
    first, *others = models
    scores = figures(findings, [(first, other) for other in others])
    shown = _shown_cell(config, findings.cells)
    changed = [changed_rows(findings, name, shown, told.words) for name, told in found.items()]
    runs = {name: [model.words] if model.asks else [] for name, model in models.items()}
    costs = llm_costs(runs)
    return {
        "title": f"Robustness on {rows.name}",
        "dataset": {"name": rows.name},
        "task": models[first].method.decision.task,
        "rows": {"test": len(rows.records)},
        "balance": rows.balance,
        "seeds": [0],
        "arms": {
            name: {"what": f"The model in {model.folder}.", "llm": model.asks} | costs[name]
            for name, model in models.items()
        },
        "llm_total": llm_total(runs),
        **scores,
        "changed": [row for rows_of_arm in changed for row in rows_of_arm],
        "verdict": {
            "shown": None,
            "outcome": "",
            "sentence": loss(findings, first, scores["cells"]),
            "cheap_wins": "",
        },
        "warnings": warnings(findings, models),
    }


def _findings(
    decision: Decision,
    metric: str,
    rows: InHand,
    cells: tuple[Cell, ...],
    found: Mapping[str, Evaluated],
) -> Findings:
    constant = in_ranks(decision.constant, decision.ranks)
    return Findings(
        metric=metric,
        targets={record.id: record.target for record in rows.records},
        groups={record.id: record.group for record in rows.records},
        cells=cells,
        predicted={name: {0: told.predicted} for name, told in found.items()},
        constants={record.id: constant for record in rows.records},
        others=OTHERS[metric],
    )


def _shown_cell(config: EvaluateConfig, cells: Sequence[Cell]) -> Cell:
    """Return the damage whose changed rows are shown: the first corruption's middle level."""
    of_first = [cell for cell in cells if cell.corruption in config.corruptions[:1]]
    damaged = of_first or cells[1:] or cells
    return damaged[len(damaged) // 2]
