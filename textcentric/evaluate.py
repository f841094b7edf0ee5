"""`evaluate`: trained models under the robustness grid.

The raw rows are damaged, said again by the experts and the LLM that made each model's training
text, and predicted. What an LLM answers is journalled below the output directory, so that a
second evaluation asks for nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from textcentric.api import InHand
from textcentric.config import fingerprint
from textcentric.data import load
from textcentric.describe import MODALITIES
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, DataError
from textcentric.findings import OTHERS, Findings
from textcentric.grid import CLEAN, LEVELS, MARK, Cell, CorruptedRows, make_grid
from textcentric.predict import Predicted, needs_llm, predict
from textcentric.results import changed_rows, figures, write_results
from textcentric.rows import Target
from textcentric.runs import lock
from textcentric.scores import constant_prediction, default_metric
from textcentric.session import Say

if TYPE_CHECKING:
    from textcentric.methods.downstream import Downstream


class EvaluateConfig(BaseModel):
    """What is evaluated under which damage.

    `models` are trained folders, each an arm under its folder's name. Without a `metric` the
    task's own is taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[Path, ...] = Field(min_length=1)
    dataset: str
    data_dir: str | None = None
    table_schema: dict[str, Any] | str | None = None
    split: str | None = "test"
    limit: int | None = Field(None, ge=1)
    corruptions: tuple[str, ...] = ("all",)
    levels: tuple[float, ...] = LEVELS
    most_missing: int | None = Field(None, ge=0)
    metric: str | None = None
    base_url: str | None = None
    other_model: bool = False
    seed: int = 0
    output_dir: Path


def evaluate(
    config: EvaluateConfig, *, engine: Engine | None = None, say: Say = lambda line: None
) -> dict[str, Any]:
    """Evaluate every model; write `results.json` and the report, and return the results.

    Raises DataError where no row has a target or no modality can be damaged.
    """
    methods = _load(config)
    rows = _rows(config)
    cells = make_grid(
        config.corruptions, config.levels, _modalities(methods, rows, config), config.most_missing
    )
    with lock(config.output_dir):
        damaged = CorruptedRows(rows, cells, config.output_dir / "damaged", config.seed)
        predicted: dict[str, dict[int, Mapping[str, Mapping[str, Target]]]] = {}
        for name, method in methods.items():
            say(f"{name}: {len(rows.records)} rows in {len(cells)} cells")
            predicted[name] = {0: by_cell(_predict(method, damaged, config, engine))}
        findings = _findings(config, methods, rows, cells, predicted)
        results = _results(config, methods, findings, rows)
        results["report"] = str(write_results(config.output_dir, results))
    return results


def by_cell(told: Predicted) -> dict[str, dict[str, Target]]:
    """Return {cell name: {row id: prediction}}; rows that could not be put into words are out."""
    found: dict[str, dict[str, Target]] = {}
    for damaged_id, value in zip(told.ids, told.predictions.values, strict=True):
        row_id, _, cell = damaged_id.rpartition(MARK)
        if damaged_id not in told.problems:
            found.setdefault(cell, {})[row_id] = value
    return found


def _load(config: EvaluateConfig) -> dict[str, Downstream]:
    from textcentric.methods.downstream import Downstream

    methods: dict[str, Downstream] = {}
    for path in config.models:
        name = path.name if path.name not in methods else str(path)
        methods[name] = Downstream.load(path)
    tasks = {method.decision.task for method in methods.values()}
    if len(tasks) > 1:
        raise ConfigError(
            f"the models have the tasks {', '.join(sorted(tasks))}; evaluate models of one task"
            " together"
        )
    return methods


def _rows(config: EvaluateConfig) -> InHand:
    rows = load(
        config.dataset,
        data_dir=config.data_dir,
        schema=config.table_schema,
        split=config.split,
        limit=config.limit,
    )
    records = [record for record in rows if record.target is not None]
    if not records:
        raise DataError(
            f"no row of {rows.name} (split {config.split}) has a target to score predictions by;"
            " name the target column in the schema, or another --split"
        )
    return InHand(records, rows.schema, name=rows.name, path=rows.path)


def _modalities(
    methods: Mapping[str, Downstream], rows: InHand, config: EvaluateConfig
) -> tuple[str, ...]:
    """Return the modalities that rows have and models read, whose absence can be tried."""
    if config.most_missing == 0:
        return ()
    present = {name.removesuffix("_labels") for record in rows.records for name in record.inputs}
    read = {name for method in methods.values() for name in method.known}
    return tuple(name for name in MODALITIES if name in present & read)


def _predict(
    method: Downstream, damaged: CorruptedRows, config: EvaluateConfig, engine: Engine | None
) -> Predicted:
    """Predict every damaged row; models that read the same words share the LLM's answers."""
    origin = method.origin
    words = fingerprint({"prompts": origin.prompts, "settings": origin.settings})
    return predict(
        method,
        list(damaged),
        engine=engine if needs_llm(method) else None,
        base_url=config.base_url,
        other_model=config.other_model,
        run_dir=config.output_dir / f"words-{words}",
    )


def _findings(
    config: EvaluateConfig,
    methods: Mapping[str, Downstream],
    rows: InHand,
    cells: tuple[Cell, ...],
    predicted: Mapping[str, Any],
) -> Findings:
    task = next(iter(methods.values())).decision.task
    metric = config.metric or default_metric(task)
    targets = {record.id: record.target for record in rows.records}
    return Findings(
        metric=metric,
        targets=targets,
        groups={record.id: record.group for record in rows.records},
        cells=cells,
        predicted=predicted,
        constant=constant_prediction(list(targets.values()), metric),
        others=OTHERS[metric],
    )


def _results(
    config: EvaluateConfig, methods: Mapping[str, Downstream], findings: Findings, rows: InHand
) -> dict[str, Any]:
    first, *others = methods
    return {
        "title": f"Robustness on {rows.name}",
        "dataset": {"name": rows.name},
        "task": methods[first].decision.task,
        "rows": {"test": len(rows.records)},
        "seeds": [0],
        "arms": {
            name: {"what": f"The model in {path}.", "llm": needs_llm(method)}
            for (name, method), path in zip(methods.items(), config.models, strict=True)
        },
        **figures(findings, [(first, other) for other in others]),
        "changed": changed_rows(findings, first, CLEAN, {}),
        "verdict": {"shown": None, "sentence": _sentence(findings, first), "cheap_wins": ""},
        "reproduce": [_command(config)],
    }


def _command(config: EvaluateConfig) -> str:
    """Return the command that does it again."""
    flags = {"--dataset": config.dataset, "--split": config.split, "--limit": config.limit}
    flags |= {"--corruptions": ",".join(config.corruptions)}
    flags |= {"--levels": ",".join(f"{level:g}" for level in config.levels)}
    said = [f"{flag} {value}" for flag, value in flags.items() if value is not None]
    return " ".join(["textcentric evaluate", *map(str, config.models), *said])


def _sentence(findings: Findings, arm: str) -> str:
    """Say what the first model loses under the heaviest damage of the first corruption."""
    entries = [e for e in findings.table() if e["arm"] == arm and e["corruption"] != CLEAN.name]
    clean = findings.estimate(arm, CLEAN)
    said = f"{arm} scores {clean.value:.3f} [{clean.interval[0]:.3f}, {clean.interval[1]:.3f}]"
    said += f" in {findings.metric} on {len(findings.targets)} clean rows"
    if not entries:
        return f"{said}."
    worst = min(entries, key=lambda e: e["score"] if findings.higher_is_better else -e["score"])
    what = "+".join(worst["missing"] or ()) or f"{worst['corruption']} {worst['level']:g}"
    what = f"without {what}" if worst["missing"] else what
    return f"{said}, {worst['score']:.3f} at worst ({what})."
