"""One arm and seed of a comparison: train (or fit) it, predict every cell, keep the predictions.

Predictions are all that is kept: whatever is finished is read again, never trained again.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.corruption.grid import MARK, CorruptedRows
from textcentric.corruption.orders import told_in_orders
from textcentric.errors import ConfigError
from textcentric.evaluation.comparison.config import Arm
from textcentric.evaluation.results_file import Parts, WordsByCell
from textcentric.folders import fingerprint, remove, write_text, writing, written
from textcentric.rows import DERIVED, Example, Record, Target
from textcentric.security.files import read_text
from textcentric.settings import Given

if TYPE_CHECKING:
    from textcentric.methods.downstream import Downstream

Predicted = dict[str, dict[str, Target]]  # cell name -> row id -> prediction
MODEL = re.compile(r"model-[0-9a-f]{8}(-checkpoints)?")  # of a trial, as it is called here
PREDICTIONS, METADATA = "predictions.parquet", "cell.json"


@dataclass(frozen=True)
class Trial:
    """What one arm is trained on and asked about.

    `examples` are the training rows with a target, `held_out` place the cuts of ordinal classes;
    `raw` holds the same training rows for baselines, `damaged` the test rows; `words` say the
    test rows of every cell; the first `orders` of them are read in every order of their parts.
    """

    name: str
    arm: Arm
    seed: int
    task: str
    examples: Sequence[Example]
    held_out: Sequence[Example]
    raw: Mapping[str, Record]
    damaged: CorruptedRows
    words: WordsByCell
    orders: int = 0
    downstream: Given = field(default_factory=dict)
    training: Given = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """What came of a trial: predictions of every cell, seconds of training, rows trained on."""

    predicted: Predicted
    train_seconds: float
    train_rows: int = 0


def attempt(trial: Trial, folder: Path, identity: Given) -> Tried:
    """Make `trial` and keep what came of it in `folder`, under `identity`.

    What a killed trial left of its model is gone on with under the same identity, else removed.
    """
    model = f"model-{fingerprint(identity)}"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _remove_models(folder, but=model)
        tried = _fitted(trial) if trial.arm.baseline else _trained(trial, folder / model)
        _write(folder, tried, identity)
    _remove_models(folder)
    return tried


def _remove_models(folder: Path, but: str | None = None) -> None:
    """Remove the models in `folder` and their checkpoints, all but those of the one named `but`."""
    for path in folder.glob("model-*"):
        if MODEL.fullmatch(path.name) and (but is None or not path.name.startswith(but)):
            remove(path)


def read_trial(folder: Path, identity: Given) -> Tried | None:
    """Return what was kept in `folder` under `identity`, None where nothing was."""
    try:
        metadata = json.loads(read_text(folder / METADATA))
    except (OSError, ValueError):
        return None
    if metadata.get("identity") != json.loads(json.dumps(identity)):
        return None
    return Tried(
        _read(folder / PREDICTIONS), metadata["train_seconds"], metadata.get("train_rows", 0)
    )


def arm_examples(arm: Arm, examples: Sequence[Example]) -> list[Example]:
    """Return the training rows as `arm` reads them: derived parts and variants where it may."""
    return [
        replace(
            example,
            parts=example.parts if arm.derived else plain_parts(example.parts),
            variants=example.variants if arm.variants else (),
        )
        for example in examples
    ]


def plain_parts(parts: Parts) -> Parts:
    """Return `parts` without what an LLM derived from them."""
    return {name: text for name, text in parts.items() if name not in DERIVED}


def _fitted(trial: Trial) -> Tried:
    from textcentric.evaluation.comparison.baselines import open_baseline

    started = time.monotonic()
    kept = [example for example in trial.examples if example.id in trial.raw]
    baseline = open_baseline(trial.name, trial.task, seed=trial.seed).fit(
        [trial.raw[example.id] for example in kept],
        [example.parts for example in kept],
        [example.target for example in kept],
        [example.group for example in kept],
    )
    seconds = time.monotonic() - started
    predicted: Predicted = {}
    for cell, rows in _by_cell(trial):
        parts = [trial.words[cell][row_id] for row_id, _ in rows]
        told = baseline.predict([record for _, record in rows], parts)
        predicted[cell] = dict(zip((row_id for row_id, _ in rows), told, strict=True))
    return Tried(predicted, seconds, len(kept))


def _by_cell(trial: Trial) -> Iterator[tuple[str, list[tuple[str, Record]]]]:
    """Yield each cell with its (row id, damaged row) that the experts have words for."""
    found: dict[str, list[tuple[str, Record]]] = {}
    for record in trial.damaged:
        row_id, _, cell = record.id.rpartition(MARK)
        if row_id in trial.words.get(cell, {}):
            found.setdefault(cell, []).append((row_id, record))
    yield from found.items()


def _trained(trial: Trial, folder: Path) -> Tried:
    from textcentric.methods.downstream import Downstream, DownstreamConfig
    from textcentric.training.config import LORA_RATE, TrainConfig
    from textcentric.training.loop import train

    values = {
        **trial.downstream,
        **(trial.arm.changes or {}),
        "task": trial.task,
        "seed": trial.seed,
    }
    if not trial.arm.variants:
        values["variants"] = 0
    held_out = list(trial.held_out) or None
    method = Downstream(DownstreamConfig.of(values), trial.examples, calibrate_on=held_out)
    rate = {"learning_rate": LORA_RATE} if method.config.lora_r is not None else {}
    settings = {"eval_strategy": "no", "save_strategy": "no", **rate, **trial.training}
    config = TrainConfig(**{**settings, "output_dir": folder, "seed": trial.seed})
    result = train(method, config, trial.examples, held_out or (), quiet=True)
    predicted = {
        cell: _told(method, list(by_row), list(by_row.values()))
        for cell, by_row in trial.words.items()
    }
    return Tried(predicted | _ordered(trial, method), result.train_seconds, len(trial.examples))


def _told(method: Downstream, ids: Sequence[str], parts: Sequence[Parts]) -> dict[str, Target]:
    return dict(zip(ids, method.predict(parts).values, strict=True))


def _ordered(trial: Trial, method: Downstream) -> Predicted:
    """Return the predictions of the first clean rows in every order of their parts."""
    rows = dict(list(trial.words["clean"].items())[: trial.orders])

    def tell(parts: Sequence[Parts]) -> Sequence[Target]:
        return method.predict(parts, as_ordered=True).values

    return told_in_orders(rows, tell, method.config.parts)


def _write(folder: Path, tried: Tried, identity: Given) -> None:
    """Write the predictions, then the metadata that say they are complete.

    Older metadata go first: a kill in between must not leave them beside newer predictions.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        (cell, row_id, json.dumps(value))
        for cell, by_row in tried.predicted.items()
        for row_id, value in by_row.items()
    ]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    names = ["cell", "id", "prediction"]
    table = pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})
    with written(folder / PREDICTIONS) as draft:
        pq.write_table(table, draft)
        (folder / METADATA).unlink(missing_ok=True)
    seconds = round(tried.train_seconds, 1)
    metadata = {"identity": identity, "train_seconds": seconds, "train_rows": tried.train_rows}
    write_text(folder / METADATA, json.dumps(metadata, indent=2) + "\n")


def _read(path: Path) -> Predicted:
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot read {path} ({error}); remove its folder, it is made again"
        ) from error
    found: Predicted = {}
    for row in rows:
        found.setdefault(row["cell"], {})[row["id"]] = json.loads(row["prediction"])
    return found
